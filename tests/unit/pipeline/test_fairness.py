"""The fairness audit: whom it looks at, what it tries, and what it finds where a column needlessly tells a group."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.tables import consents, people
from models.discrimination import Estimate
from models.fairness import AtCut
from pipeline import fairness, train
from pipeline.engines import write_table
from pipeline.fairness.candidates import Candidate, applied, candidates, kinds, told_by
from pipeline.fairness.groups import Grouping, bands, grouped, groupings
from pipeline.fairness.measured import Scores, cut_offs, measured, read_scores, screen
from pipeline.fairness.search import Tried, approved, frontier, search
from pipeline.sample import Sample
from pipeline.workspace import Workspace, read_json
from saakh.errors import ConfigError, ConsentError, ContractError
from tests.ascii import rows
from tests.minimal_world import COLUMNS, params, specs, world, write_world

AT = {f"{category}_{k}": i for i, (category, k) in enumerate(COLUMNS)}
SHORT = {"train": {"folds": 2, "rounds_max": 20, "learning_rate": 0.3, "gap_days": 0}}
EXPORT = {"export": {"bands": [520, 540]}}
"""The worlds here are riskier than a lender's, so their bands are lower."""


@pytest.fixture(scope="module")
def loans() -> Sample:
    """Loans where `location_0` says what `payments_0` says, and which side a person is on as well."""
    drawn = world(1_500, noise=1.0)
    x = drawn.x.copy()
    x[:, AT["location_0"]] += 1.5 * (side_of(drawn) == 1)
    return replace(drawn, x=x)


def side_of(sample: Sample) -> np.ndarray:
    return (np.random.default_rng(4).permutation(int(sample.person.max()) + 1) % 2)[sample.person]


def sides(sample: Sample) -> Grouping:
    return Grouping("side", ("left", "right"), side_of(sample).astype(np.int64))


def scored(sample: Sample, asked) -> Scores:
    learned = train.learn(asked, specs(), sample)
    dev, later = learned.split.development, learned.split.out_of_time | learned.split.known_person
    fold = np.zeros(len(dev), dtype=np.int64)
    fold[dev] = learned.fold
    return Scores(learned.log_odds, fold, dev, later)


def test_bands_of_age_and_values_of_a_category_are_groups() -> None:
    said = pa.table({"age_years": [24, 25, 49, 50, None], "gender": ["female", "male", None, "female", "other"]})
    age, gender = grouped(said, (25, 50))
    assert (age.attribute, age.names) == ("age_years", ("under 25", "25 to 49", "50 or more"))
    assert age.code.tolist() == [0, 1, 1, 2, -1]
    assert [gender.names[i] if i >= 0 else None for i in gender.code] == ["female", "male", None, "female", "other"]
    assert bands((30,)) == ("under 30", "30 or more")
    assert [name for name, _ in age.sides()] == ["age_years under 25", "age_years 25 to 49", "age_years 50 or more"]


def test_only_who_agreed_to_research_is_in_a_group(tmp_path: Path, loans: Sample) -> None:
    asked, ws = write_world(tmp_path, loans), Workspace(tmp_path)
    declare(tmp_path, loans, agreed=loans.person < 500)
    _, gender = groupings(asked, ws, loans.application)
    assert ((gender.code >= 0) == (loans.person < 500)).all()


def declare(root: Path, sample: Sample, agreed: np.ndarray) -> None:
    """Everybody declares age and gender, women on the right; some agree to research."""
    woman = dict(zip(sample.person.tolist(), (side_of(sample) == 1).tolist(), strict=True))
    may = dict(zip(sample.person.tolist(), agreed.tolist(), strict=True))
    header = "| artefact_id | person_id | category | purpose | starts_at | revoked_at | basis |\n"
    said = [f"| c{p} | {p:032x} | profile | research | 2025-01-01 | - | explicit |\n" for p in woman if may[p]]
    write_table(root / "ingest/consents.parquet", rows(consents, header + "".join(said)))
    header = "| person_id | event_at | available_at | age_years | gender |\n"
    said = [f"| {p:032x} | 2025-01-01 | 2025-01-01 | 40 | {'fe' * w}male |\n" for p, w in woman.items()]
    write_table(root / "ingest/people.parquet", rows(people, header + "".join(said)))


def test_cut_offs_are_the_bands_lower_ends_in_log_odds() -> None:
    # 600 points at 50 good to 1 bad; 20 points less halve the odds.
    cuts = cut_offs(params(export={"bands": [580, 600]}))
    assert [cut["from_points"] for cut in cuts] == [600, 580]
    assert [cut["log_odds"] for cut in cuts] == pytest.approx([-np.log(50), -np.log(25)])


def test_a_ratio_is_a_screen_and_chance_is_told_apart() -> None:
    def ratio(value, low=None, high=None):
        return screen(AtCut(Estimate(0.5), Estimate(value, low, high), Estimate(0.5), Estimate(0.5)))

    assert ratio(0.8, 0.7, 0.9) == "passed"
    assert ratio(0.7, 0.6, 0.79) == "under"
    assert ratio(0.7, 0.6, 0.85) == "under, within chance"
    assert ratio(None) == "passed"


def test_every_side_tells_of_its_groups_and_names_those_too_small() -> None:
    sample = world(600)
    few = Grouping("kind", ("many", "few"), np.where(np.arange(600) % 100 == 0, 1, 0))
    found = measured(params(**SHORT, **EXPORT), sample, scored(sample, params(**SHORT)), [few])
    assert [side["side"] for side in found] == ["through_the_door", "out_of_fold"]
    assert [[g["group"] for g in side["attributes"][0]["groups"]] for side in found] == [["many"], ["many"]]
    assert found[0]["attributes"][0]["withheld"] == ["few"]


def test_candidates_change_one_thing_first_each_once_and_then_several() -> None:
    found = candidates(["apps", "calls"], ["social", "brand"], ["side"], 200, 1)
    assert len(set(found)) == len(found) == 200
    assert found[:4] == [
        Candidate(told=(("side", 0.02),)),
        Candidate(without=("apps",)),
        Candidate(free=("social", "brand")),
        Candidate(seed=1),
    ]
    assert candidates(["apps", "calls"], ["social", "brand"], ["side"], 5, 1) == found[:5]
    assert all(len(one.without) < 2 for one in found)  # never without everything
    assert found[1].words() == "without apps"
    assert Candidate().words() == "as trained"


def test_a_candidate_is_learned_without_what_it_leaves_out_and_without_its_directions() -> None:
    some = [replace(spec, risk=1) for spec in specs()]
    one = Candidate(seed=2, without=("apps",), free=(some[0].family,), told=(("side", 0.1),))
    asked, kept, sample = applied(one, params(), some, world(50), {"side": ["location_0", "device_1", *AT]})
    assert asked.seed == params().seed + 2
    assert {spec.risk for spec in kept} == {0}
    assert {"location_0", "device_1", "apps_0", "apps_1"} & {spec.name for spec in kept} == set()
    assert sample.x.shape == (50, len(kept))


def test_features_are_ranked_by_how_well_they_tell_a_group(loans: Sample) -> None:
    told = told_by(specs(), loans.x, [sides(loans)], np.ones(len(loans.bad), dtype=bool))
    assert told["side"][0] == "location_0"
    assert len(told["side"]) == len(specs())
    assert list(kinds(specs())) == [("airtime", "apps", "credit", "device", "location", "payments"), ()]


def test_models_are_compared_at_equal_approval() -> None:
    inside = approved(np.array([0.3, 0.1, 0.2, 0.4]), (0.5, 0.75))
    assert inside.T.tolist() == [[False, True, True, False], [True, True, True, False]]


def test_the_frontier_holds_what_no_other_beats() -> None:
    def tried(area, disparity, seed):
        return Tried(Candidate(seed=seed), area, 0.0, {"side": disparity})

    some = [tried(0.70, 0.3, 1), tried(0.69, 0.35, 2), tried(0.68, 0.1, 3), tried(0.70, 0.4, 4)]
    assert [t.candidate.seed for t in frontier(some)] == [1, 3]


def test_an_alternative_is_found_where_a_column_tells_a_group_for_nothing(loans: Sample) -> None:
    asked = params(**SHORT, **EXPORT, fairness={"candidates": 4, "loss_auc_max": 0.02})
    found = search(asked, specs(), loans, scored(loans, asked), [sides(loans)])
    assert found["candidates"] == 4
    assert found["alternative"] is not None
    assert "location" in found["alternative"] or "features that tell most of side" in found["alternative"]
    assert found["best"]["loss"] <= 0.02
    assert found["best"]["disparity"] <= 0.75 * found["as_trained"]["disparity"]
    assert set(found["best"]["sides"]) == {"through_the_door", "out_of_fold"}
    assert found["best"]["sides"]["out_of_fold"]["as_trained"]["value"] == pytest.approx(
        found["as_trained"]["disparity"]
    )


def test_none_is_found_where_the_risk_itself_goes_with_the_group() -> None:
    sample = world(1_500)
    apart = Grouping("side", ("left", "right"), (sample.x[:, AT["airtime_0"]] > 0).astype(np.int64))
    asked = params(**SHORT, **EXPORT, fairness={"candidates": 3})
    found = search(asked, specs(), sample, scored(sample, asked), [apart])
    assert (found["alternative"], found["candidates"]) == (None, 3)
    assert len(found["cloud"]) == 3


def test_without_candidates_or_large_groups_nothing_is_looked_for(loans: Sample) -> None:
    asked = params(**SHORT, fairness={"candidates": 0})
    own = scored(loans, asked)
    assert search(asked, specs(), loans, own, [sides(loans)]) == {"candidates": 0, "alternative": None}
    asked = params(**SHORT, fairness={"candidates": 2, "people_min": 10_000})
    assert search(asked, specs(), loans, own, [sides(loans)])["candidates"] == 0


def test_ages_must_rise() -> None:
    with pytest.raises(ValueError, match="ages must rise"):
        params(fairness={"age_cuts_years": [50, 25]})


def test_nobody_who_agreed_is_an_error_and_a_run_of_some_writes_what_it_found(tmp_path: Path, loans: Sample) -> None:
    write_world(tmp_path, loans)
    asked, ws = params(workspace=tmp_path, **SHORT, **EXPORT, fairness={"candidates": 2}), Workspace(tmp_path)
    train.write(asked, ws, specs(), loans, train.learn(asked, specs(), loans))
    declare(tmp_path, loans, agreed=loans.person < 0)
    with pytest.raises(ConsentError, match="none is of a person who agreed to `research`"):
        fairness.run(asked, ws)
    assert not (tmp_path / "fairness").exists()
    declare(tmp_path, loans, agreed=loans.person >= 0)
    summary = fairness.run(asked, ws)
    found = read_json(tmp_path / "fairness/fairness.json")
    by_gender = found["sides"][0]["attributes"][1]
    assert [group["group"] for group in by_gender["groups"]] == ["female", "male"]
    assert summary.facts["less discriminatory alternative"] == fairness.ended(found)
    assert found["search"]["candidates"] == 2
    own = read_scores(ws, loans)
    assert own.sides["out_of_fold"].sum() == by_gender_loans(found, "out_of_fold")
    (tmp_path / "train/scores.parquet").write_bytes(b"other")
    with pytest.raises(ContractError, match=r"is not the one train\.json tells of"):
        read_scores(ws, loans)


def by_gender_loans(found: dict, side: str) -> int:
    return sum(g["loans"] for name, _, g in fairness.every_group(found, side) if name == "gender")


def test_a_policy_that_lends_nothing_for_research_stops_it(tmp_path: Path, loans: Sample) -> None:
    write_world(tmp_path, loans)
    with pytest.raises(ConfigError, match="under which no life event may be measured"):
        groupings(params(workspace=tmp_path, proxies={"policy": "us-ecoa"}), Workspace(tmp_path), loans.application)

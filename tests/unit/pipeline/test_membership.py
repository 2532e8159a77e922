"""The membership audit with the pipeline's own training: what a shadow learns from, what is told, and the verdict."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.tables import consents, people
from models.splits import Split
from pipeline import doubts, membership, train
from pipeline.bundle import Bundle
from pipeline.engines import write_table
from pipeline.membership.audit import audit
from pipeline.membership.shadow import seen, taken
from pipeline.sample import Sample
from pipeline.workspace import Workspace, digest, read_json, write_json, write_text
from saakh.errors import LeakageError
from tests.ascii import rows
from tests.minimal_world import params, specs, world, write_world

SMALL = {"membership": {"shadows": 6}, "train": {"folds": 2, "rounds_max": 10, "learning_rate": 0.3, "gap_days": 0}}


@pytest.fixture(scope="module")
def loans() -> Sample:
    return world(700)


def half(sample: Sample) -> np.ndarray:
    who = np.unique(sample.person, return_inverse=True)[1]
    return (np.random.default_rng(1).permutation(who.max() + 1) % 2 == 0)[who]


def test_a_shadow_is_the_model_that_train_learns_from_its_people(loans: Sample) -> None:
    # The second half of the people is put later by hand: then `train` learns from the first, and scores both.
    mine = half(loans)
    ours, theirs = np.flatnonzero(mine), np.flatnonzero(~mine)
    later = taken(loans, np.r_[ours, theirs])
    applied = later.applied.copy()
    applied[len(ours) :] = np.datetime64("2031-01-01", "us")
    asked = params(**SMALL)
    split = {"out_of_time_share": len(theirs) / len(loans.bad)}
    direct = train.learn(
        asked.model_copy(update={"train": asked.train.model_copy(update=split)}),
        specs(),
        replace(later, applied=applied),
    )
    assert seen(asked, specs(), loans, mine)[theirs].tolist() == direct.log_odds[len(ours) :].tolist()


def test_a_shadow_knows_nothing_of_the_others_outcomes(loans: Sample) -> None:
    mine = half(loans)
    turned = replace(loans, bad=np.where(mine, loans.bad, ~loans.bad))
    first, second = (seen(params(**SMALL), specs(), some, mine) for some in (loans, turned))
    assert first.tobytes() == second.tobytes()
    assert not np.isnan(first).any()


@dataclass(frozen=True)
class Told:
    split: Split
    log_odds: np.ndarray


def test_a_fit_that_moves_the_split_is_stopped(loans: Sample) -> None:
    def moved(asked, specs_, sample):
        learned = train.learn(asked, specs_, sample)
        return Told(replace(learned.split, development=~learned.split.development), learned.log_odds)

    with pytest.raises(LeakageError, match="learned from other loans than it was to"):
        seen(params(**SMALL), specs(), loans, half(loans), moved)


def test_whatever_a_sample_knows_of_each_loan_is_taken_along(loans: Sample) -> None:
    some = taken(loans, np.array([5, 5, 2]))
    assert some.application.to_pylist() == [loans.application[i].as_py() for i in (5, 5, 2)]
    assert some.person.tolist() == loans.person[[5, 5, 2]].tolist()
    assert some.x.tobytes() == loans.x[[5, 5, 2]].tobytes()


def remembering(strength: float):
    """A fit that is surer of the loans it learned from."""

    def fit(asked, specs_, sample):
        split = train.split_by_time(asked, sample)
        mine = np.isin(sample.application.to_numpy(zero_copy_only=False), _keys(sample, split.development))
        noise = np.random.default_rng(len(mine) + int(mine.sum())).normal(size=len(mine))
        return Told(split, 0.3 * noise + strength * mine * np.where(sample.bad, 1, -1))

    return fit


def _keys(sample: Sample, rows_: np.ndarray) -> np.ndarray:
    return sample.application.filter(pa.array(rows_)).to_numpy(zero_copy_only=False)


def test_what_remembers_is_missed_and_what_does_not_is_told_at_one_half(loans: Sample) -> None:
    found = {s: audit(params(**SMALL), specs(), loans, {}, fit=remembering(s)) for s in (0.0, 0.5)}
    areas = {s: {row["who"]: row["auc"] for row in f["told"]} for s, f in found.items()}
    assert areas[0.0]["everybody"]["value"] == pytest.approx(0.5, abs=0.03)
    assert areas[0.5]["everybody"]["low"] > 0.8
    assert doubts.membership_verdict(found[0.5]) == "missed"
    assert found[0.0]["loans_a_shadow"] == 350


def test_a_shadows_share_of_every_group_is_told_and_small_groups_are_not(loans: Sample) -> None:
    groups = {"side left": loans.x[:, 0] > 0, "side right": np.arange(700) < 5}
    found = audit(params(**SMALL), specs(), loans, groups)
    assert [row["who"] for row in found["told"]] == ["everybody", "defaulters", "never bad", "side left"]
    assert found["withheld"] == ["side right"]
    sizes = {row["who"]: row["people"] for row in found["told"]}
    assert sizes["defaulters"] + sizes["never bad"] == sizes["everybody"]


def row(who: str, auc: float, high: float, tpr: float, tpr_high: float | None) -> dict:
    estimates = {"auc": (auc, high), "tpr": (tpr, tpr_high)}
    return {"who": who, "people": 8_000} | {
        name: {"value": value, "low": None, "high": above, "attack": "online", "by_attack": {}}
        for name, (value, above) in estimates.items()
    }


FOUND = {
    "shadows": 64,
    "people": 8_000,
    "loans_a_shadow": 5_000,
    "told": [row("everybody", 0.506, 0.515, 0.001, 0.0019), row("defaulters", 0.55, 0.59, 0.002, 0.004)],
}


def test_verdicts_go_by_the_upper_ends() -> None:
    assert doubts.membership_verdict(FOUND) == "met"
    assert doubts.membership_verdict(FOUND | {"shadows": 62}) == "met at reduced size"
    wide = row("defaulters", 0.55, 0.61, 0.002, 0.004)
    assert doubts.membership_verdict(FOUND | {"told": [FOUND["told"][0], wide]}) == "missed"
    assert doubts.membership_reasons(FOUND | {"told": [FOUND["told"][0], wide]}) == [
        "the attack on defaulters may reach AUC 0.610 (found: AUC 0.550; at most: AUC 0.600)"
    ]
    assert doubts.membership_reasons(FOUND | {"told": FOUND["told"][:1]}) == [
        "the attack on defaulters could not be measured: too few people"
    ]


def test_no_one_named_of_few_does_not_prove_that_no_one_will_be() -> None:
    none_named = row("everybody", 0.506, 0.515, 0.0, None)
    assert doubts.upper(none_named["tpr"], 8_000) == pytest.approx(3 / 8_000)
    assert doubts.membership_verdict(FOUND | {"told": [none_named, FOUND["told"][1]]}) == "met"
    assert doubts.membership_verdict(FOUND | {"told": [none_named | {"people": 1_000}, FOUND["told"][1]]}) == "missed"


def test_the_scorecard_tells_the_verdict_of_its_own_model_alone(tmp_path: Path) -> None:
    ws = Workspace(tmp_path)
    write_text(ws.stage("train") / "model.txt", "tree")
    assert doubts.membership(ws) == {"verdict": "not run"}
    of = {"model_sha256": digest(ws.root / "train/model.txt"), "verdict": "met"}
    write_json(ws.stage("membership") / "membership.json", FOUND | of)
    told = doubts.membership(ws)
    assert (told["verdict"], told["shadows"]) == ("met", 64)
    assert told["told"]["defaulters"]["auc"] == {"value": 0.55, "low": None, "high": 0.59}
    write_text(ws.stage("train") / "model.txt", "another tree")
    assert doubts.membership(ws) == {"verdict": "not run"}


def test_a_run_writes_its_verdict_and_the_bundle_tells_it(tmp_path: Path, loans: Sample) -> None:
    write_world(tmp_path, loans)
    asked, ws = params(workspace=tmp_path, **SMALL), Workspace(tmp_path)
    train.write(asked, ws, specs(), loans, train.learn(asked, specs(), loans))
    woman = dict(zip(loans.person.tolist(), (loans.x[:, 9] > 0).tolist(), strict=True))
    said = [f"| {p:032x} | 2025-01-01 | 2025-01-01 | 40 | {'fe' * w}male |\n" for p, w in woman.items()]
    agreed = [f"| c{p} | {p:032x} | profile | research | 2025-01-01 | - | explicit |\n" for p in woman]
    header = "| artefact_id | person_id | category | purpose | starts_at | revoked_at | basis |\n"
    write_table(tmp_path / "ingest/consents.parquet", rows(consents, header + "".join(agreed)))
    declaring = "| person_id | event_at | available_at | age_years | gender |\n"
    write_table(tmp_path / "ingest/people.parquet", rows(people, declaring + "".join(said)))
    summary = membership.run(asked, ws)
    found = read_json(tmp_path / "membership/membership.json")
    named = [row["who"] for row in found["told"]]
    assert named == ["everybody", "defaulters", "never bad", "age_years 35 to 49", "gender female", "gender male"]
    assert summary.facts["verdict"] == found["verdict"]
    assert found["full"] is False
    write_json(ws.stage("evaluate") / "metrics.json", {"model_sha256": found["model_sha256"]})
    assert Bundle.from_workspace(ws, asked).metrics["membership"]["verdict"] == found["verdict"]

"""A scorecard in use: sums that are exact, reasons, batches, and files that were changed."""

import dataclasses
import hashlib
import json
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import log

import numpy as np
import pytest

import saakh
from pipeline.export import build
from saakh import archive
from saakh.grid import rounded
from saakh.scorecard import Scorecard
from tests.small_scorecard import booster, bundle, packed, scorecard, table


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return scorecard()


def rows(count: int) -> list[dict]:
    return [dict(zip(scorecard().features, r, strict=True)) for r in np.clip(table(count), -8, 8).tolist()]


def resealed(name: str, body: bytes) -> dict[str, bytes]:
    """The members with one replaced and the manifest's digests put right: a forger's work."""
    members = archive.unpack(packed()) | {name: body}
    manifest = json.loads(members["manifest.json"])
    manifest["members"] = {
        n: {"sha256": hashlib.sha256(b).hexdigest(), "bytes": len(b)}
        for n, b in members.items()
        if n != "manifest.json"
    }
    return members | {"manifest.json": json.dumps(manifest).encode()}


def test_a_scorecard_is_loaded_from_its_file(tmp_path):
    path = tmp_path / "scorecard-0.1.0.saakh"
    path.write_bytes(packed())
    for given in (path, str(path)):
        card = saakh.load(given)
        assert (card.name, card.version, len(card.features)) == ("scorecard", "0.1.0", 8)


def test_points_are_the_baseline_plus_all_contributions_for_a_thousand_applicants(card):
    for row in rows(1_000):
        score = card.score(row)
        assert abs(score.baseline + sum(score.contributions.values()) - score.points) <= 1e-9


def test_points_probability_and_log_odds_agree(card):
    for row in rows(50):
        score = card.score(row)
        assert score.points == pytest.approx(487.1228762045055 - 20 / log(2) * score.log_odds, abs=1e-9)
        assert log(score.pd / (1 - score.pd)) == pytest.approx(score.log_odds, abs=1e-9)


def test_six_hundred_points_are_fifty_to_one():
    text = booster(table(100), rounds=1, min_data_in_leaf=90).model_to_string()
    text = re.sub("^leaf_value=.*$", f"leaf_value={-log(50)!r}", text, flags=re.MULTILINE)
    score = Scorecard.from_members(archive.unpack(build(bundle(text, 8)))).score({})
    assert score.points == pytest.approx(600, abs=1e-9)
    assert score.pd == pytest.approx(1 / 51, abs=1e-12)
    assert score.reasons == ()


@pytest.mark.parametrize(("beside", "band"), [(-1e-9, "A"), (1e-9, "B")])
def test_a_billionth_beside_six_hundred_points_the_band_is_another(beside, band):
    """On the grid, a leaf of -ln 50 itself is a trifle to one side."""
    text = booster(table(100), rounds=1, min_data_in_leaf=90).model_to_string()
    text = re.sub("^leaf_value=.*$", f"leaf_value={beside - log(50)!r}", text, flags=re.MULTILINE)
    assert Scorecard.from_members(archive.unpack(build(bundle(text, 8)))).score({}).band == band


def test_many_together_score_as_each_alone(card):
    many, explained = card.score_many(rows(200)), card.explain_many(rows(200))
    for i, row in enumerate(rows(200)):
        one = card.score(row)
        assert (many.points[i], many.pd[i]) == pytest.approx((one.points, one.pd), abs=1e-12)
        assert (many.band[i], many.missing[i], many.problems[i]) == (one.band, one.missing, len(one.problems))
        assert explained[i] == pytest.approx(list(one.contributions.values()), abs=1e-12)


def test_an_array_scores_as_its_rows(card):
    x = np.clip(table(150), -8, 8)
    assert (card.score_many(x).points == card.score_many(rows(150)).points).all()
    assert (card.explain_many(x) == card.explain_many(rows(150))).all()


def test_no_rows_give_no_scores(card):
    assert len(card.score_many([]).points) == 0
    assert card.explain_many([]).shape == (0, 8)


def test_nothing_known_is_no_error_and_is_counted(card):
    score = card.score({})
    assert score.missing == 8
    assert score.problems == {}
    assert set(score.contributions) == set(card.features)


def test_a_problem_is_scored_as_missing_and_reported_apart(card):
    first, second = card.features[:2]
    plain, odd = card.score({second: 1.0}), card.score({first: "12", second: 1.0})
    assert (odd.points, odd.missing, odd.problems) == (plain.points, 6, {first: "not_a_number"})


def test_reasons_lower_the_score_and_are_never_repeated(card):
    for row in rows(300):
        score = card.score(row)
        codes = [r.code for r in score.reasons]
        assert len(set(codes)) == len(codes) <= 4
        assert all(r.points < 0 for r in score.reasons)
        assert [r.points for r in score.reasons] == sorted(r.points for r in score.reasons)
        for reason in score.reasons:
            assert reason.features
            assert all(score.contributions[f] < 0 for f in reason.features)


def test_explain_lists_what_lowered_the_score_first(card):
    row = rows(1)[0]
    found, score = card.explain(row), card.score(row)
    assert [c.points for c in found] == sorted(c.points for c in found)
    assert {c.feature: c.points for c in found} == score.contributions
    assert {c.feature: c.value for c in found if c.value is not None} == {
        k: v for k, v in row.items() if not np.isnan(v)
    }


def test_a_score_turns_into_json(card):
    assert json.loads(json.dumps(dataclasses.asdict(card.score({}))))["missing"] == 8
    assert pickle.loads(pickle.dumps(card.score({}))) == card.score({})


def test_threads_may_share_a_scorecard(card):
    given = rows(400)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(card.score, given)) == [card.score(row) for row in given]


def test_a_scorecard_reproduces_its_golden_vectors(card):
    verified = card.verify()
    assert verified.vectors >= 200
    assert verified.largest_difference <= 1e-9


@pytest.mark.parametrize(
    "field, value",
    [
        ("points", 1.0),
        ("pd", 0.5),
        ("log_odds", 0.0),
        ("contributions", 77.0),
        ("band", "Z"),
        ("reasons", ["x"]),
        ("missing", 99),
    ],
)
def test_a_golden_vector_that_is_not_reproduced_is_named(field, value):
    golden = json.loads(archive.unpack(packed())["golden.json"])
    golden["vectors"][7][field] = value
    card = Scorecard.from_members(resealed("golden.json", json.dumps(golden).encode()))
    with pytest.raises(saakh.ArtifactError, match=rf"vectors\[7\] is not reproduced: '{field}'"):
        card.verify()


@pytest.mark.parametrize("golden", [b"", b"{}", b"[" * 99_999, b'{"features": [], "vectors": []}'])
def test_golden_vectors_that_cannot_be_read_are_refused(golden):
    with pytest.raises(saakh.ArtifactError):
        Scorecard.from_members(resealed("golden.json", golden)).verify()


def test_a_member_that_is_not_the_one_listed_is_refused():
    members = archive.unpack(packed()) | {"model.txt": b"tree"}
    with pytest.raises(saakh.ArtifactError, match=r"model\.txt"):
        Scorecard.from_members(members)


def test_swapped_members_are_refused():
    members = archive.unpack(packed())
    left, right = "trees/left.i4", "trees/right.i4"
    with pytest.raises(saakh.ArtifactError, match="digest"):
        Scorecard.from_members(members | {left: members[right], right: members[left]})


@pytest.mark.parametrize("name", ["golden.json", "manifest.json", "trees/value.f8", "model.txt"])
def test_a_member_left_out_is_refused(name):
    members = archive.unpack(packed())
    del members[name]
    with pytest.raises(saakh.ArtifactError):
        Scorecard.from_members(members)


def test_a_member_too_many_is_refused():
    with pytest.raises(saakh.ArtifactError, match="members"):
        Scorecard.from_members(archive.unpack(packed()) | {"more.json": b"{}"})


def test_other_trees_under_the_same_baseline_are_refused():
    value = rounded(np.frombuffer(archive.unpack(packed())["trees/value.f8"], "<f8") * 1.01)
    with pytest.raises(saakh.ArtifactError, match="baseline"):
        Scorecard.from_members(resealed("trees/value.f8", value.tobytes()))


def test_an_array_of_another_length_is_refused():
    with pytest.raises(saakh.ArtifactError, match="array"):
        Scorecard.from_members(resealed("trees/value.f8", b"1234"))


def test_a_damaged_file_is_named_in_the_message(tmp_path):
    path = tmp_path / "scorecard-0.1.0.saakh"
    path.write_bytes(packed()[:-3])
    with pytest.raises(saakh.ArtifactError, match=r"scorecard-0\.1\.0\.saakh"):
        saakh.load(path)


def test_scoring_loads_numpy_and_nothing_heavier(tmp_path):
    path = tmp_path / "scorecard.saakh"
    path.write_bytes(packed())
    program = (
        "import sys, saakh\n"
        "card = saakh.load(sys.argv[1])\n"
        "card.score({card.features[0]: 1.0}), card.explain({}), card.verify()\n"
        "heavy = {'pandas', 'lightgbm', 'sklearn', 'ibis', 'pyarrow', 'scipy', 'pipeline', 'models', 'features'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    said = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"

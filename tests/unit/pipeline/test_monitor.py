"""Monitoring a batch: silent when nothing changed, and each kind of change found, named and graded."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.engines import read_table, write_table
from pipeline.monitor import compare
from pipeline.monitor.book import NEVER, Book, bucket
from pipeline.monitor.drift import csi_points
from pipeline.monitor.performance import Ratio, between
from pipeline.monitor.portfolio import BUCKETS
from pipeline.monitor.sides import Sides, read_sides
from pipeline.params import Params
from pipeline.workspace import Workspace
from saakh import load
from saakh.errors import ConsentError, ContractError, EmptyInputError
from tests.monitored_runs import BEGINS, params_of, write_reference, write_side

MONTH, HALF_YEAR = timedelta(days=30), timedelta(days=180)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Params:
    return write_reference(tmp_path_factory.mktemp("reference"))


def sides_of(params: Params, folder: Path, after: timedelta = MONTH, rows: int = 900, **changed) -> Sides:
    batch = Workspace(folder)
    days = changed.pop("days", after.days)
    write_side(batch, rows, changed.pop("seed", 5), BEGINS, days, BEGINS + after, **changed)
    ws = Workspace(params.workspace)
    card = load(ws.root / "export" / "scorecard-0.1.0.saakh")
    return read_sides(params, ws, batch, card, BEGINS + after)


def report_of(params: Params, folder: Path, after: timedelta = MONTH, **changed) -> dict:
    card = load(params.workspace / "export" / "scorecard-0.1.0.saakh")
    return compare(params, sides_of(params, folder, after, **changed), card)


def test_a_batch_like_the_reference_is_calm(reference: Params, tmp_path: Path):
    found = report_of(reference, tmp_path)
    assert (found["severity"], found["alarms"]) == ("calm", [])
    assert found["score"]["psi"] < found["score"]["limit"]
    assert found["rows"] == {"reference": 2_000, "batch": 900, "fresh": 900, "trained_on": 0}


def test_an_input_that_moves_is_named_in_points_and_moves_the_score(reference: Params, tmp_path: Path):
    found = report_of(reference, tmp_path, moved=1.0)
    assert {"score", "inputs"} <= {alarm["area"] for alarm in found["alarms"]}
    first = found["inputs"]["features"][0]
    assert first["name"] == "input_0_30d"
    total = found["inputs"]["csi_points_total"]
    assert first["csi_points"] == pytest.approx(total, abs=1.5)
    assert total == pytest.approx(found["score"]["mean_points"]["change"], abs=1.5)


def test_points_of_an_input_are_the_changes_of_shares_times_the_points_of_the_bands():
    # bands of 2, 4 and −6 points; shares from 50, 30, 20 % to 30, 30, 40 %: −0.2 · 2 + 0.2 · −6
    before, after = np.repeat([0, 1, 2], [50, 30, 20]), np.repeat([0, 1, 2], [30, 30, 40])
    points = np.array([2.0, 4.0, -6.0])
    assert csi_points(before, after, points[before], points[after]) == pytest.approx(-1.6)


def test_an_input_that_is_lost_is_missing_and_a_source_that_closes_is_not_covered(reference: Params, tmp_path: Path):
    found = report_of(reference, tmp_path, lost=0.4)
    missing = [alarm for alarm in found["alarms"] if alarm["area"] == "missing"]
    assert [(alarm["name"], alarm["severity"]) for alarm in missing] == [("input_1_30d", "act")]
    coverage = read_table(tmp_path / "derive" / "coverage.parquet")
    shut = (coverage["source"].to_numpy(zero_copy_only=False) == "calls") & (np.arange(len(coverage)) % 2 == 0)
    status = pa.array(np.where(shut, "closed", "present"))
    write_table(tmp_path / "derive" / "coverage.parquet", coverage.set_column(2, "status", status))
    ws = Workspace(reference.workspace)
    card = load(ws.root / "export" / "scorecard-0.1.0.saakh")
    again = compare(reference, read_sides(reference, ws, Workspace(tmp_path), card, BEGINS + MONTH), card)
    assert [alarm["name"] for alarm in again["alarms"] if alarm["area"] == "coverage"] == ["calls"]


def test_more_risk_shows_in_first_instalments_before_labels_and_in_both_after(reference: Params, tmp_path: Path):
    soon = report_of(reference, tmp_path / "soon", timedelta(days=60), rows=2_400, odds=4.0)
    assert {alarm["area"] for alarm in soon["alarms"]} == {"early"}
    assert soon["severity"] == "act"
    assert soon["calibration"] is None
    late = report_of(reference, tmp_path / "late", HALF_YEAR, rows=3_000, odds=2.5)
    assert {"early", "calibration"} <= {alarm["area"] for alarm in late["alarms"]}
    ratios = [m["observed_expected"]["value"] for m in late["calibration"]["by_vintage"] if m["side"] == "batch"]
    assert min(ratios[:3]) > 1.3
    book = late["portfolio"]
    assert book["loss"]["ratio"] > 1.2
    assert sum(row["loans"] for row in book["buckets"] if row["loans"]) <= book["outstanding"]["loans"]


def test_less_risk_is_to_be_watched_and_no_reason_to_act(reference: Params, tmp_path: Path):
    found = report_of(reference, tmp_path, HALF_YEAR, rows=3_000, odds=0.4)
    assert {(alarm["area"], alarm["severity"]) for alarm in found["alarms"]} == {("calibration", "watch")}


def test_a_score_that_no_longer_ranks_is_found(reference: Params, tmp_path: Path):
    sides = sides_of(reference, tmp_path, HALF_YEAR, rows=3_000)
    labels = read_table(tmp_path / "label" / "labels.parquet")
    mixed = np.random.default_rng(3).permutation(labels["label"].to_numpy(zero_copy_only=False))
    write_table(tmp_path / "label" / "labels.parquet", labels.set_column(1, "label", pa.array(mixed)))
    ws = Workspace(reference.workspace)
    card = load(ws.root / "export" / "scorecard-0.1.0.saakh")
    found = compare(
        reference,
        read_sides(
            reference, ws, Workspace(tmp_path), card, sides.batch.applied.max().item().replace(tzinfo=BEGINS.tzinfo)
        ),
        card,
    )
    assert ("ranking", "act") in {(alarm["area"], alarm["severity"]) for alarm in found["alarms"]}


def test_applications_the_model_was_trained_on_are_left_out(reference: Params, tmp_path: Path):
    write_side(Workspace(tmp_path), 900, 1, BEGINS, 30, BEGINS + MONTH)  # the seed of the reference: the same keys
    ws = Workspace(reference.workspace)
    card = load(ws.root / "export" / "scorecard-0.1.0.saakh")
    sides = read_sides(reference, ws, Workspace(tmp_path), card, BEGINS + MONTH)
    assert sides.trained_on == 5
    assert (len(sides.batch), len(sides.fresh)) == (895, 0)


def test_groups_are_compared_and_small_counts_are_told_nowhere(reference: Params, tmp_path: Path):
    found = report_of(reference, tmp_path, rows=60)
    assert [row["group"] for row in found["fairness"]["groups"]] == ["female", "male"]
    seen: list[int] = []

    def look(content: object, name: str = "") -> None:
        if isinstance(content, dict):
            for key, value in content.items():
                look(value, key)
        elif isinstance(content, list):
            for value in content:
                look(value, name)
        elif isinstance(content, int) and not isinstance(content, bool) and name in {"reference", "batch", "loans"}:
            seen.append(content)

    look({name: part for name, part in found.items() if name not in {"settings", "rows"}})
    assert seen
    assert not [count for count in seen if 0 < count < 10]


def test_decisions_are_held_against_what_was_done(reference: Params, tmp_path: Path):
    found = report_of(reference, tmp_path, decided=True)
    assert [row["decided"] for row in found["overrides"]["outcomes"]] == ["decline", "offer"]
    assert found["overrides"]["low_side_share"] == 1.0
    assert found["overrides"]["high_side_share"] == 0.0


def test_what_cannot_be_compared_is_refused(reference: Params, tmp_path: Path):
    with pytest.raises(ConsentError, match="drawn for the purpose research"):
        sides_of(reference, tmp_path / "other", purpose="research")
    write_side(Workspace(tmp_path / "less"), 50, 5, BEGINS, 30, BEGINS + MONTH)
    path = tmp_path / "less" / "derive" / "features.parquet"
    write_table(path, read_table(path).drop_columns(["input_3_30d"]))
    ws = Workspace(reference.workspace)
    card = load(ws.root / "export" / "scorecard-0.1.0.saakh")
    with pytest.raises(ContractError, match="derive wrote no input_3_30d"):
        read_sides(reference, ws, Workspace(tmp_path / "less"), card, BEGINS + MONTH)
    write_side(Workspace(tmp_path / "early"), 50, 5, BEGINS + MONTH, 30, BEGINS + MONTH)
    with pytest.raises(EmptyInputError, match="nothing to compare"):
        read_sides(reference, ws, Workspace(tmp_path / "early"), card, BEGINS)


def test_the_same_batch_in_another_order_gives_the_same_report(reference: Params, tmp_path: Path):
    first = report_of(reference, tmp_path, HALF_YEAR, rows=800)
    for stage, file in (("cohort", "cohort"), ("derive", "features"), ("label", "labels"), ("ingest", "repayments")):
        path = tmp_path / stage / f"{file}.parquet"
        table = read_table(path)
        write_table(path, table.take(pa.array(np.arange(len(table))[::-1])))
    ws = Workspace(reference.workspace)
    card = load(ws.root / "export" / "scorecard-0.1.0.saakh")
    again = compare(reference, read_sides(reference, ws, Workspace(tmp_path), card, BEGINS + HALF_YEAR), card)
    assert json.dumps(again) == json.dumps(first)


def test_a_cut_off_that_is_named_is_used(reference: Params, tmp_path: Path):
    params = params_of(reference.workspace, cutoff_points=520.0)
    assert report_of(params, tmp_path)["approval"]["by"] == "520 points"


def test_days_past_due_count_from_the_oldest_unpaid_instalment():
    day = 86_400
    loan, number = np.array([0, 0, 1]), np.array([1, 2, 1])
    due_at, paid_at = np.array([10, 40, 60]) * day, np.array([50 * day, NEVER, NEVER])
    book = Book(
        100 * day,
        np.array([0, 0]),
        np.array([100, 100]),
        loan,
        number,
        due_at,
        np.full(3, 60),
        paid_at,
        np.array([60, 0, 20]),
    )
    assert book.days_past_due(45 * day).tolist() == [35, 0]
    assert book.days_past_due(100 * day).tolist() == [60, 40]
    assert [BUCKETS[i] for i in bucket(book.days_past_due(100 * day))] == ["60 to 89", "30 to 59"]
    assert (book.first_past_due(30) // day).tolist() == [40, 90]
    assert book.outstanding().tolist() == [60, 40]
    asked, missed = book.first_instalment(15)
    assert (asked.tolist(), missed.tolist()) == ([True, True], [True, True])


def test_months_scatter_by_more_than_chance_where_they_do():
    alike = [Ratio(1_000, 100, 100.0, 90.0) for _ in range(6)]
    assert between(alike, 0.05) == 0.05
    apart = [Ratio(5_000, observed, 500.0, 450.0) for observed in (300, 800, 350, 700, 400, 620)]
    assert 0.3 < between(apart, 0.05) < 0.5
    many, few = Ratio(1_000, 150, 100.0, 90.0).chances(0.0)
    assert many == pytest.approx(2.3e-6, rel=0.5)  # a Poisson number of mean 100 reaching 150
    assert few > 0.99
    assert Ratio(1_000, 150, 100.0, 90.0).chances(0.2)[0] > 0.01

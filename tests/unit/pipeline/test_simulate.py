from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.tables import BY_NAME
from pipeline import simulate
from pipeline.params import Params, Simulate
from pipeline.workspace import Workspace, digest
from pipeline.world.clock import DAY, Span, day_of_month, weekday
from pipeline.world.drops import table
from pipeline.world.knobs import BASE, WORLDS, world
from pipeline.world.part import Drawn, Part, drawn, drops, oracle
from saakh.errors import ConfigError

SPAN = Span.of(datetime(2026, 6, 1, tzinfo=UTC), 480, 150)


@lru_cache(maxsize=8)
def folk(first: int, last: int, seed: int = 1) -> Drawn:
    return drawn(Part(0, first, last, seed, BASE, SPAN))


@lru_cache(maxsize=2)
def tables(last: int) -> dict[str, pa.Table]:
    return {name: table(drop) for name, drop in drops(folk(1, last))}


def params(tmp_path: Path, people: int, threads: int = 1, **more: object) -> Params:
    asked = {
        "out": tmp_path / "raw",
        "oracle": tmp_path / "oracle",
        "people": people,
        "span_days": 60,
        "history_days": 20,
    }
    return Params(
        policy="explicit-consent",
        as_of=datetime(2026, 6, 1, tzinfo=UTC),
        threads=threads,
        simulate=Simulate.model_validate(asked | more),
    )


def digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_one_worker_and_two_write_the_same_bytes(tmp_path: Path) -> None:
    for threads in (1, 2):
        simulate.run(params(tmp_path / str(threads), 1_001, threads), Workspace(tmp_path))
    one, two = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert one == two
    assert {"raw/calls/part-00000.parquet", "raw/calls/part-00002.parquet", "oracle/raw/oracle.parquet"} <= set(one)


def test_every_table_has_its_raw_files(tmp_path: Path) -> None:
    summary = simulate.run(params(tmp_path, 30), Workspace(tmp_path))
    there = {path.name.split(".")[0] for path in (tmp_path / "raw").iterdir()}
    assert there == set(BY_NAME) - {"contact_names"} | {"key"}
    assert summary.counts["calls"] == pq.read_table(tmp_path / "raw" / "calls").num_rows


def test_the_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    simulate.run(params(tmp_path, 5), Workspace(tmp_path))
    key = tmp_path / "raw" / "key.txt"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key.read_text().strip())) == 32


def test_the_truth_is_not_among_the_drops(tmp_path: Path) -> None:
    simulate.run(params(tmp_path, 5), Workspace(tmp_path))
    assert not [name for name in digests(tmp_path / "raw") if "oracle" in name]
    for path in (tmp_path / "raw").rglob("*.parquet"):
        assert not {c for c in pq.read_schema(path).names if c.startswith(("true_", "trait_"))}


def test_a_failing_run_leaves_the_drops_of_the_last_one(tmp_path: Path) -> None:
    simulate.run(params(tmp_path, 5), Workspace(tmp_path))
    before = digests(tmp_path / "raw")
    with pytest.raises(RuntimeError), simulate.replacing(tmp_path / "raw") as folder:
        (folder / "half.csv").write_text("half")
        raise RuntimeError
    assert digests(tmp_path / "raw") == before
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "oracle"}


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match=r"simulate did not write; set simulate\.out to a new folder"):
        simulate.run(params(tmp_path, 5), Workspace(tmp_path))
    assert (tmp_path / "raw" / "thesis.txt").read_text() == "years of work"


def test_an_unknown_world_is_told_what_worlds_there_are() -> None:
    with pytest.raises(ConfigError, match="no world 'atlantis'; there are: base, thin, drift"):
        world("atlantis")
    assert len(WORLDS) >= 9


def test_another_seed_is_another_population() -> None:
    one, two = folk(1, 50, seed=1), folk(1, 50, seed=2)
    assert not np.array_equal(one.loans.pd, two.loans.pd)
    assert abs(np.corrcoef(one.people.trait["income"], two.people.trait["income"])[0, 1]) < 0.4


def test_outcomes_follow_the_true_probability() -> None:
    lent = folk(1, 12_000).loans
    for low, high in ((0.0, 0.02), (0.02, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.5)):
        band = (lent.pd >= low) & (lent.pd < high)
        error = np.sqrt((lent.pd[band] * (1 - lent.pd[band])).sum()) / band.sum()
        assert abs(lent.is_bad[band].mean() - lent.pd[band].mean()) < 4 * error


def test_bad_rate_and_the_best_possible_ranking_are_as_asked() -> None:
    lent = folk(1, 12_000).loans
    order = np.argsort(lent.pd)
    bad, good = lent.pd[order], 1 - lent.pd[order]
    area = (bad * (np.cumsum(good) - good / 2)).sum() / (bad.sum() * good.sum())
    assert 0.06 < lent.pd.mean() < 0.10
    assert 0.78 < area < 0.84


def test_books_show_thirty_days_past_due_within_ninety_exactly_where_the_outcome_is_bad() -> None:
    told = folk(1, 3_000)
    lent, repaid = told.loans, told.repaid
    judged_at = lent.disbursed_at + 90 * DAY
    until = np.where(repaid.paid_at >= 0, repaid.paid_at, np.iinfo(np.int64).max)
    late = (np.minimum(until, judged_at[repaid.loan]) - repaid.due_at) >= 30 * DAY
    seen_bad = np.bincount(repaid.loan, weights=late, minlength=len(lent.who)) > 0
    mature = judged_at < SPAN.as_of
    assert mature.sum() > 1_000
    assert np.array_equal(seen_bad[mature], lent.is_bad[mature])


def test_some_people_apply_again_and_never_after_a_loan_gone_bad() -> None:
    lent = folk(1, 3_000).loans
    again = np.flatnonzero(lent.ordinal > 1)
    assert len(again) > 500
    assert not lent.is_bad[again - 1].any()
    assert (lent.applied_at[again] > lent.applied_at[again - 1]).all()


def test_nothing_arrives_before_it_happens_or_after_the_data_end() -> None:
    end = pa.scalar(datetime(2026, 6, 1, tzinfo=UTC), pa.timestamp("us", tz="UTC"))
    for name, content in tables(60).items():
        assert pc.all(pc.greater(content["received_at"], content["happened_at"])).as_py(), name
        assert pc.all(pc.less(content["received_at"], end)).as_py(), name


def test_events_precede_and_follow_an_application() -> None:
    lent = folk(1, 60).loans
    calls = tables(60)["calls"]
    persons = np.array([int(p[1:]) - 1 for p in calls["person"].to_pylist()])
    seconds = np.asarray(calls["happened_at"].cast(pa.int64())) // 1_000_000 + 19_800
    first = lent.applied_at[lent.ordinal == 1][persons]
    assert (seconds < first).sum() > 1_000
    assert (seconds > first).sum() > 300


def test_balances_add_up_payment_by_payment() -> None:
    paid = tables(60)["payments"].to_pylist()
    checked = 0
    for before, after in pairwise(paid):
        if before["person"] != after["person"]:
            continue
        signed = after["amount_rupees"] * (1 if after["direction"] == "in" else -1)
        expected = before["balance_rupees"] + (0.0 if after["status"] == "failed" else signed)
        checked += abs(after["balance_rupees"] - expected) < 0.011
    # what arrived after the data end is missing from the chain, and nothing else
    assert checked >= len(paid) - 60 - 20
    assert min(p["balance_rupees"] for p in paid) >= 0


def test_a_failed_payment_is_one_the_balance_did_not_cover() -> None:
    failed = [p for p in tables(60)["payments"].to_pylist() if p["status"] == "failed"]
    assert failed
    assert all(p["direction"] == "out" and p["amount_rupees"] > p["balance_rupees"] for p in failed)


def test_online_top_ups_leave_the_payment_account() -> None:
    content = tables(60)
    key = ("person", "happened_at", "amount_rupees")
    online = {tuple(t[k] for k in key) for t in content["topups"].to_pylist() if t["retailer"] is None}
    paid = {tuple(p[k] for k in key) for p in content["payments"].to_pylist() if p["payment_type"] == "recharge"}
    # the two sources arrive apart, so either may miss the last few
    assert len(online & paid) > 100
    assert len(online ^ paid) < 15


def test_categories_and_ranges_are_those_of_the_canonical_tables() -> None:
    for name, content in tables(60).items():
        for column in BY_NAME[name].columns:
            if column.name not in content.column_names:
                continue
            if column.values:
                assert set(pc.unique(content[column.name]).to_pylist()) <= set(column.values), (name, column.name)
            if column.high is not None:
                assert pc.max(content[column.name]).as_py() <= column.high, (name, column.name)


def test_no_column_holds_nan() -> None:
    for content in tables(60).values():
        for column in content.columns:
            if pa.types.is_floating(column.type):
                assert not pc.any(pc.is_nan(column)).as_py()


def test_the_oracle_has_one_row_an_application() -> None:
    truth = oracle(folk(1, 60))
    assert truth.num_rows == len(folk(1, 60).loans.who)
    assert len(set(truth["application"].to_pylist())) == truth.num_rows


@pytest.mark.parametrize(
    ("date", "day", "of_week"),
    [("2026-06-01", 1, 0), ("2024-02-29", 29, 3), ("2025-12-31", 31, 2), ("1970-01-01", 1, 3)],
)
def test_days_know_their_weekday_and_their_place_in_the_month(date: str, day: int, of_week: int) -> None:
    number = np.array([np.datetime64(date, "D").astype(np.int64)])
    assert day_of_month(number)[0] == day
    assert weekday(number)[0] == of_week

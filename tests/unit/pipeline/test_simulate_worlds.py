"""Each world has the property it is named for, and `base` has it not."""

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.world.clock import DAY, Span
from pipeline.world.drops import Drop, table
from pipeline.world.faults import spoiled
from pipeline.world.handsets import first_numbers
from pipeline.world.knobs import world
from pipeline.world.papers import applications, consents
from pipeline.world.part import Drawn, Part, drawn, drops
from pipeline.world.traits import CIRCLE

SPAN = Span.of(datetime(2026, 6, 1, tzinfo=UTC), 480, 120)


@lru_cache(maxsize=24)
def told(name: str, people: int = 2_400) -> Drawn:
    return drawn(Part(0, 1, people, 1, world(name), SPAN))


@lru_cache(maxsize=24)
def drop(name: str, of: str, people: int = 400) -> Drop:
    return next(found for which, found in drops(told(name, people)) if which == of)


@lru_cache(maxsize=24)
def rows(name: str, of: str, people: int = 400) -> pa.Table:
    return table(spoiled(drop(name, of, people), world(name).fault_share))


def days_before_first(name: str) -> float:
    story = told(name)
    first = story.loans.applied_at[story.loans.ordinal == 1] // DAY
    return float((first - story.days.start).max())


def test_thin_has_days_of_history_where_base_has_months() -> None:
    assert days_before_first("thin") <= 12
    assert days_before_first("base") >= 110


def mean_pd(name: str, early: bool) -> float:
    lent, since = told(name).loans, (SPAN.end_day - 180) * DAY
    return float(lent.pd[(lent.applied_at < since) == early].mean())


def calls_to_payments(name: str, early: bool) -> float:
    since = SPAN.end_day - 180
    counts = [((drop(name, of).events.day < since) == early).sum() for of in ("calls", "payments")]
    return float(counts[0] / counts[1])


def test_drift_raises_risk_from_its_date() -> None:
    assert mean_pd("drift", early=False) > 1.4 * mean_pd("drift", early=True)
    assert mean_pd("base", early=False) == pytest.approx(mean_pd("base", early=True), rel=0.15)


def test_drift_moves_behaviour_from_calls_to_payments() -> None:
    assert calls_to_payments("drift", early=False) < 0.6 * calls_to_payments("drift", early=True)
    assert calls_to_payments("base", early=False) == pytest.approx(calls_to_payments("base", early=True), rel=0.2)


def gap_of_groups(name: str, shown: bool) -> float:
    people = told(name, 12_000).people
    values = (people.shown if shown else people.trait)["embeddedness"]
    return float(values[~people.is_female].mean() - values[people.is_female].mean())


def test_biased_shows_a_group_as_worse_at_equal_risk() -> None:
    assert gap_of_groups("biased", shown=True) > 0.7
    assert abs(gap_of_groups("biased", shown=False)) < 0.06
    assert abs(gap_of_groups("base", shown=True)) < 0.06
    story = told("biased", 12_000)
    female = story.people.is_female[story.loans.who]
    assert story.loans.pd[female].mean() == pytest.approx(story.loans.pd[~female].mean(), rel=0.08)


def falsely_bad(name: str, female: bool) -> float:
    """The share of good loans that the books show thirty days past due within ninety days."""
    story = told(name, 12_000)
    lent, repaid = story.loans, story.repaid
    judged = lent.disbursed_at + 90 * DAY
    until = np.where(repaid.paid_at >= 0, repaid.paid_at, np.iinfo(np.int64).max)
    late = (np.minimum(until, judged[repaid.loan]) - repaid.due_at) >= 30 * DAY
    seen = np.bincount(repaid.loan, weights=late, minlength=len(lent.who)) > 0
    mature = (judged < SPAN.as_of) & ~lent.is_bad & (story.people.is_female[lent.who] == female)
    return float(seen[mature].mean())


def test_biased_labels_strike_one_group_only() -> None:
    assert 0.02 < falsely_bad("biased-labels", female=True) < 0.06
    assert falsely_bad("biased-labels", female=False) == 0
    assert falsely_bad("base", female=True) == 0
    assert falsely_bad("biased", female=True) == 0


def test_the_declined_have_no_repayments_and_an_outcome_in_the_oracle_only() -> None:
    story = told("rejects")
    declined = ~story.loans.is_accepted
    assert 0.25 < declined.mean() < 0.42
    assert not declined[story.repaid.loan].any()
    lines = applications(story.people, story.loans).splitlines()
    assert sum(",false,,," in line or ",false,," in line for line in lines) == declined.sum()
    assert story.loans.is_bad[declined].mean() > 0.02
    assert told("base").loans.is_accepted.all()


def test_the_declined_are_riskier_and_a_few_are_let_through_at_random() -> None:
    lent = told("rejects", 12_000).loans
    assert lent.pd[~lent.is_accepted].mean() > 1.15 * lent.pd[lent.is_accepted].mean()
    explored = lent.draws.chance("explored", world("rejects").explored_share)
    assert 0.02 < explored.mean() < 0.04
    assert lent.is_accepted[explored].all()


def devices_shared(name: str) -> int:
    """Handsets seen with two people or more."""
    pairs = (
        rows(name, "devices", 2_400)
        .select(["device", "person"])
        .group_by(["device"])
        .aggregate([("person", "count_distinct")])
    )
    return int(pc.sum(pc.greater_equal(pairs["person_count_distinct"], 2)).as_py() or 0)


def test_rings_share_handsets_and_default() -> None:
    story = told("ring")
    assert devices_shared("ring") == len(set(story.people.ring[story.people.ring >= 0])) > 0
    assert devices_shared("base") == 0
    in_ring = story.people.ring[story.loans.who] >= 0
    assert story.loans.pd[in_ring].mean() > 2 * story.loans.pd[~in_ring].mean()


def likeness_in_circles(name: str) -> float:
    """Correlation of the log-odds of a circle's first and second member."""
    lent = told(name, 12_000).loans
    odds = lent.log_odds[lent.ordinal == 1].reshape(-1, CIRCLE)
    return float(np.corrcoef(odds[:, 0], odds[:, 1])[0, 1])


def calls_to_members(name: str) -> float:
    """The share of calls with somebody of the population."""
    members = pa.array([f"+91{n}" for n in first_numbers(1, np.arange(1, 401))])
    return float(pc.mean(pc.is_in(rows(name, "calls")["contact"].cast(pa.string()), members)).as_py())


def test_network_ties_risk_to_the_people_one_calls() -> None:
    assert likeness_in_circles("network") > 0.15
    assert abs(likeness_in_circles("base")) < 0.1
    assert calls_to_members("network") > 0.1
    assert calls_to_members("base") == 0


def test_life_events_leave_their_traces() -> None:
    story = told("life-events", 12_000)
    kind, day = story.life.kind, story.life.day
    assert 0.25 < (kind > 0).mean() < 0.35
    assert not told("base").life.kind.any()
    divorced = np.flatnonzero((kind == 2) & (day + 45 < SPAN.end_day))
    after = story.days.span.period_of(day[divorced] + 45)
    before = story.days.span.period_of(day[divorced] - 45)
    strain = story.people.stress_shown[divorced, after] - story.people.stress_shown[divorced, before]
    assert strain.mean() > 0.8
    assert story.life.has_moved(divorced, day[divorced]).all()
    assert not story.life.has_moved(divorced, day[divorced] - 1).any()


def test_a_promotion_raises_the_salary() -> None:
    story = told("life-events", 400)
    paid = drop("life-events", "payments")
    is_salary = np.asarray(paid.columns["payment_type"].cast(pa.string()).to_pylist()) == "salary"
    who, day = paid.events.who[is_salary], paid.events.day[is_salary]
    amount = np.asarray(paid.columns["amount_rupees"])[is_salary]
    promoted = story.life.kind[who] == 1
    later = day >= story.life.day[who]
    level = amount / story.people.shown_income[who]
    assert level[promoted & later].mean() == pytest.approx(1.45, abs=0.1)
    assert level[promoted & ~later].mean() == pytest.approx(1.0, abs=0.08)


def test_messy_has_bad_clocks_doubles_late_files_wrong_units_and_missing_sources() -> None:
    clean, messy = rows("base", "payments"), rows("messy", "payments")
    year = pc.year(messy["happened_at"])
    assert pc.sum(pc.equal(year, 1970)).as_py() > 20
    assert pc.sum(pc.greater(year, 2030)).as_py() > 20
    keys = ["person", "happened_at", "counterparty", "amount_rupees"]
    assert messy.num_rows - messy.group_by(keys).aggregate([]).num_rows > 50
    assert clean.num_rows - clean.group_by(keys).aggregate([]).num_rows < 5
    assert len(pc.unique(messy["person"])) < len(pc.unique(clean["person"])) - 3
    assert pc.max(messy["amount_rupees"]).as_py() > 5 * pc.max(clean["amount_rupees"]).as_py()
    assert not set(pc.unique(pc.year(clean["happened_at"])).to_pylist()) - {2024, 2025, 2026}


def test_base_has_consents_of_every_kind() -> None:
    story = told("base")
    lines = consents(story.people, story.loans, world("base"), SPAN.as_of).splitlines()
    trained = {line[46:55] for line in lines if '"purpose": "train"' in line}
    assert 0.95 < len(trained) / story.people.size < 1.0
    revoked = sum('"revoked_at": null' not in line for line in lines) / len(lines)
    assert 0.01 < revoked < 0.04
    assert sum('"purpose": "monitor"' in line for line in lines) > 100
    researched = {line[46:55] for line in lines if '"purpose": "research"' in line}
    assert 0.45 < len(researched) / story.people.size < 0.55
    assert len(lines) < 26 * story.people.size

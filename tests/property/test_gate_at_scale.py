"""Consent is non-interference, ten thousand ledgers over: events that no consent opens change no byte of anything.

`make test` runs a part; SAAKH_FULL=1 all of it.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from features.catalogue import all_features
from features.joined import loan_events
from features.tables import BY_NAME, topups
from pipeline import asof, gate
from pipeline.derive import Derived, measure
from pipeline.engines import Embedded, Engine
from pipeline.question import Question
from tests.conftest import Claim
from tests.property.ledgers import MOVES, Crowd, Person, Rows, changed, crowd, event, is_hidden
from tests.property.small_line import lender, run, unseen_changed

IS_FULL = bool(os.environ.get("SAAKH_FULL"))
LEDGERS = 10_000 if IS_FULL else 400
LINES = 100 if IS_FULL else 2
PEOPLE = 200
"""Ledgers in one world: each person has one of their own, and rows of their own to be compared."""
STRETCHES = 10
FEW = tuple(f for f in all_features() if f.table in (topups, loan_events))
POLICIES = (("explicit-consent",), ("in-rbi-2025",), ("eu-ccd2", "in-dpdp"), ("research-opt-in",))


def some_features(stretch: int) -> tuple:
    """A tenth of all features, of every table and family; the same each time, so that an engine plans it once."""
    return all_features()[stretch % STRETCHES :: STRETCHES]


def derived(engine: Engine, rng: Random, world: Crowd, features: tuple, events: object) -> Derived:
    """The derive stage over a world with some choice of events."""
    tables = {name: engine.table(rows, name) for name, rows in world.tables(rng, events).items()}
    consents = tables.pop("consents")
    cohort = world.cohort.sort_by([("person_id", "ascending"), ("application_id", "ascending")])
    return measure(engine, cohort, Question(consents, tables, features, world.purpose, bounds=world.bounds))


def hidden(world: Crowd, who: Person, *row: object) -> bool:
    return is_hidden(who, *row, world.purpose, world.bounds)


def unseen(rng: Random, world: Crowd, who: Person) -> Rows:
    """The person's events, those that no consent opens deleted, altered, or joined by others."""
    return changed(rng, who, partial(hidden, world, who), lambda table: event(rng, table, who))


def seen(rng: Random, world: Crowd, who: Person) -> Rows:
    """The person's events, those that consent opens deleted, altered, or joined by others."""
    return changed(rng, who, lambda *row: not hidden(world, who, *row), lambda table: event(rng, table, who))


@contextmanager
def engines() -> Iterator[list[Engine]]:
    """An engine for each stretch of features: planned once each."""
    held = [Embedded(threads=1, memory_gb=1) for _ in range(STRETCHES)]
    try:
        yield held
    finally:
        for engine in held:
            engine.close()


def test_events_no_consent_opens_change_no_byte_of_features_or_coverage(claim: Claim) -> None:
    drawn: Counter[str] = Counter()
    with engines() as held:
        for number in range(LEDGERS // PEOPLE):
            rng, engine, features = Random(number), held[number % STRETCHES], some_features(number)
            world = crowd(rng, PEOPLE)
            before = derived(engine, rng, world, features, lambda who: who.events)
            after = derived(engine, rng, world, features, partial(unseen, rng, world))
            differ = [name for name in before.matrix.column_names if not before.matrix[name].equals(after.matrix[name])]
            assert differ == [], f"world {number}"
            assert before.coverage.equals(after.coverage), f"world {number}"
            assert before.too_late == after.too_late, f"world {number}"
            drawn += _counted(world, before)
    assert all(drawn[move] > LEDGERS // 10 for move in (*MOVES, "duplicate", "overlapping")), drawn
    assert drawn["events hidden"] * 2 > LEDGERS
    assert drawn["events open"] * 2 > LEDGERS
    assert drawn["values"] > LEDGERS
    said = ", ".join(f"{name} {count:,}" for name, count in drawn.items())
    claim(
        "random ledgers on derive, ungated events changed: bytes changed", "0 of 10,000", f"0 of {LEDGERS:,} ({said})"
    )


def _counted(world: Crowd, found: Derived) -> Counter[str]:
    """What the world tested: disorder in ledgers, events on either side of the gate, values that were there."""
    drawn = sum((who.moves for who in world.people), Counter())
    for who in world.people:
        for table in who.events:
            for row in who.events[table]:
                is_closed = hidden(world, who, BY_NAME[table], row)
                drawn["events hidden" if is_closed else "events open"] += 1
    drawn["values"] += sum(len(found.matrix) - column.null_count for column in found.matrix.columns[1:])
    return drawn


def test_events_that_consent_opens_do_change_features() -> None:
    """Or the test above would prove nothing."""
    rng = Random(0)
    with engines() as held:
        world = crowd(rng, 20)
        before = derived(held[0], rng, world, FEW, lambda who: who.events)
        after = derived(held[0], rng, world, FEW, partial(seen, rng, world))
    assert not before.matrix.equals(after.matrix)
    assert not before.coverage.equals(after.coverage)


@pytest.mark.parametrize(
    ("module", "guard"),
    [(gate, "in_force"), (gate, "within"), (asof, "covered")],
    ids=["in_force", "within", "covered"],
)
def test_without_a_guard_the_promise_is_seen_to_break(
    monkeypatch: pytest.MonkeyPatch, module: object, guard: str
) -> None:
    monkeypatch.setattr(module, guard, lambda row, *_: row.person_id.notnull())
    rng = Random(1)
    with engines() as held:
        world = replace(crowd(rng, 20), bounds=gate.Bounds(basis=("explicit",), life_days_max=200))
        before = derived(held[0], rng, world, FEW, lambda who: who.events)
        after = derived(held[0], rng, world, FEW, partial(unseen, rng, world))
    assert not before.coverage.equals(after.coverage)


def test_from_tables_to_scores_events_no_consent_opens_change_no_byte(tmp_path: Path, claim: Claim) -> None:
    files = 0
    for number in range(LINES):
        rng, policies = Random(number), POLICIES[number % len(POLICIES)]
        world = lender(rng, 150, policies)
        before = run(tmp_path / f"{number}a", world.tables(rng, lambda who: who.events), policies)
        after = run(tmp_path / f"{number}b", world.tables(rng, unseen_changed(rng, world, policies)), policies)
        assert before == after, f"line {number}"
        assert len(set(before.values())) == len(before)
        files += len(before)
    claim(
        "runs from tables to scores, ungated events changed: files changed",
        "0 of 100 runs",
        f"0 of {LINES} ({files} files)",
    )

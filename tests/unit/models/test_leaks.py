"""Each leak that was met in practice, planted among honest columns, and honest columns alone."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from models.leaks import Loans, leaks

ROWS, PEOPLE = 4_000, 3_000


def honest(seed: int) -> Loans:
    """Twenty columns, some of which tell a little; a person's columns go together over their loans."""
    rng = np.random.default_rng(seed)
    person = np.sort(rng.integers(0, PEOPLE, ROWS))
    own = rng.normal(size=(PEOPLE, 20))[person]
    x = own + 0.5 * rng.normal(size=(ROWS, 20))
    bad = rng.random(ROWS) < expit(-2.4 + x[:, :6] @ np.full(6, 0.25))
    x[rng.random(x.shape) < 0.1] = np.nan
    x[:, 7] = np.round(x[:, 7])
    applied = np.datetime64("2026-01-01", "us") + rng.permutation(ROWS) * np.timedelta64(3600, "s")
    later = applied > np.sort(applied)[int(0.75 * ROWS)]
    return Loans(x, [f"c{i}" for i in range(20)], bad, person, applied, ~later, later)


def with_column(loans: Loans, column) -> Loans:
    return replace(loans, x=np.column_stack([loans.x, column]), names=[*loans.names, "planted"])


def found(loans: Loans) -> set[tuple[str, str]]:
    return {(leak.kind, leak.column) for leak in leaks(loans)}


def target_echo(loans, rng):
    return np.where(rng.random(ROWS) < 0.1, rng.random(ROWS) < 0.1, loans.bad).astype(float)


def post_decision_field(loans, rng):
    return np.where(loans.bad, rng.poisson(3.0, ROWS), rng.poisson(0.4, ROWS)).astype(float)


def future_aggregate(loans, rng):
    return np.where(loans.bad, rng.poisson(2, ROWS), rng.poisson(6, ROWS)).astype(float)


def time_to_event(loans, rng):
    return np.where(loans.bad, rng.integers(5, 90, ROWS), np.nan).astype(float)


def id_hash(loans, rng):
    return rng.permutation(10 * PEOPLE)[loans.person].astype(float)


def row_order(loans, rng):
    return np.argsort(np.argsort(loans.applied)).astype(float)


def target_encoding_on_all_rows(loans, rng):
    """The bad rate of a group of five, the loan's own outcome in it; groups that come later have that of the past."""
    group = rng.integers(0, ROWS // 5, ROWS)
    learned = loans.development
    bads, rows = np.bincount(group[learned], loans.bad[learned], ROWS), np.bincount(group[learned], minlength=ROWS)
    return (bads / np.maximum(rows, 1))[group]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "plant",
    [
        target_echo,
        post_decision_field,
        future_aggregate,
        time_to_event,
        id_hash,
        row_order,
        target_encoding_on_all_rows,
    ],
)
def test_a_planted_leak_is_found_and_nothing_else(plant, seed):
    loans = honest(seed)
    column = plant(loans, np.random.default_rng(100 + seed))
    kinds = {"id_hash": "names people", "row_order": "tells the time", "target_encoding_on_all_rows": "forgets"}
    signs = found(with_column(loans, column))
    assert (kinds.get(plant.__name__, "too good alone"), "planted") in signs
    assert {name for _, name in signs} == {"planted"}


@pytest.mark.parametrize("seed", range(5))
def test_people_under_two_names_are_found(seed):
    loans = honest(seed)
    x, person = loans.x.copy(), loans.person.copy()
    x[-40:], person[-40:] = x[:40], np.arange(PEOPLE, PEOPLE + 40)
    assert found(replace(loans, x=x, person=person)) == {("people twice", "")}


@pytest.mark.parametrize("seed", range(20))
def test_honest_columns_raise_nothing(seed):
    assert leaks(honest(seed)) == []


def test_the_order_of_rows_does_not_show():
    loans = with_column(honest(1), time_to_event(honest(1), np.random.default_rng(1)))
    order = np.random.default_rng(2).permutation(ROWS)
    rows = {name: getattr(loans, name)[order] for name in ("x", "bad", "person", "applied", "development", "later")}
    assert leaks(replace(loans, **rows)) == leaks(loans)


def test_too_few_to_tell_raise_nothing():
    few = honest(0)
    one = {name: getattr(few, name)[:3] for name in ("x", "bad", "person", "applied", "development", "later")}
    assert leaks(replace(few, **one)) == []

"""Counterfactuals: valid, minimal against a search of everything, or said not to exist; never for the worse."""

import os
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

import saakh
from saakh import archive
from saakh.counterfactual import MEASURES_MOST, joined, moves_of
from saakh.scorecard import Scorecard
from tests.small_scorecard import packed, scorecard, table

FULL = os.environ.get("SAAKH_FULL") == "1"
APPLICANTS = 1_000 if FULL else 30
CLOSE = (470.0, 500.0, 520.0, 535.0, 550.0)


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return scorecard()


def rows(card: Scorecard, count: int) -> list[dict[str, float]]:
    x = np.clip(table(count, seed=11), -8, 8)
    return [dict(zip(card.features, row, strict=True)) for row in x.tolist()]


def after(row: dict[str, float], found: saakh.Counterfactual) -> dict[str, float]:
    return row | {change.feature: change.after for change in found.changes}


def exhaustive(card: Scorecard, row: dict[str, float], need: float) -> tuple[int, float] | None:
    """The fewest measures and the least sum of steps that reach `need`, by scoring every choice there is."""
    x = np.array([row[name] for name in card.features])
    moves = moves_of(card, x)
    of = [np.flatnonzero(moves.measure == number).tolist() for number in range(len(moves.names))]
    for count in range(1, MEASURES_MOST + 1):
        chosen = [list(one) for measures in combinations(of, count) for one in product(*measures)]
        if not chosen:
            continue
        points = card.score_many(joined(x, moves, np.array(chosen))).points
        if reached := [moves.step[c].sum() for c, p in zip(chosen, points.tolist(), strict=True) if p >= need + 1e-9]:
            return count, float(min(reached))
    return None


@pytest.mark.parametrize(("bands", "share"), [(CLOSE, 1.0), ((560.0, 590.0), 0.3)])
def test_a_counterfactual_reaches_the_next_band_and_is_the_smallest_there_is(bands, share):
    card = directed(bands)
    for row in rows(card, int(share * APPLICANTS)):
        found, score = card.counterfactual(row), card.score(row)
        if found.outcome == "best":
            assert score.band == found.band == "A"
            continue
        need = min(b.from_points for b in card.manifest.bands if (b.from_points or -1e9) > score.points)
        smallest = exhaustive(card, row, need)
        if found.outcome == "none":
            assert smallest is None
            continue
        assert smallest == (len(found.measures), found.steps)
        then = card.score(after(row, found))
        assert then.band == found.band
        assert then.points == pytest.approx(found.points, abs=1e-9)


def test_a_counterfactual_may_take_one_measure_or_several_or_not_exist():
    found = [directed((560.0, 590.0)).counterfactual(row) for row in rows(scorecard(), 20)]
    assert {len(one.measures) for one in found if one.outcome == "found"} >= {1, 2}
    assert {one.outcome for one in found} >= {"found", "none"}


def directed(bands: tuple[float, ...] = CLOSE) -> Scorecard:
    """The small scorecard with other bands, and with declared directions on two of its inputs."""
    card = Scorecard.from_members(archive.unpack(packed(bands=bands)))
    specs = tuple(replace(s, risk=(0, 0, 1, 0, -1, 0, 0, 0)[i]) for i, s in enumerate(card.manifest.features))
    card.manifest = replace(card.manifest, features=specs)
    return card


def test_only_what_is_actionable_moves_within_the_usual_range_and_never_for_the_worse():
    card = directed()
    for row in rows(card, 60):
        for change in card.counterfactual(row).changes:
            i = card.features.index(change.feature)
            spec, (low, high) = card.manifest.features[i], card.manifest.input_policy[i].usual
            assert spec.actionable
            assert change.before == row[change.feature]
            assert low <= change.after <= high
            assert (change.after - change.before) * spec.risk <= 0


def test_what_was_refused_or_never_seen_does_not_move(card):
    for row in rows(card, 40):
        found = card.counterfactual(row, ("airtime",))
        categories = {s.name: s.category for s in card.manifest.features}
        assert all(categories[change.feature] == "payments" for change in found.changes)
        assert not any(np.isnan(row[change.feature]) for change in found.changes)


def test_windows_of_one_measure_move_together():
    specs = list(scorecard().manifest.features)
    specs[4] = replace(specs[4], name="gap_30d", actionable=True)
    specs[5] = replace(specs[5], name="gap_90d", window_days=90, actionable=True)
    card = scorecard()
    x = np.zeros(8)
    both = type("Card", (), {})()
    both.manifest, both.model = replace(card.manifest, features=tuple(specs)), card.model
    moves = moves_of(both, x)
    gap = moves.names.index("gap")
    for after_ in moves.x[moves.measure == gap]:
        assert {i for i in range(8) if after_[i] != x[i]} == {4, 5}


def test_counts_stay_whole():
    card = scorecard()
    specs = tuple(replace(s, unit="count") for s in card.manifest.features)
    whole = type("Card", (), {})()
    whole.manifest, whole.model = replace(card.manifest, features=specs), card.model
    moves = moves_of(whole, np.array([1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 1.0, 0.0]))
    assert len(moves.x) > 10
    assert (moves.x == np.round(moves.x)).all()

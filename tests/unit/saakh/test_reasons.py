"""Reasons: few, none twice, none that helped, the weightiest first."""

from dataclasses import replace

import numpy as np
import pytest

from models.model_text import with_rest
from pipeline.export import build
from saakh import archive
from saakh.additive import Explained
from saakh.input_policy import InputRule
from saakh.linear import Linear
from saakh.manifest import ReasonCode, ReasonRule
from saakh.reasons import RISE_LEAST, Reasons, clear_of_ties
from saakh.scale import Calibration
from saakh.scorecard import Scorecard
from tests.small_scorecard import booster, bundle, packed, scorecard, specs, table

TEXTS = ["Balance ran low", "Calls at night", "Long gaps", "Many lenders", "New contacts", "New handset"]
NOTHING_FOUND = Explained(*[np.zeros(0)] * 4)
CODES = tuple(ReasonCode(t.lower().replace(" ", "-"), {"en": t}) for t in TEXTS)


def reasons(*texts: str, most: int = 4, tie: float = 0.0) -> Reasons:
    """The rule for features of these reasons; nothing is known of better values, so nothing is flipped."""
    found = tuple(replace(s, reason=t) for s, t in zip(specs(len(texts)), texts, strict=True))
    return Reasons(found, ReasonRule(most, 0.05, tie, CODES), [InputRule()] * len(found), scorecard().model, -28.9)


def given(rule: Reasons, *points: float, x: np.ndarray | None = None) -> list:
    return list(rule.of(np.zeros(len(points)) if x is None else x, np.array(points), NOTHING_FOUND))


def test_features_of_one_reason_are_counted_together_and_named_once():
    (reason,) = given(reasons("Long gaps", "Long gaps"), -2.0, -3.0)
    assert (reason.code, reason.text, reason.points) == ("long-gaps", "Long gaps", -5.0)
    assert reason.features == ("input_1_30d", "input_0_30d")


def test_the_weightiest_comes_first_and_no_more_than_four_come():
    got = given(reasons(*TEXTS), -1.0, -5.0, -2.0, -4.0, -3.0, -6.0)
    assert [r.text for r in got] == ["New handset", "Calls at night", "Many lenders", "New contacts"]


def test_what_raised_the_score_is_no_reason():
    got = given(reasons(*TEXTS[:3]), 4.0, -1.0, 0.0)
    assert [r.text for r in got] == ["Calls at night"]


def test_a_reason_whose_features_helped_more_than_they_hurt_is_none():
    assert given(reasons("Long gaps", "Long gaps"), -2.0, 3.0) == []


def test_a_feature_that_helped_is_not_named_under_a_reason_that_hurt():
    (reason,) = given(reasons("Long gaps", "Long gaps"), -3.0, 1.0)
    assert reason.points == -2.0
    assert reason.features == ("input_0_30d",)


def test_next_to_nothing_is_no_reason():
    assert given(reasons("Long gaps"), -0.049) == []
    assert len(given(reasons("Long gaps"), -0.05)) == 1


def test_equal_weights_come_in_the_order_of_codes_whatever_the_last_digits_say():
    got = given(reasons("New handset", "Balance ran low"), -1.0 - 1e-12, -1.0)
    assert [r.code for r in got] == ["balance-ran-low", "new-handset"]


def test_a_missing_value_behind_a_reason_is_marked():
    (reason,) = given(reasons("Long gaps", "Long gaps"), -1.0, -2.0, x=np.array([np.nan, 4.0]))
    assert reason.unknown == ("input_0_30d",)


@pytest.mark.parametrize(
    ("totals", "told"),
    [
        ([-9.0, -8.0, -7.0, -6.0, -5.9], 3),  # the fourth is no further from the fifth than chance
        ([-9.0, -8.0, -7.0, -6.0, -5.0], 4),
        ([-9.0, -8.0, -7.0, -6.0], 4),  # nothing is left out
        ([-9.0, -6.2, -6.1, -6.0, -5.9], 1),
        ([-6.3, -6.2, -6.0, -5.9, -5.8], 2),  # no gap is clear: up to the widest
        ([-1.0, -0.9], 2),
        ([], 0),
    ],
)
def test_ties_too_close_to_call_are_not_told(totals, told):
    assert clear_of_ties(totals, 4, 0.25) == told


def test_every_reason_told_stands_the_flip_test():
    """Set to their better values, within what is usual, the inputs a reason names raise the score; always."""
    card, told = scorecard(), 0
    place = {name: i for i, name in enumerate(card.features)}
    for row in np.clip(table(400, seed=23), -8, 8):
        score = card.score(dict(zip(card.features, row.tolist(), strict=True)))
        for reason in score.reasons:
            flipped = card.reasons.flips.flipped(row, [place[name] for name in reason.features])
            again = card.score(dict(zip(card.features, flipped.tolist(), strict=True)))
            assert again.points > score.points
            moved = [i for i in range(8) if flipped[i] != row[i] and not (np.isnan(flipped[i]) and np.isnan(row[i]))]
            low, high = card.manifest.input_policy[0].usual
            assert all(low <= flipped[i] <= high for i in moved)
            told += 1
    assert told > 400


def test_what_does_not_stand_the_flip_test_is_not_told():
    """Where the values taken for better are the worst there are, no flip raises the score."""
    card = scorecard()
    rules = [replace(rule, better=rule.worse) for rule in card.manifest.input_policy]
    given = (card.manifest.features, card.manifest.reasons, rules, card.model, card._points_per_unit)
    wrong, told, all_told = Reasons(*given), 0, 0
    for row in np.clip(table(400, seed=3), -8, 8):
        found = card.model.both(row)
        points = found.effects * card._points_per_unit
        all_told += len(card.reasons.of(row, points, found))
        told += len(wrong.of(row, points, found))
    assert told < all_told / 4


def test_a_reason_certain_to_stand_the_flip_test_does():
    """The bound that spares a try is right: whatever it lets pass raises the score when it is tried."""
    arrays = {
        "center": [0.0] * 6,
        "scale": [1.0] * 6,
        "coefficient": [0.9, -0.8, 0.7, 0.6, -0.5, 0.4],
        "mean": [0.0] * 6,
    }
    grown = with_rest(
        booster(table(), 5).model_to_string(), Linear.of(8, 0.0, feature=range(6), **arrays), Calibration()
    )
    card, passed = Scorecard.from_members(archive.unpack(build(bundle(grown, 8)))), 0
    card.model.is_compiled = False  # which has no need of bounds
    for row in np.clip(table(300, seed=31), -8, 8):
        found = card.model.both(row)
        points = found.effects * card._points_per_unit
        at_most = card.reasons.flips.at_most(found)
        for group, _ in card.reasons._ordered(points):
            lowered = card.reasons._lowered(group, points)
            straight = card.reasons.flips.in_linear(row, lowered, found)
            tried = card.reasons.flips.in_trees(row, group, lowered, found)
            assert tried <= at_most[group]
            if (straight + at_most[group]) * card._points_per_unit > RISE_LEAST:
                passed += 1
                assert (straight + tried) * card._points_per_unit > RISE_LEAST
    assert passed > 20


@pytest.mark.parametrize("refused", [(), ("payments",)])
@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_flip_that_asks_a_few_trees_again_comes_out_as_one_that_asks_them_all(refused, is_compiled):
    card, fell = Scorecard.from_members(archive.unpack(packed())), [0, 0]
    card.model.is_compiled &= is_compiled
    withheld = card._refusals.inputs(refused)
    for row in np.clip(table(150, seed=41), -8, 8):
        row[list(withheld)] = np.nan
        found = card.model.both(row, withheld)
        points, at_most = found.effects * card._points_per_unit, card.reasons.flips.at_most(found, withheld)
        for group in range(len(card.reasons.codes)):
            lowered = card.reasons._lowered(group, points)
            flipped = card.reasons.flips.flipped(row, lowered)
            after, before = card.model.log_odds(np.stack((flipped, row)), withheld).tolist()
            falls = (after - before) * card._points_per_unit <= RISE_LEAST
            straight = card.reasons.flips.in_linear(row, lowered, found)
            change = straight + card.reasons.flips.in_trees(row, group, lowered, found, withheld)
            assert (change * card._points_per_unit <= RISE_LEAST) is falls
            assert after - before <= straight + at_most[group]
            fell[falls] += 1
    assert min(fell) > 20

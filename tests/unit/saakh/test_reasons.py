"""Reasons: few, none twice, none that helped, the weightiest first."""

from dataclasses import replace

import numpy as np

from saakh.manifest import ReasonCode, ReasonRule
from saakh.reasons import Reasons
from tests.small_scorecard import specs

TEXTS = ["Balance ran low", "Calls at night", "Long gaps", "Many lenders", "New contacts", "New handset"]
CODES = tuple(ReasonCode(t.lower().replace(" ", "-"), t) for t in TEXTS)


def reasons(*texts: str, most: int = 4) -> Reasons:
    found = tuple(replace(s, reason=t) for s, t in zip(specs(len(texts)), texts, strict=True))
    return Reasons(found, ReasonRule(most, 0.05, CODES))


def given(rule: Reasons, *points: float, x: np.ndarray | None = None) -> list:
    return list(rule.of(np.zeros(len(points)) if x is None else x, np.array(points)))


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

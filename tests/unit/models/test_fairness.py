"""Figures of groups worked out by hand, and the same as fairlearn gives where it has them."""

import numpy as np
import pytest
from scipy.special import logit

from models.fairness import Loans, gaps, groups

HOW = {"confidence": 0.95, "resamples": 200, "seed": 1}
# Group 0: 20 loans at PD 0.1 (2 bad), 20 at 0.4 (10 bad). Group 1: 10 at 0.1 (1 bad), 30 at 0.4 (6 bad).
PD = np.repeat([0.1, 0.4, 0.1, 0.4], [20, 20, 10, 30])
CODE = np.repeat([0, 1], [40, 40])
BAD = np.concatenate([np.arange(n) < k for n, k in ((20, 2), (20, 10), (10, 1), (30, 6))])
LOANS = Loans(logit(PD), BAD, np.arange(80))
CUT = float(logit(0.25))


def test_figures_of_two_groups_at_one_cut_off() -> None:
    first, second = groups(LOANS, CODE, 2, [CUT], **HOW)
    assert (first.people, first.loans) == (40, 40)
    assert first.at[0].approval.value == pytest.approx(20 / 40)
    assert second.at[0].approval.value == pytest.approx(10 / 40)
    assert second.at[0].impact_ratio.value == pytest.approx(0.5)
    assert first.at[0].bads_refused.value == pytest.approx(10 / 12)
    assert first.at[0].goods_refused.value == pytest.approx(10 / 28)
    assert second.at[0].goods_refused.value == pytest.approx(24 / 33)
    assert first.observed_expected.value == pytest.approx(12 / (20 * 0.1 + 20 * 0.4))
    assert second.observed_expected.value == pytest.approx(7 / 13)


def test_the_most_approved_group_is_the_measure_and_has_no_interval_while_the_others_have() -> None:
    first, second = groups(LOANS, CODE, 2, [CUT], **HOW)
    ratio = second.at[0].impact_ratio
    assert (first.at[0].impact_ratio.value, first.at[0].impact_ratio.low) == (1.0, None)
    # Log-ratio of shares 0.25 and 0.5 of 40 each: standard error sqrt(0.75/10 + 0.5/20) = 0.316.
    assert ratio.low == pytest.approx(0.5 * np.exp(-1.96 * 0.316), abs=0.08)
    assert ratio.high == pytest.approx(0.5 * np.exp(1.96 * 0.316), abs=0.15)


def test_all_approved_has_the_interval_of_wilson() -> None:
    first, _ = groups(LOANS, CODE, 2, [float(logit(0.9))], **HOW)
    # Wilson for 40 of 40: 40 / (40 + 1.96²).
    assert first.at[0].approval.value == 1.0
    assert first.at[0].approval.low == pytest.approx(40 / (40 + 1.96**2), abs=1e-3)


def test_a_group_of_fewer_than_ten_people_is_withheld_though_it_has_many_loans() -> None:
    person = np.where(CODE == 1, 100 + np.arange(80) % 9, np.arange(80))
    first, second = groups(Loans(LOANS.log_odds, BAD, person), CODE, 2, [CUT], **HOW)
    assert second is None
    assert first.at[0].impact_ratio.value == 1.0
    assert groups(LOANS, np.full(80, -1), 2, [CUT], **HOW) == [None, None]


def test_a_share_of_fewer_than_ten_loans_is_withheld() -> None:
    _, second = groups(LOANS, CODE, 2, [CUT], **HOW)
    assert second.at[0].bads_refused.value is None  # of seven bad loans
    assert second.at[0].goods_refused.value is not None


def test_people_are_drawn_and_not_loans() -> None:
    twins = Loans(np.repeat(LOANS.log_odds, 4), np.repeat(BAD, 4), np.repeat(np.arange(80), 4))
    one, four = (groups(*g, 2, [CUT], **HOW)[0].at[0].approval for g in ((LOANS, CODE), (twins, np.repeat(CODE, 4))))
    assert (one.low, one.high) == (four.low, four.high)


def test_the_gap_is_one_less_the_lowest_approval_over_the_highest_and_a_mean_over_cut_offs() -> None:
    approved = np.stack([PD < 0.25, PD < 0.5], axis=1)
    weights = np.ones((2, 80))
    weights[1, CODE == 1] = np.where(PD[CODE == 1] < 0.25, 3.0, 1.0)  # 30 of 60 approved
    assert gaps(approved, CODE, 2, weights) == pytest.approx([(0.5 + 0) / 2, 0.0])


def test_figures_are_those_of_fairlearn() -> None:
    metrics = pytest.importorskip("fairlearn.metrics")
    rates = {
        "approval": metrics.selection_rate,
        "bads": metrics.false_positive_rate,
        "goods": metrics.true_positive_rate,
    }
    frame = metrics.MetricFrame(metrics=rates, y_true=~BAD, y_pred=LOANS.log_odds <= CUT, sensitive_features=CODE)
    first, second = (group.at[0] for group in groups(LOANS, CODE, 2, [CUT], **HOW))
    assert frame.by_group["approval"].tolist() == pytest.approx([first.approval.value, second.approval.value])
    assert frame.by_group["goods"].tolist() == pytest.approx(
        [1 - first.goods_refused.value, 1 - second.goods_refused.value]
    )
    assert frame.by_group["bads"][0] == pytest.approx(1 - first.bads_refused.value)
    assert frame.ratio()["approval"] == pytest.approx(second.impact_ratio.value)

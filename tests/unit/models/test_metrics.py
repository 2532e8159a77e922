import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from models.discrimination import Estimate
from models.metrics import FIGURES, figures, measured, probability, resampled_figures
from models.rank_order import by_decile, group
from models.resampling import interval, resampled

HOW = {"confidence": 0.95, "resamples": 400, "seed": 1}


def loans(rows, seed, scale=0.8, people=None):
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1.5, scale, rows)
    person = np.arange(rows) if people is None else rng.integers(0, people, rows)
    return log_odds, rng.random(rows) < probability(log_odds), person


def test_figures_by_hand():
    # Two good loans at PD 1/2 and 1/5, one bad at 1/2: Brier (1/4 + 1/25 + 1/4)/3; loss −ln(1/2 · 4/5 · 1/2)/3;
    # observed 1 over expected 6/5. At PD 1/5 and below: no bad loan, half the good ones: KS 1/2.
    log_odds, bad = np.array([-np.log(4), 0.0, 0.0]), np.array([False, False, True])
    found = dict(zip(FIGURES, figures(log_odds, bad, np.ones((1, 3)))[0], strict=True))
    assert found == pytest.approx(
        {"bad_rate": 1 / 3, "brier": 0.18, "log_loss": np.log(5) / 3, "observed_expected": 5 / 6, "ks": 0.5}
    )


def test_figures_agree_with_scikit_learn():
    log_odds, bad, person = loans(500, seed=2)
    found = measured(log_odds, bad, person, **HOW)
    assert found["brier"].value == pytest.approx(brier_score_loss(bad, probability(log_odds)))
    assert found["log_loss"].value == pytest.approx(log_loss(bad, probability(log_odds)))


def test_weights_count_like_copies():
    log_odds, bad, _ = loans(60, seed=3)
    order = np.argsort(log_odds)
    log_odds, bad = log_odds[order], bad[order]
    times = np.random.default_rng(1).integers(0, 3, 60)
    copies = figures(np.repeat(log_odds, times), np.repeat(bad, times), np.ones((1, times.sum())))
    assert figures(log_odds, bad, times[None, :].astype(float))[0] == pytest.approx(copies[0])


def test_every_interval_holds_its_figure_and_order_does_not_matter():
    log_odds, bad, person = loans(600, seed=4, people=400)
    found = measured(log_odds, bad, person, **HOW)
    assert set(found) == {"auc", "gini", *FIGURES}
    assert all(e.low <= e.value <= e.high for e in found.values())
    order = np.random.default_rng(9).permutation(600)
    again = measured(log_odds[order], bad[order], person[order], **HOW)
    assert again["ks"] == found["ks"]
    assert again["brier"].low == pytest.approx(found["brier"].low, rel=1e-12)


def test_people_are_drawn_whole():
    person = np.array([1, 1, 1, 2, 3])
    drawn = resampled(lambda w: w, person, 200, seed=1)
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, 2:].sum(axis=1) == 3).all()


def test_interval_is_wider_when_loans_come_in_people():
    log_odds, bad, _ = loans(300, seed=5)
    apart = resampled_figures(log_odds, bad, np.arange(300), **HOW)["bad_rate"]
    copies = [np.tile(a, 4) for a in (log_odds, bad, np.arange(300))]
    together = resampled_figures(*copies, **HOW)["bad_rate"]
    assert together.high - together.low == pytest.approx(apart.high - apart.low, rel=0.2)


def test_intervals_cover_the_truth_as_often_as_they_say():
    # What a well calibrated score must show: observed over expected 1, and a loss equal to its entropy on average.
    inside = []
    for world in range(200):
        log_odds, bad, person = loans(250, seed=1000 + world)
        found = resampled_figures(log_odds, bad, person, confidence=0.95, resamples=200, seed=1)["observed_expected"]
        inside.append(found.low <= 1 <= found.high)
    assert 0.90 <= np.mean(inside) <= 0.985


def test_figure_that_is_not_defined_is_none():
    good = np.zeros(30, dtype=bool)
    found = measured(np.linspace(-3, -2, 30), good, np.arange(30), **HOW)
    assert found["auc"].value is None
    assert found["ks"].value is None
    assert found["observed_expected"] == Estimate(0.0)  # not from 0 to 0: the next loan may go bad
    assert found["bad_rate"] == Estimate(0.0)
    assert interval(float("nan"), np.array([np.nan]), 0.95).low is None


def test_deciles_run_from_the_riskiest_and_hold_every_loan():
    log_odds, bad, _ = loans(1003, seed=6)
    groups = by_decile(log_odds, bad)
    assert len(groups) == 10
    assert sum(g.rows for g in groups) == 1003
    assert sum(g.bads for g in groups) == bad.sum()
    assert [g.expected for g in groups] == sorted((g.expected for g in groups), reverse=True)


def test_few_loans_make_few_groups_and_equal_scores_stay_together():
    log_odds = np.repeat([-1.0, -2.0, -3.0], 20)
    assert [g.rows for g in by_decile(log_odds, np.arange(60) % 2 == 0)] == [20, 20, 20]
    assert [g.rows for g in by_decile(np.zeros(60), np.arange(60) % 2 == 0)] == [60]
    assert [g.rows for g in by_decile(np.arange(7.0), np.zeros(7, dtype=bool))] == [7]


def test_group_counts_by_hand():
    found = group(np.array([0.0, -np.log(3)]), np.array([True, False]))
    assert (found.rows, found.bads, found.observed) == (2, 1, 0.5)
    assert found.expected == pytest.approx(0.375)

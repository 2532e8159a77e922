import hashlib
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest

from models.boosting import (
    Inputs,
    Settings,
    column_share_for,
    fit,
    leaf_rows_for,
    leaves_for,
    log_odds,
    normalised,
    threads_for,
    uninformative,
)
from saakh.errors import ContractError

SETTINGS = Settings(4, 40, 1.0, 5.0, 0.1, 40, 10, 1)


def inputs(columns, monotone=None):
    names = tuple(f"f{i}" for i in range(columns))
    return Inputs(names, monotone or (0,) * columns, ((None, None),) * columns)


def world(rows, columns, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    bad = rng.random(rows) < 1 / (1 + np.exp(1.5 - x[:, 0] + 0.5 * x[:, 1]))
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, bad, np.arange(rows) * 5 // rows


def test_text_alone_gives_the_log_odds():
    x, bad, fold = world(800, 3)
    fitted = fit(x, bad, fold, inputs(3), SETTINGS, 1)
    found = log_odds(fitted.text, x, 1)
    assert found.mean() == pytest.approx(np.log(bad.mean() / (1 - bad.mean())), abs=0.5)
    assert found[bad].mean() > found[~bad].mean() + 0.2
    assert fitted.features_used[0] == "f0"


def test_scores_out_of_fold_come_from_a_booster_that_did_not_see_the_row():
    x, bad, fold = world(600, 3)
    one_round = Settings(4, 40, 1.0, 5.0, 0.1, 1, 10, 1)
    other = np.where(fold == 2, ~bad, bad)
    same = (
        fit(x, bad, fold, inputs(3), one_round, 1).out_of_fold
        == fit(x, other, fold, inputs(3), one_round, 1).out_of_fold
    )
    assert same[fold == 2].all()
    assert not same[fold != 2].any()


def test_declared_direction_is_kept_wherever_the_data_point():
    x, bad, fold = world(800, 2)
    against = fit(x, bad, fold, inputs(2, (-1, 1)), SETTINGS, 1)
    grid = np.linspace(-3, 3, 200)
    falls = log_odds(against.text, np.column_stack([grid, np.zeros(200)]), 1)
    rises = log_odds(against.text, np.column_stack([np.zeros(200), grid]), 1)
    assert (np.diff(falls) <= 0).all()
    assert (np.diff(rises) >= 0).all()


def test_rounds_stop_where_the_out_of_fold_loss_was_least():
    x, bad, fold = world(500, 4)
    noise = np.random.default_rng(8).permutation(bad)
    learned, guessed = (fit(x, b, fold, inputs(4), SETTINGS, 1) for b in (bad, noise))
    assert guessed.rounds < learned.rounds
    p = 1 / (1 + np.exp(-learned.out_of_fold))
    loss = -np.log(np.where(bad, p, 1 - p))
    assert learned.out_of_fold_log_loss == pytest.approx(np.mean([loss[fold == f].mean() for f in range(5)]))


def test_same_bytes_with_one_and_two_threads_and_beside_a_busy_process():
    x, bad, fold = world(3_000, 12)
    alone = fit(x, bad, fold, inputs(12), SETTINGS, 1)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = fit(x, bad, fold, inputs(12), SETTINGS, 2)
    finally:
        busy.kill()
        busy.wait()
    assert hashlib.sha256(alone.text.encode()).digest() == hashlib.sha256(beside.text.encode()).digest()
    assert alone.out_of_fold.tobytes() == beside.out_of_fold.tobytes()
    assert alone.out_of_fold_log_loss == beside.out_of_fold_log_loss


def test_text_tells_neither_threads_nor_anyones_extreme_value():
    x, bad, fold = world(300, 2)
    x[17, 0] = 7_654_321.5
    bounded = Inputs(("f0", "f1"), (0, 0), ((0.0, None), (None, 1.0)))
    text = fit(x, bad, fold, bounded, SETTINGS, 2).text
    assert "7654321" not in text.replace(".", "")
    assert "num_threads" not in text
    assert "parameters" not in text
    assert "feature_infos=[0.0:inf] [-inf:1.0]" in text


def test_normalised_text_predicts_and_explains_like_the_booster_it_came_from():
    x, bad, _ = world(400, 3)
    data = lgb.Dataset(x, bad.astype(float), feature_name=["f0", "f1", "f2"])
    booster = lgb.train({"objective": "binary", "num_leaves": 4, "verbosity": -1, "num_threads": 1}, data, 20)
    read = lgb.Booster(model_str=normalised(booster.model_to_string(), inputs(3)))
    assert (read.predict(x, raw_score=True) == booster.predict(x, raw_score=True)).all()
    assert (read.predict(x, pred_contrib=True) == booster.predict(x, pred_contrib=True)).all()
    assert read.dump_model()["tree_info"] == booster.dump_model()["tree_info"]


def test_nothing_to_learn_gives_a_constant_near_the_bad_rate():
    bad = np.arange(200) % 4 == 0
    x = np.column_stack([np.arange(200) % 3, np.arange(200) % 2]).astype(float)
    fitted = fit(x, bad, np.arange(200) // 40, inputs(2), Settings(4, 190, 1.0, 5.0, 0.1, 20, 5, 1), 1)
    assert log_odds(fitted.text, x, 1) == pytest.approx(np.full(200, np.log(50 / 150)))
    assert fitted.features_used == ()


def test_bad_loans_all_in_one_fold_are_refused():
    x, _, fold = world(100, 2)
    with pytest.raises(ContractError, match="20 bad of 100 loans are too few for 5 folds"):
        fit(x, fold == 3, fold, inputs(2), SETTINGS, 1)


def test_columns_without_information_are_named_with_the_reason():
    nan = np.nan
    x = np.array([[nan, 1.0, 2.0, nan, 0.0], [nan, 1.0, nan, 3.0, 0.0], [nan, 1.0, 2.0, 4.0, 1.0]])
    assert uninformative(x, "abcde") == {"a": "all null", "b": "constant", "c": "constant"}


def test_sizes_follow_the_number_of_rows():
    assert [leaf_rows_for(n) for n in (80, 300, 2_500, 8_000)] == [20, 30, 250, 400]
    assert [leaves_for(n) for n in (300, 30_000)] == [4, 8]
    assert [column_share_for(n) for n in (5, 24, 111)] == [1.0, 0.5, 0.3]
    assert [threads_for(v, 8) for v in (1_000, 50_000_000)] == [1, 8]


def test_blank_where_there_never_was_one_wins_nothing():
    x, bad, fold = world(800, 2)
    x[:, 0] = np.nan_to_num(x[:, 0]) + 3
    fitted = fit(x, bad, fold, inputs(2, (1, 0)), SETTINGS, 1)
    blank = np.column_stack([np.full(800, np.nan), x[:, 1]])
    zero = np.column_stack([np.zeros(800), x[:, 1]])
    assert log_odds(fitted.text, blank, 1).mean() > log_odds(fitted.text, x, 1).mean()
    assert (log_odds(fitted.text, blank, 1) > log_odds(fitted.text, zero, 1)).all()

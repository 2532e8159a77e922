import subprocess
import sys
from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest

from models.boosting import (
    Inputs,
    Settings,
    column_share_for,
    grow,
    leaf_rows_for,
    leaves_for,
    log_odds,
    normalised,
    uninformative,
)
from models.lightgbm_text import merged, parse
from saakh.errors import ContractError

SETTINGS = Settings(4, 40, 0.0, 1.0, 5.0, 0.1, 40, 1)


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
    found = log_odds(grow(x, bad, fold, 5, inputs(3), SETTINGS).text, x, 1)
    assert found.mean() == pytest.approx(np.log(bad.mean() / (1 - bad.mean())), abs=0.5)
    assert found[bad].mean() > found[~bad].mean() + 0.2


def test_trees_without_a_fold_did_not_see_it():
    x, bad, fold = world(600, 3)
    other = np.where(fold == 2, ~bad, bad)
    one, two = (grow(x, b, fold, 5, inputs(3), replace(SETTINGS, rounds_max=3)).without for b in (bad, other))
    assert [a == b for a, b in zip(one, two, strict=True)] == [False, False, True, False, False]


def test_the_first_rounds_are_those_of_a_shorter_training():
    x, bad, fold = world(600, 3)
    long = grow(x, bad, fold, 5, inputs(3), SETTINGS).text
    short = grow(x, bad, fold, 5, inputs(3), replace(SETTINGS, rounds_max=7)).text
    assert merged([long], 7, 1.0) == merged([short], 7, 1.0)


def test_declared_direction_is_kept_wherever_the_data_point():
    x, bad, fold = world(800, 2)
    against = grow(x, bad, fold, 5, inputs(2, (-1, 1)), SETTINGS)
    grid = np.linspace(-3, 3, 200)
    falls = log_odds(against.text, np.column_stack([grid, np.zeros(200)]), 1)
    rises = log_odds(against.text, np.column_stack([np.zeros(200), grid]), 1)
    assert (np.diff(falls) <= 0).all()
    assert (np.diff(rises) >= 0).all()


def test_a_leaf_holds_the_rows_and_the_bads_it_must():
    x, bad, fold = world(2_000, 3)
    plain = parse(grow(x, bad, fold, 5, inputs(3), SETTINGS).text).trees
    strict = parse(grow(x, bad, fold, 5, inputs(3), replace(SETTINGS, leaf_bads_min=60.0)).text).trees
    assert plain.cover.min() >= 20  # LightGBM reckons rows from their hessians, so the bound is met roughly
    assert strict.cover.min() >= 60  # sixty bad loans are expected among the rows


def test_same_bytes_beside_a_busy_process():
    x, bad, fold = world(3_000, 12)
    alone = grow(x, bad, fold, 5, inputs(12), SETTINGS)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = grow(x, bad, fold, 5, inputs(12), SETTINGS)
    finally:
        busy.kill()
        busy.wait()
    assert alone == beside


def test_text_tells_neither_threads_nor_anyones_extreme_value():
    x, bad, fold = world(300, 2)
    x[17, 0] = 7_654_321.5
    bounded = Inputs(("f0", "f1"), (0, 0), ((0.0, None), (None, 1.0)))
    text = grow(x, bad, fold, 5, bounded, SETTINGS).text
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
    text = grow(x, bad, np.arange(200) // 40, 5, inputs(2), replace(SETTINGS, leaf_rows_min=190)).text
    assert log_odds(text, x, 1) == pytest.approx(np.full(200, np.log(50 / 150)))


def test_merged_trees_predict_the_scaled_sum_and_lightgbm_reads_them():
    x, bad, fold = world(900, 3)
    texts = [grow(x[i::2], bad[i::2], fold[i::2], 5, inputs(3), SETTINGS).text for i in (0, 1)]
    both = log_odds(merged(texts, 40, 0.25), x, 1)
    assert both == pytest.approx(0.25 * (log_odds(texts[0], x, 1) + log_odds(texts[1], x, 1)), abs=1e-12)
    assert len(parse(merged(texts, 12, 0.25)).trees.splits) == 24


def test_bad_loans_all_in_one_fold_are_refused():
    x, _, fold = world(100, 2)
    with pytest.raises(ContractError, match="20 bad of 100 loans are too few for 5 folds"):
        grow(x, fold == 3, fold, 5, inputs(2), SETTINGS)


def test_columns_without_information_are_named_with_the_reason():
    nan = np.nan
    x = np.array([[nan, 1.0, 2.0, nan, 0.0], [nan, 1.0, nan, 3.0, 0.0], [nan, 1.0, 2.0, 4.0, 1.0]])
    assert uninformative(x, "abcde") == {"a": "all null", "b": "constant", "c": "constant"}


def test_sizes_follow_the_number_of_rows():
    assert [leaf_rows_for(n) for n in (80, 300, 1_500, 8_000)] == [20, 30, 150, 200]
    assert [leaves_for(n) for n in (300, 50_000)] == [4, 8]
    assert [column_share_for(n) for n in (5, 24, 111)] == [1.0, 0.5, 0.3]


def test_blank_where_there_never_was_one_wins_nothing():
    x, bad, fold = world(800, 2)
    x[:, 0] = np.nan_to_num(x[:, 0]) + 3
    text = grow(x, bad, fold, 5, inputs(2, (1, 0)), SETTINGS).text
    blank = np.column_stack([np.full(800, np.nan), x[:, 1]])
    zero = np.column_stack([np.zeros(800), x[:, 1]])
    assert log_odds(text, blank, 1).mean() > log_odds(text, x, 1).mean()
    assert (log_odds(text, blank, 1) > log_odds(text, zero, 1)).all()

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from models.boosting import Inputs, Settings, log_odds
from models.calibration import logit
from models.default import DefaultModel, Rows, fit, shards_for
from models.plain import linear_effects, trees_log_odds
from models.refusals import Refusals, keys
from models.shards import beside

SETTINGS = Settings(4, 30, 2.0, 1.0, 5.0, 0.1, 24, 1)
NAMES = ("calls", "texts", "rent", "spend")
CATEGORY = np.array([0, 0, 1, 1])


def rows(count=1_600, shards=2, seed=3, refusing=0.1):
    """People with two loans each; calls and rent pull on risk, and a tenth refuse a category or both."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 4))
    bad = rng.random(count) < 1 / (1 + np.exp(1.5 - x[:, 0] - np.abs(x[:, 2])))
    x[rng.random(x.shape) < 0.1] = np.nan
    person = np.arange(count) // 2
    key = keys([f"p{p}" for p in person], "shard")
    closed = rng.random((count, 2)) < refusing
    x[closed[:, CATEGORY]] = np.nan
    shard = (key % np.uint64(shards)).astype(np.int64)
    return Rows(x, bad, person, person * 5 // (count // 2), shard, key, Refusals(closed, CATEGORY))


def inputs(monotone=(0, 0, 0, 0)):
    return Inputs(NAMES, monotone, ((None, None),) * 4)


@pytest.fixture(scope="module")
def learned():
    given = rows()
    return given, fit(given, inputs(), SETTINGS, 1)


def digest(fitted):
    return hashlib.sha256(fitted.model.text.encode() + fitted.out_of_fold.tobytes()).hexdigest()


def test_contributions_add_up_to_the_log_odds_whatever_is_refused(learned):
    given, fitted = learned
    model, x = fitted.model, given.x[:, fitted.places]
    refusals = given.refusals.columns(fitted.places)
    effects = model.contributions(x, refusals)
    assert np.abs(model.base + effects.sum(axis=1) - model.log_odds(x, refusals)).max() < 1e-12
    withheld = refusals.closed[:, refusals.category]
    assert withheld.any()
    assert (effects[withheld] == 0).all()


def test_what_stands_in_a_refused_category_does_not_matter(learned):
    given, fitted = learned
    x, refusals = given.x[:, fitted.places].copy(), given.refusals.columns(fitted.places)
    before = fitted.model.log_odds(x, refusals)
    x[refusals.closed[:, refusals.category]] = 99.0
    assert (fitted.model.log_odds(x, refusals) == before).all()


def test_the_model_is_what_a_plain_walk_says(learned):
    given, fitted = learned
    model, x = fitted.model, given.x[:, fitted.places]
    refusals = given.refusals.columns(fitted.places)
    withheld = refusals.closed[:, refusals.category]
    additive = model.additive
    plain = trees_log_odds(additive.trees, x, withheld) + additive.linear.intercept
    plain += linear_effects(additive.linear, x, withheld).sum(axis=1)
    assert model.log_odds(x, refusals) == pytest.approx(
        plain * model.calibration.slope + model.calibration.intercept, abs=1e-12
    )


def test_the_text_alone_is_the_model_and_lightgbm_reads_its_trees(learned):
    given, fitted = learned
    x = given.x[:, fitted.places]
    again, nobody = DefaultModel.of_text(fitted.model.text), Refusals.none(*x.shape)
    assert (again.log_odds(x, nobody) == fitted.model.log_odds(x, nobody)).all()
    nothing = np.zeros(x.shape, bool)
    assert log_odds(fitted.model.text, x, 1) == pytest.approx(
        trees_log_odds(again.additive.trees, x, nothing), abs=1e-12
    )


def test_same_bytes_for_any_number_of_threads(learned):
    given, fitted = learned
    assert digest(fit(given, inputs(), SETTINGS, 4)) == digest(fitted)


def test_known_shards_are_not_grown_again_and_change_no_byte(learned):
    given, fitted = learned
    grown = []

    def counted(shard, numbers):
        grown.extend(numbers)
        return beside(1)(shard, numbers)

    gone = given.person != 7
    part = {f: getattr(given, f)[gone] for f in ("x", "bad", "person", "fold", "shard", "key")}
    without = Rows(**part, refusals=given.refusals.rows(gone))
    after = fit(without, inputs(), SETTINGS, 1, fitted.grown, counted)
    assert len(grown) == 1
    assert digest(after) == digest(fit(without, inputs(), SETTINGS, 1))


def test_scores_out_of_fold_do_not_know_the_outcomes_of_their_fold(learned):
    given, _ = learned
    flipped = replace(given, bad=np.where(given.fold == 4, ~given.bad, given.bad))
    alike = replace(SETTINGS, rounds_max=1)
    one, two = fit(given, inputs(), alike, 1), fit(flipped, inputs(), alike, 1)
    assert one.choices.penalty != 0
    if one.choices == two.choices:  # what is chosen may differ, and with it every score
        assert (one.out_of_fold[given.fold == 4] == two.out_of_fold[given.fold == 4]).all()


def test_declared_directions_hold_for_the_whole_model():
    given = rows(refusing=0.0)
    model = fit(given, inputs((-1, 0, -1, 0)), SETTINGS, 1)
    line = np.linspace(-4, 4, 100)
    for name in ("calls", "rent"):
        if name in model.model.names:
            x = np.zeros((100, len(model.model.names)))
            x[:, model.model.names.index(name)] = line
            assert (np.diff(model.model.log_odds(x, Refusals.none(*x.shape))) <= 1e-12).all()


def test_who_refuses_is_scored_as_if_nothing_were_known_of_it_even_where_refusers_do_worse():
    given = rows(refusing=0.0)
    refuses = np.random.default_rng(4).random(len(given.bad)) < 0.2
    bad = given.bad | (refuses & (np.random.default_rng(5).random(len(given.bad)) < 0.5))
    x = given.x.copy()
    x[np.ix_(refuses, [2, 3])] = np.nan
    closed = np.column_stack([np.zeros(len(bad), bool), refuses])
    fitted = fit(replace(given, x=x, bad=bad, refusals=Refusals(closed, CATEGORY)), inputs(), SETTINGS, 1)
    effects = fitted.model.contributions(x[:, fitted.places], Refusals(closed, CATEGORY).columns(fitted.places))
    rent = [i for i, name in enumerate(fitted.model.names) if name in ("rent", "spend")]
    assert rent
    assert (effects[np.ix_(refuses, rent)] == 0).all()


def test_nothing_to_learn_gives_a_constant():
    given = rows(400, 1, refusing=0.0)
    flat = replace(given, x=np.repeat(np.arange(400)[:, None] % 2, 4, axis=1).astype(float))
    fitted = fit(flat, inputs(), replace(SETTINGS, leaf_rows_min=300), 1)
    said = fitted.model.log_odds(flat.x[:, fitted.places], Refusals.none(400, len(fitted.places)))
    assert np.ptp(said) < 0.2


def test_shards_follow_the_number_of_loans_and_of_bad_ones():
    assert [shards_for(n, b) for n, b in ((400, 40), (5_000, 400), (20_000, 1_600), (10**6, 300), (10**6, 80_000))] == [
        1,
        2,
        5,
        1,
        5,
    ]


def test_trees_take_part_where_risk_bends_and_hardly_where_it_does_not():
    """Enough loans to tell: of 1,600 the bend is not worth two standard errors."""
    given, rng = rows(6_000), np.random.default_rng(5)
    risk = 1 / (1 + np.exp(1.5 - np.nan_to_num(given.x[:, 0])))
    bending, straight = (
        fit(some, inputs(), SETTINGS, 1).choices for some in (given, replace(given, bad=rng.random(len(risk)) < risk))
    )
    assert bending.tree_weight >= 0.5
    assert straight.tree_weight <= 0.1
    assert straight.rounds < bending.rounds


def test_a_strong_penalty_is_stretched_to_the_right_level():
    fitted = fit(rows(), inputs(), SETTINGS, 1)
    score, bad = fitted.out_of_fold, rows().bad
    assert (1 / (1 + np.exp(-score))).mean() == pytest.approx(bad.mean(), rel=0.05)
    assert logit(score, bad).slope == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("prior", [0.6, 6.0, 12.0])
def test_the_prior_is_kept_to_where_data_do_not_prove_it_wrong(prior):
    fitted = fit(rows(), inputs(), SETTINGS, 1, prior=prior)
    assert fitted.choices.penalty == 4 * prior

"""The input policy: what is missing, unseen, impossible or stale has a declared outcome, counted, and never helps."""

from dataclasses import replace

import numpy as np
import pytest

import saakh
from pipeline.export import build
from saakh import archive
from saakh.input_policy import Handled, InputPolicy, InputRule
from saakh.scorecard import Scorecard
from tests.small_scorecard import bundle, scorecard, specs, table, text

FIRST, SECOND = "input_0_30d", "input_1_30d"
PLAIN = dict.fromkeys(scorecard().features, 0.5)


def card(**rules: object) -> Scorecard:
    """The small scorecard with a policy: `missing=...` for all inputs, `of={...}` for some."""
    return Scorecard.from_members(archive.unpack(build(bundle(text(), 8, inputs=rules))))


def test_by_default_an_impossible_value_goes_to_a_person_and_scores_as_missing():
    one = card(out_of_range="refer")
    score = one.score(PLAIN | {FIRST: 99.0})
    assert (score.handling, score.handled) == ("refer", (Handled(FIRST, "out_of_range", "refer"),))
    assert score.points == one.score(PLAIN | {FIRST: None}).points
    assert one.score(PLAIN).handling == "score"


@pytest.mark.parametrize("value", ["12", float("inf"), 10**400])
def test_what_is_no_number_is_handled_as_out_of_range(value):
    assert card(out_of_range="reject").score(PLAIN | {SECOND: value}).handling == "reject"


def test_unseen_is_counted_and_scored_as_it_is():
    score = scorecard().score(PLAIN | {FIRST: 5.5, SECOND: -5.5, "input_2_30d": 5.0})
    assert (score.unseen, score.handling, score.handled) == (2, "score", ())


@pytest.mark.parametrize("found", ["missing", "unseen", "out_of_range"])
def test_taken_at_its_worst_an_input_never_helps_on_average_nor_beats_its_worst_value(found):
    one = card(**{found: "worst"})
    value = {"missing": None, "unseen": 7.0, "out_of_range": 99.0}[found]
    for i, name in enumerate(one.features[:4]):
        worse = one.manifest.input_policy[i].worse
        assert one.score(PLAIN | {name: value}).points == one.score(PLAIN | {name: worse}).points
        assert one.score(PLAIN | {name: value}).handled == (Handled(name, found, "worst"),)


def test_the_strictest_outcome_of_all_inputs_holds():
    one = card(of={FIRST: {"missing": "refer"}, SECOND: {"missing": "reject"}})
    assert one.score(PLAIN | {FIRST: None}).handling == "refer"
    assert one.score(PLAIN | {FIRST: None, SECOND: None}).handling == "reject"


def test_a_stale_source_makes_all_its_inputs_stale():
    one = card(stale="refer", stale_after_days=7)
    assert one.score(PLAIN, ages={"topups": 7}).stale == 0
    old = one.score(PLAIN, ages={"topups": 8})
    assert (old.stale, old.handling, old.points) == (8, "refer", one.score(PLAIN).points)
    assert card(stale="neutral", stale_after_days=7).score(PLAIN, ages={"topups": 8}).points == one.score({}).points
    with pytest.raises(saakh.ContractError, match="no input is read from calls; there are topups"):
        one.score(PLAIN, ages={"calls": 1})
    with pytest.raises(saakh.ContractError, match="number of days"):
        one.score(PLAIN, ages={"topups": -1})


def test_what_was_refused_is_none_of_these_and_contributes_nothing():
    one = card(missing="reject", out_of_range="reject", stale="reject", stale_after_days=1)
    score = one.score({FIRST: 99.0}, ("airtime", "payments"), ages={"topups": 9})
    assert (score.missing, score.problems, score.unseen, score.stale, score.handling) == (0, {}, 0, 0, "score")
    assert set(score.contributions.values()) == {0.0}


def test_many_are_handled_as_each_alone():
    one = card(missing="worst", unseen="refer", out_of_range="reject")
    x = table(200) * 3
    many = one.score_many(x)
    for i, row in enumerate(x.tolist()):
        score = one.score(dict(zip(one.features, row, strict=True)))
        assert many.points[i] == pytest.approx(score.points, abs=1e-9)
        assert (many.unseen[i], many.missing[i], many.handling[i]) == (score.unseen, score.missing, score.handling)


def test_the_runtime_replays_the_policy_on_its_golden_vectors():
    assert card(missing="worst", out_of_range="reject").verify().largest_difference <= 1e-9


def test_a_worst_value_that_is_not_known_cannot_be_asked_for():
    with pytest.raises(saakh.ConfigError, match="too few people"):
        from pipeline.export import build
        from tests.small_scorecard import bundle, text

        given = bundle(text(), 8, inputs={"missing": "worst"})
        build(replace(given, train=given.train | {"spreads": {}}))


def test_refusing_neither_moves_nor_counts_in_arrays():
    rules = [InputRule(missing="worst", worse=3.0), InputRule()]
    x = np.array([[np.nan, np.nan], [1.0, 2.0]])
    absent = np.array([[True, False], [False, False]])
    strictest = InputPolicy(specs(2), rules).settle(x, {"missing": absent})
    assert strictest.tolist() == [1, 0]
    assert x[0, 0] == 3.0
    assert np.isnan(x[0, 1])

"""The smallest consent request: how requests are compared, which one is recommended, and that nothing else shows."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from features.columns import Category
from models.alike import alike
from models.discrimination import auc
from pipeline.minimise import in_loss, rounded
from pipeline.minimise.choice import Search, frontier, kept_again, ladder
from pipeline.minimise.paired import Areas, areas, errors, losses, mean_of
from pipeline.minimise.privacy import SENSITIVITY, burden, requests
from pipeline.minimise.quick import out_of_fold, slopes
from pipeline.minimise.ranks import LEVELS, apart, bundles, levels, nearness


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Loans of 400 people with twelve columns, the first of which tell bad ones: x, bad, who, fold."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(600, 12))
    x[:, 5] = np.exp(x[:, 0])  # says the same in other units
    x[rng.random(x.shape) < 0.1] = np.nan
    bad = rng.random(600) < 1 / (1 + np.exp(2 - 1.2 * np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1])))
    who = np.concatenate([np.arange(400), rng.integers(0, 400, 200)])
    return x, bad, who, rng.permutation(400)[who] % 3


def test_ranks_are_whole_numbers_around_the_middle_and_missing_ones_in_it() -> None:
    ranked = levels(np.array([[1.0, 5.0], [7.0, np.nan], [np.nan, 5.0], [7.0, 5.0], [1000.0, 5.0]]))
    # mid-ranks of 1, 7, 7, 1000 are 1/8, 1/2, 1/2, 7/8 of the way: −3/4, 0, 0, 3/4 of 32
    assert ranked[:, 0].tolist() == [-24.0, 0.0, 0.0, 0.0, 24.0]
    assert not ranked[:, 1].any()


def test_columns_that_repeat_others_are_those_that_train_sets_aside(drawn) -> None:
    x = drawn[0]
    for most in (0.95, 0.5, 0.03):
        kept = apart(nearness(levels(x)), range(12), most).tolist()
        assert kept == [i for i in range(12) if i not in alike(x, most)]
    assert len(apart(nearness(levels(x)), range(12), 1)) == 12


def test_features_are_bundled_when_a_column_of_each_says_the_same() -> None:
    near = np.eye(5)
    near[0, 2] = near[2, 0] = near[3, 4] = near[4, 3] = 0.99
    near[1, 4] = near[4, 1] = 0.9
    assert bundles(near, ["a", "a", "b", "c", "d"], 0.95) == {"a": ("a", "b"), "c": ("c", "d")}
    assert bundles(near, ["a", "a", "b", "c", "d"], 0.85) == {"a": ("a", "b", "c", "d")}


def test_slopes_are_those_of_a_ridge_regression_on_the_columns_a_request_may_read(drawn) -> None:
    x, bad, _, _ = drawn
    ranks, reads = levels(x), np.ones((4, 12), dtype=bool)
    reads[1, [3, 7]] = reads[2, :9] = False  # few left out, then few kept, then none kept
    reads[3] = False
    found, penalty = slopes(ranks, bad, reads, 500.0), 500.0 * LEVELS**2 / 3
    middled = ranks - ranks.mean(axis=0)
    for k in range(3):
        kept = middled[:, reads[k]]
        wanted = np.linalg.solve(kept.T @ kept + penalty * np.eye(kept.shape[1]), kept.T @ (bad - bad.mean()))
        assert found[reads[k], k] == pytest.approx(wanted, rel=1e-9)
        assert not found[~reads[k], k].any()
    assert not found[:, 3].any()


def test_a_quick_score_does_not_see_its_own_fold_nor_the_number_of_threads(drawn) -> None:
    x, bad, _, fold = drawn
    whole = np.ones((1, 12), dtype=bool)
    with threadpool_limits(1):
        one = out_of_fold(levels(x), bad, fold, whole, 500.0)
    with threadpool_limits(2):
        two = out_of_fold(levels(x), bad, fold, whole, 500.0)
    assert one.tobytes() == two.tobytes()
    changed = np.where(fold == 1, ~bad, bad)
    other = out_of_fold(levels(x), changed, fold, whole, 500.0)
    assert np.array_equal(other[fold == 1], one[fold == 1])
    assert not np.array_equal(other[fold == 0], one[fold == 0])


def test_an_area_counts_pairs_of_one_fold_and_weighs_folds_by_their_pairs() -> None:
    score = np.array([[3.0], [1.0], [2.0], [2.0], [5.0], [9.0]])
    bad = np.array([True, False, False, True, True, False])
    fold = np.array([0, 0, 0, 1, 1, 1])
    # fold 0: the bad one above both good ones, 2 of 2 pairs; fold 1: 2 and 5 below 9, 0 of 2 pairs
    assert areas(score, bad, fold, np.arange(6)).value.tolist() == [0.5]
    tied = np.where(score == 9.0, 5.0, score)
    assert areas(tied, bad, fold, np.arange(6)).value.tolist() == [0.625]  # 5 against 5 is half a pair
    assert areas(score, bad, np.array([0, 0, 0, 1, 1, 2]), np.arange(6)).value.tolist() == [1.0]  # no pair: no weight


def test_an_area_and_its_error_are_those_of_the_other_metrics(drawn) -> None:
    x, bad, who, fold = drawn
    score = np.nan_to_num(x[:, 0])
    found, known = areas(score[:, None], bad, fold, who), auc(score, bad, who, 0.95, fold)
    assert found.value[0] == pytest.approx(known.value, abs=1e-12)
    # the spread of the parts is the error the interval is made of: half its width on the logit scale is 1.96 errors
    reach = np.log(known.high / (1 - known.high)) - np.log(known.value / (1 - known.value))
    theirs = reach * known.value * (1 - known.value) / 1.959964
    assert np.sqrt((found.parts**2).sum()) == pytest.approx(theirs, rel=0.02)


def test_a_loss_is_paired_so_that_alike_scores_lose_nothing_and_nearly_alike_ones_surely_little(drawn) -> None:
    x, bad, who, fold = drawn
    score = np.nan_to_num(x[:, 0])
    near = score + 0.01 * np.random.default_rng(1).normal(size=600)
    found = areas(np.stack([score, near, np.zeros(600), score], axis=1), bad, fold, who)
    same, close, flat, _ = losses(found, 3, 0.95, 400, 1)
    assert (same.value, same.low, same.high) == (0.0, None, None)
    assert close.high - close.low < 0.1 * (flat.high - flat.low)
    assert flat.low > 0.05
    assert errors(found, 3)[0] == 0


def test_people_are_drawn_and_not_loans(drawn) -> None:
    x, bad, _, fold = drawn
    score = np.stack([np.nan_to_num(x[:, 1]), np.nan_to_num(x[:, 0])], axis=1)
    once = areas(score, bad, fold, np.arange(600))
    twice = areas(np.repeat(score, 2, axis=0), np.repeat(bad, 2), np.repeat(fold, 2), np.repeat(np.arange(600), 2))
    assert errors(twice, 1)[0] == pytest.approx(errors(once, 1)[0], rel=1e-9)  # the same person twice tells no more


def test_repeats_are_averaged_person_by_person() -> None:
    one = Areas(np.array([0.6]), np.array([[0.1], [-0.1]]))
    two = Areas(np.array([0.7]), np.array([[0.3], [-0.3]]))
    assert mean_of([one, two]).value[0] == pytest.approx(0.65)
    assert mean_of([one, two]).parts.ravel().tolist() == [0.2, -0.2]


def test_every_category_has_its_sensitivity() -> None:
    assert set(SENSITIVITY) == {category.value for category in Category}
    assert set(SENSITIVITY.values()) == {1, 2, 3}


def test_every_request_names_the_lenders_own_record() -> None:
    found = requests({"apps", "airtime", "credit"})
    assert found == [("credit",), ("credit", "airtime"), ("credit", "apps"), ("credit", "airtime", "apps")]
    assert requests({"apps"}) == [(), ("apps",)]
    assert burden(("credit", "airtime", "apps")) == 1 + 1 + 3


def search_of(told: dict[tuple[str, ...], tuple[float, float]], people: int = 200) -> Search:
    """A search in which requests of these categories have these losses and errors."""
    asked = tuple(requests({c for request in told for c in request}))
    loss = np.array([told.get(request, (0.9, 0.0))[0] for request in asked])
    error = np.array([told.get(request, (0.9, 0.0))[1] for request in asked])
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(people, len(asked)))
    noise -= noise.mean(axis=0)
    parts = noise / np.sqrt((noise**2).sum(axis=0)) * error
    return Search(asked, Areas(0.7 - loss, parts), loss, error, 10, 1_000.0)


EVERYTHING = ("credit", "airtime", "apps", "location")


def test_the_request_that_gives_least_away_is_recommended_among_those_that_lose_little() -> None:
    airtime, apps = ("credit", "airtime"), ("credit", "apps")
    found = search_of({airtime: (0.004, 0.0), apps: (0.001, 0.0), ("credit",): (0.02, 0.0), EVERYTHING: (0.0, 0.0)})
    assert [found.requests[k] for k in ladder(found, 0.005, 1.0)] == [airtime, apps, EVERYTHING]
    assert [found.requests[k] for k in ladder(found, 0.003, 1.0)] == [apps, EVERYTHING]
    assert [found.requests[k] for k in ladder(found, 0.0005, 1.0)] == [EVERYTHING]


def test_a_loss_counts_with_its_error() -> None:
    airtime = ("credit", "airtime")
    found = search_of({airtime: (0.004, 0.002), EVERYTHING: (0.0, 0.0)})
    assert found.requests[ladder(found, 0.005, 0.0)[0]] == airtime
    assert found.requests[ladder(found, 0.005, 1.0)[0]] == EVERYTHING


def test_of_requests_that_give_away_the_same_the_one_that_loses_less_comes_first() -> None:
    apps, location = ("credit", "apps"), ("credit", "location")
    found = search_of({apps: (0.003, 0.0), location: (0.002, 0.0), EVERYTHING: (0.0, 0.0)})
    assert [found.requests[k] for k in ladder(found, 0.005, 1.0)[:2]] == [location, apps]


def test_what_would_be_chosen_of_other_people_is_counted() -> None:
    airtime = ("credit", "airtime")
    sure = search_of({airtime: (0.001, 0.0), EVERYTHING: (0.0, 0.0)})
    assert kept_again(sure, 0.005, 1.0, 200, 1) == {"credit": 1.0, "airtime": 1.0, "apps": 0.0, "location": 0.0}
    unsure = kept_again(search_of({airtime: (0.003, 0.002), EVERYTHING: (0.0, 0.0)}), 0.005, 1.0, 400, 1)
    assert 0.3 < unsure["apps"] < 0.7
    assert unsure["airtime"] == 1.0


def test_the_frontier_holds_the_best_for_what_they_give_away_and_only_better_ones() -> None:
    told = {request: (0.2 - 0.01 * k, 0.0) for k, request in enumerate(requests({"credit", "airtime", "device"}))}
    found = search_of(told)
    assert [found.requests[k] for k in frontier(found)] == [
        ("credit",),
        ("credit", "device"),  # as light as airtime, and better
        ("credit", "airtime", "device"),
    ]


def test_figures_are_written_to_six_digits_and_nothing_is_never_minus_nothing() -> None:
    content = rounded({"a": [0.12345678, -0.00000001], "b": {"c": 3, "d": None, "e": "x", "f": True}})
    assert content == {"a": [0.123457, 0.0], "b": {"c": 3, "d": None, "e": "x", "f": True}}
    assert str(content["a"][1]) == "0.0"


def test_a_loss_is_told_with_its_interval() -> None:
    assert in_loss({"value": 0.00312, "low": -0.0012, "high": 0.0075}) == "0.0031 (-0.0012 to 0.0075)"
    assert in_loss({"value": 0.0, "low": None, "high": None}) == "0.0000"


def test_of_ten_categories_all_512_requests_are_compared() -> None:
    found = requests({category.value for category in Category})
    assert len(found) == len({frozenset(request) for request in found}) == 512
    assert found[0] == ("credit",)
    assert len(found[-1]) == 10

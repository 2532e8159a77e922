import numpy as np
import pytest

from models.splits import first_times, out_of_time, refuse_shared_people, time_blocks
from saakh.errors import ContractError, LeakageError


def days(*texts):
    return np.array(texts, dtype="datetime64[us]")


def test_cut_is_the_start_of_a_month_when_one_is_near_enough():
    applied = days(*["2026-01-05"] * 4, *["2026-02-20"] * 4, *["2026-03-01"] * 2, *["2026-03-31T23:59:59"] * 1)
    split = out_of_time(applied, np.arange(11), share=0.25)
    assert (str(split.out_of_time_from)[:10], split.boundary) == ("2026-03-01", "month")
    assert split.out_of_time.tolist() == [False] * 8 + [True] * 3


def test_cut_is_the_start_of_a_day_when_no_month_is_near():
    applied = days(*["2026-01-05"] * 5, *["2026-01-06T10:00"] * 3, *["2026-01-07T09:00"] * 2)
    split = out_of_time(applied, np.arange(10), share=0.2)
    assert (str(split.out_of_time_from), split.boundary) == ("2026-01-07T00:00:00.000000", "day")


def test_person_who_came_before_the_cut_is_not_judged_on_after_it():
    applied = days("2026-01-01", "2026-01-02", "2026-01-03", "2026-02-01", "2026-02-02", "2026-02-03")
    person = np.array([1, 2, 3, 3, 4, 1])
    split = out_of_time(applied, person, share=0.25)
    assert split.development.tolist() == [True, True, True, False, False, False]
    assert split.out_of_time.tolist() == [False, False, False, False, True, False]
    assert split.known_person.tolist() == [False, False, False, True, False, True]


def test_share_counts_the_rows_that_are_left():
    rng = np.random.default_rng(3)
    applied = np.datetime64("2026-01-01", "us") + (rng.random(2000) * 100 * 86_400e6).astype("timedelta64[us]")
    split = out_of_time(applied, rng.integers(0, 1200, 2000), share=0.25)
    later, before = split.out_of_time.sum(), split.development.sum()
    assert later / (later + before) == pytest.approx(0.25, abs=0.051)
    assert split.known_person.sum() > 200


def test_gap_before_the_cut_is_left_out():
    applied = days("2026-01-01", "2026-01-10", "2026-01-22", "2026-01-31", "2026-02-01")
    split = out_of_time(applied, np.arange(5), share=0.2, gap_days=10)
    assert split.gap.tolist() == [False, False, True, True, False]
    assert split.gap_days == 10


def test_gap_that_costs_too_much_is_not_taken():
    applied = days("2026-01-01", "2026-01-10", "2026-01-22", "2026-01-31", "2026-02-01")
    split = out_of_time(applied, np.arange(5), share=0.2, gap_days=10, gap_share_max=0.4)
    assert split.gap_days == 0
    assert not split.gap.any()
    assert split.development.sum() == 4


def test_gap_that_was_asked_for_is_never_silently_dropped():
    applied = days("2026-01-22", "2026-01-31", "2026-02-01")
    with pytest.raises(ContractError, match="a gap of 60 days leaves nobody to learn from"):
        out_of_time(applied, np.arange(3), share=0.3, gap_days=60)


def test_every_row_is_on_one_side_or_left_out_for_one_reason():
    rng = np.random.default_rng(5)
    applied = np.datetime64("2026-01-01", "us") + (rng.random(500) * 90 * 86_400e6).astype("timedelta64[us]")
    split = out_of_time(applied, rng.integers(0, 300, 500), share=0.25, gap_days=5)
    times = split.development.astype(int) + split.out_of_time + split.gap + split.known_person
    assert set(times.tolist()) == {1}


def test_split_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(6)
    applied = np.datetime64("2026-01-01", "us") + (rng.random(300) * 90 * 86_400e6).astype("timedelta64[us]")
    person, order = rng.integers(0, 200, 300), rng.permutation(300)
    straight, shuffled = out_of_time(applied, person, 0.25), out_of_time(applied[order], person[order], 0.25)
    assert straight.out_of_time_from == shuffled.out_of_time_from
    assert straight.development[order].tolist() == shuffled.development.tolist()
    assert time_blocks(applied, person, 5)[order].tolist() == time_blocks(applied[order], person[order], 5).tolist()


def test_applications_of_one_day_cannot_be_split():
    with pytest.raises(ContractError, match="cannot be split by time"):
        out_of_time(days(*["2026-01-05T08:00", "2026-01-05T20:00"] * 5), np.arange(10), share=0.25)


def test_first_time_is_the_persons_earliest():
    applied = days("2026-01-03", "2026-01-01", "2026-01-02", "2026-01-09")
    assert first_times(applied, np.array([7, 4, 7, 4])).astype(str).tolist() == [
        "2026-01-02T00:00:00.000000",
        "2026-01-01T00:00:00.000000",
        "2026-01-02T00:00:00.000000",
        "2026-01-01T00:00:00.000000",
    ]


def test_folds_are_blocks_in_time_with_each_person_in_one():
    applied = days("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-06")
    person = np.array([1, 2, 3, 1, 4, 5])
    assert time_blocks(applied, person, 3).tolist() == [0, 1, 1, 0, 2, 2]


def test_folds_are_about_equal_in_rows():
    rng = np.random.default_rng(7)
    applied = np.datetime64("2026-01-01", "us") + np.arange(1000).astype("timedelta64[h]")
    sizes = np.bincount(time_blocks(applied, rng.integers(0, 700, 1000), 5))
    assert len(sizes) == 5
    assert sizes.min() > 175  # a day holds two dozen
    assert sizes.max() < 225


def test_folds_begin_with_a_day_and_one_person_less_moves_hardly_anybody():
    rng = np.random.default_rng(7)
    applied = np.datetime64("2026-01-01", "us") + (rng.random(4_000) * 300 * 86_400e6).astype("timedelta64[us]")
    person = rng.integers(0, 2_500, 4_000)
    fold, day = time_blocks(applied, person, 5), first_times(applied, person).astype("datetime64[D]")
    assert all(len(np.unique(fold[day == d])) == 1 for d in np.unique(day))
    gone = [person != p for p in rng.choice(np.unique(person), 20, replace=False)]
    assert sum(np.array_equal(time_blocks(applied[k], person[k], 5), fold[k]) for k in gone) >= 18


def test_people_of_one_day_are_still_dealt_into_folds():
    applied = days(*["2026-01-01T10:00", "2026-01-01T11:00", "2026-01-01T12:00"])
    assert time_blocks(applied, np.array([3, 1, 2]), 3).tolist() == [0, 1, 2]


def test_fewer_people_than_folds_is_refused():
    with pytest.raises(ContractError, match="2 people cannot make 5 folds"):
        time_blocks(days("2026-01-01", "2026-01-02", "2026-01-03"), np.array([1, 2, 2]), 5)


def test_person_on_both_sides_is_a_leak():
    with pytest.raises(LeakageError, match="1 people are on more than one side of the split"):
        refuse_shared_people(np.array([1, 2, 3, 1]), np.array([0, 0, 1, 1]), "split")
    refuse_shared_people(np.array([1, 2, 3, 1]), np.array([0, 0, 1, 0]), "split")

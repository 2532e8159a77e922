"""Ranges a scorecard may tell: over people, not loans; rounded outwards; none where few people are known."""

import numpy as np
import pytest

from models.ranges import outwards, spreads


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(0.0, 0.0, 0.0), (123.4, 120.0, 130.0), (0.0456, 0.045, 0.046), (-123.4, -130.0, -120.0), (0.996, 0.99, 1.0)],
)
def test_rounding_goes_outwards_to_two_digits(value, down, up):
    assert (outwards(value, down=True), outwards(value, down=False)) == (down, up)


def test_ten_people_lie_at_or_beyond_what_counts_as_seen():
    (spread,) = spreads(np.arange(1.0, 1_001.0)[:, None], np.arange(1_000))
    assert spread.seen == (10.0, 1_000.0)  # 991 is the tenth from above
    assert spread.usual == (50.0, 960.0)


def test_a_person_with_many_loans_counts_once_at_each_end():
    values, person = np.arange(1.0, 301.0), np.arange(300)
    person[250:] = 299  # fifty loans of one person are the highest values
    (spread,) = spreads(values[:, None], person)
    assert spread.seen[1] == 250.0  # the ninth other person from above is at 242


def test_missing_values_are_left_out_and_few_people_are_told_nothing_of():
    values = np.where(np.arange(300) < 201, np.nan, 1.0)
    assert spreads(values[:, None], np.arange(300)) == [None]
    assert spreads(np.ones((99, 1)), np.arange(99)) == [None]
    assert spreads(np.ones((200, 1)), np.arange(200) % 50) == [None]

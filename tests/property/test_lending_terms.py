"""Damaged lending terms: each is refused with a typed error, or decides without a crash."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from saakh.decide import decide
from saakh.errors import SaakhError
from saakh.terms_json import read
from tests.lending_terms import asks, lender, raw, strategy

JSON = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=6) | st.just([])
TEST = {"challenger": strategy("challenger"), "share": 0.5, "salt": "spring"}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


PLACES = places(raw(lender(), lender("b"), experiment=TEST))[1:]


@given(st.sampled_from(PLACES), JSON, st.floats(0, 1), st.integers(1, 200_000))
def test_one_value_changed_is_refused_or_decided_by(place, value, pd, rupees):
    said: Any = deepcopy(raw(lender(), lender("b"), experiment=TEST))
    inside = said
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    try:
        decision = decide(read(said), asks(rupees, months=None), pd, 600)
    except SaakhError:
        return
    for offer in decision.offers:
        assert 0 < offer.net_minor <= offer.amount_minor <= rupees * 100
        assert offer.paid_minor - offer.net_minor == offer.cost_minor
        assert offer.apr >= 0

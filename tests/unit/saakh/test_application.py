"""Applications out of JSON: what is not right is refused by name, and nothing of the value is repeated."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saakh.application import Application
from saakh.errors import ContractError
from tests.lending_terms import TODAY

GIVEN = {"id": "a", "on": "2026-06-01", "amount_minor": 500_000}


def test_what_is_not_given_is_not_known():
    assert Application.from_dict(GIVEN) == Application("a", TODAY, 500_000)
    assert Application.from_dict(GIVEN | {"obligations_minor": None, "months": None}) == Application(
        "a", TODAY, 500_000
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": None}, "needs id"),
        ({"on": "yesterday"}, "not a day"),
        ({"amount_minor": True}, "amount_minor is not of the kind expected"),
        ({"amount_minor": 5.5}, "amount_minor is not of the kind expected"),
        ({"amount_minor": 0}, "above zero"),
        ({"amount_minor": 10**16}, "beyond"),
        ({"is_adult": 1}, "is_adult is not of the kind expected"),
        ({"name": "somebody"}, "has no name"),
    ],
)
def test_what_is_not_right_is_named(change, said):
    with pytest.raises(ContractError, match=said):
        Application.from_dict(GIVEN | change)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*GIVEN, "months", "income_minor", "channel", "is_adult", "x"]), JSON))
def test_any_json_is_an_application_or_a_typed_error(change):
    try:
        Application.from_dict(GIVEN | change)
    except ContractError as error:
        assert len(str(error)) < 500

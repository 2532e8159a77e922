"""Features declared in tests as if they stood in a family's module."""

from collections.abc import Callable
from typing import Any

import pytest

from features.declare import REGISTRY, Feature, Unit, feature
from features.sources import Source
from features.tables import calls
from saakh.errors import DeclarationError

Body = Callable[[Any], Any]


def declare(body: Body, source: Source = calls, *, module: str = "features.social", **said: Any) -> Feature:
    """The body declared as if it stood in that module."""
    body.__module__ = module
    feature(source, **{"unit": Unit.COUNT, "reason": "Few calls"} | said)(body)
    return REGISTRY[body.__name__]


def refused(body: Body, source: Source = calls, **said: Any) -> str:
    """What the refusal says; nothing is registered."""
    before = dict(REGISTRY)
    with pytest.raises(DeclarationError) as error:
        declare(body, source, **said)
    assert before == REGISTRY
    return str(error.value)


def calls_made(call):
    """Number of calls made."""
    return call.count(where=call.direction == "out")

"""Claims hold with compiled code and without; features declared in tests leave no trace; engines near and far."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from features.declare import REGISTRY, Feature
from pipeline.arrays import kernel
from tests.dealt_rows import needs_compiled
from tests.declaring import Body, declare
from tests.measuring import asked_of_the_engine


@pytest.fixture(params=[pytest.param("compiled", marks=needs_compiled), "numpy"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(kernel, "IS_THERE", False)


@pytest.fixture
def declared() -> Iterator[Callable[..., Feature]]:
    """Declares a body as a feature of a name, until the test ends."""
    before = dict(REGISTRY)

    def made(source: Any, body: Body, *, name: str, **said: Any) -> Feature:
        body.__name__, body.__doc__ = name, "A measure made up for this test."
        return declare(body, source, **said)

    yield made
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that `engine` was asked to measure itself."""
    return asked_of_the_engine(monkeypatch)

"""Declarations made in tests leave no trace."""

from collections.abc import Iterator

import pytest

import features.catalogue  # noqa: F401 - the real features are declared before any test adds its own
from features.declare import REGISTRY


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Iterator[None]:
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)

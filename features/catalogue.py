"""All declared features, by family and by table, and the fingerprint of them together."""

import hashlib
import pkgutil
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from features.declare import REGISTRY, Feature
from features.graph import BY_COLUMN
from features.windows import CALENDAR, Calendar
from saakh.errors import ConfigError
from saakh.spec import FAMILIES, FeatureSpec


def _modules(family: str) -> tuple[ModuleType, ...]:
    """The modules of a family, by name; importing them declares their features."""
    package = import_module(f"features.{family}")
    return tuple(import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))


MODULES = {family: _modules(family) for family in FAMILIES}


def all_features() -> tuple[Feature, ...]:
    """Every declared feature, in the order of families and declarations."""
    return tuple(f for family in FAMILIES for f in REGISTRY.values() if f.family == family)


def named(name: str) -> Feature:
    """The feature of that name or with a column of that name, of the graph too; a `ConfigError` suggests close ones."""
    for feature in (*all_features(), *BY_COLUMN.values()):
        if name == feature.name or name in feature.columns:
            return feature
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name, [*REGISTRY, *BY_COLUMN], n=3)
    hint = f"did you mean {', '.join(close)}?" if close else "`saakh features list` shows them all"
    raise ConfigError(f"no feature '{name}'; {hint}")


def specs_of(features: Iterable[Feature], calendar: Calendar = CALENDAR) -> tuple[FeatureSpec, ...]:
    """The specs of every column of these features, measured by this calendar."""
    return tuple(spec for feature in features for spec in feature.specs(calendar))


def fingerprint(specs: Iterable[FeatureSpec]) -> str:
    """The SHA-256 of these specs' fingerprints: the version of a catalogue."""
    return hashlib.sha256("\n".join(s.fingerprint for s in specs).encode()).hexdigest()

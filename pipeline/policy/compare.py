"""What falls away from one choice of policies to another: tables, columns, features, categories, and bounds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from features.catalogue import all_features
from features.columns import PURPOSES
from features.declare import Feature
from features.graph import FEATURES as GRAPH
from pipeline.policy.bars import allowed, barred_by, barred_tables
from pipeline.policy.schema import BOUNDED, Most, Policy, in_words
from saakh.spec import FeatureSpec

KNOWN = (*all_features(), *GRAPH)


class Taken(NamedTuple):
    """Features that go for one reason: which, and how many columns they make."""

    why: str
    features: tuple[str, ...]
    columns: int


@dataclass(frozen=True)
class Removed:
    """What some policies take from columns: how many features and columns there were and are left, and why.

    `categories` are those of which nothing is left.
    """

    features: tuple[int, int]
    columns: tuple[int, int]
    categories: tuple[str, ...]
    taken: tuple[Taken, ...]


def removed(specs: Iterable[FeatureSpec], policies: Sequence[Policy]) -> Removed:
    """What policies take from the columns of a run."""
    columns = {spec.name for spec in specs}
    return _removed([(f, n) for f in KNOWN if (n := len(columns & set(f.columns)))], policies)


def fallen(before: Policy, after: Policy) -> Removed:
    """What the second policy takes from all that the first lets be measured."""
    return _removed([(f, len(f.columns)) for f in KNOWN if allowed(f, [before])], [after])


def left(specs: Sequence[FeatureSpec], policies: Sequence[Policy]) -> list[FeatureSpec]:
    """The columns that policies leave, in their order."""
    kept = {column for feature in KNOWN if allowed(feature, policies) for column in feature.columns}
    return [spec for spec in specs if spec.name in kept]


def tables_closed(before: Policy, after: Policy) -> list[str]:
    """The tables that the second policy bars and the first does not."""
    return sorted(barred_tables([after]) - barred_tables([before]))


def columns_closed(before: Policy, after: Policy) -> list[str]:
    """The columns that the second policy bars by name and the first does not."""
    return sorted(set(after.barred.columns) - set(before.barred.columns))


def bounds_set(policy: Policy) -> dict[str, str]:
    """A policy's bounds as people read them, by purpose; those of every purpose once."""
    said = {purpose: _bounds(policy, purpose) for purpose in PURPOSES}
    if len(set(said.values())) == 1:
        said = {"every purpose": said[PURPOSES[0]]}
    return {purpose: words for purpose, words in said.items() if words}


def bounds_tightened(before: Policy, after: Policy) -> list[str]:
    """The bounds of the second policy that the first does not set, or sets wider."""
    lines: dict[str, list[str]] = {}
    for purpose in PURPOSES:
        former = dict(before.bounds_for(purpose))
        for name, most in after.bounds_for(purpose):
            if most is not None and _is_wider(former[name], most):
                was = "no bound" if former[name] is None else in_words(former[name])
                lines.setdefault(f"{BOUNDED[name]}: {in_words(most)} (was: {was})", []).append(purpose)
    return [f"{_named(purposes)}: {line}" for line, purposes in lines.items()]


def _named(purposes: Sequence[str]) -> str:
    return "every purpose" if len(purposes) == len(PURPOSES) else ", ".join(purposes)


def _bounds(policy: Policy, purpose: str) -> str:
    told = [f"{BOUNDED[name]}: {in_words(most)}" for name, most in policy.bounds_for(purpose) if most is not None]
    return "; ".join(told)


def _is_wider(former: Most | None, most: Most) -> bool:
    if isinstance(former, int) and isinstance(most, int):
        return former > most
    return former is None or not set(former) <= set(most)  # type: ignore[arg-type]


def _removed(measured: Sequence[tuple[Feature, int]], policies: Sequence[Policy]) -> Removed:
    taken: dict[str, list[tuple[Feature, int]]] = {}
    for feature, columns in measured:
        taken.setdefault(barred_by(feature, policies), []).append((feature, columns))
    stay = taken.pop("", [])
    before = dict.fromkeys(f.table.category.value for f, _ in measured)
    after = {f.table.category.value for f, _ in stay}
    return Removed(
        (len(measured), len(stay)),
        (sum(n for _, n in measured), sum(n for _, n in stay)),
        tuple(category for category in before if category not in after),
        tuple(Taken(why, tuple(f.name for f, _ in some), sum(n for _, n in some)) for why, some in taken.items()),
    )

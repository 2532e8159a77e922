"""What policies bar, and why in words. Several add up: a feature is measured when all of them let it be."""

from collections.abc import Iterable, Iterator

from features.catalogue import named
from features.columns import Sensitivity, Table
from features.declare import Feature
from features.graph import social_graph
from pipeline.policy.schema import TABLES, Policy
from saakh.spec import FeatureSpec


def allowed(measured: Feature | FeatureSpec, policies: Iterable[Policy]) -> bool:
    """Whether every one of these policies lets a feature be measured."""
    return not barred_by(measured, policies)


def barred_by(measured: Feature | FeatureSpec, policies: Iterable[Policy]) -> str:
    """Which policy bars a feature, and why, in words; nothing when none does.

    A spec is judged by the declaration of its name.
    """
    feature = measured if isinstance(measured, Feature) else named(measured.name)
    return next((f"{policy.name} {why}" for policy in policies for why in _why(policy, feature)), "")


def barred_tables(policies: Iterable[Policy]) -> frozenset[str]:
    """The tables of which nothing may be read, those joined of barred ones too."""
    barred = {name for policy in policies for name in policy.barred.tables}
    return frozenset(table.name for table in TABLES.values() if barred & {table.name, *table.sources})


def reads(feature: Feature) -> frozenset[str]:
    """The columns a feature depends on, as `table.column`, those of the tables its own is joined of too.

    What a joined table makes itself may be made of any column of its sources, and counts as all of them.
    """
    return frozenset(name for column in feature.lineage for name in _origins(feature.table, column))


def _origins(table: Table, column: str) -> Iterator[str]:
    yield f"{table.name}.{column}"
    sources = [TABLES[name] for name in table.sources]
    is_made = not any(column in source.by_name for source in sources)
    for source in sources:
        yield from (f"{source.name}.{name}" for name in source.by_name if is_made or name == column)


def _why(policy: Policy, feature: Feature) -> Iterator[str]:
    barred, told = policy.barred, feature.sensitivity
    if feature.name in barred.features:
        yield f"bars the feature {feature.name}"
    if feature.family in barred.families:
        yield f"bars the family {feature.family}"
    if tables := [name for name in (feature.table.name, *feature.table.sources) if name in barred.tables]:
        yield f"bars the table {', '.join(tables)}"
    if barred.columns and (columns := sorted(reads(feature) & set(barred.columns))):
        yield f"bars the column {', '.join(columns)}"
    if told in barred.sensitivities:
        yield f"bars what is of sensitivity {told}"
    if told is not Sensitivity.ORDINARY and told not in policy.allows.sensitivities:
        yield f"does not allow what is of sensitivity {told}"
    if feature.table is social_graph and not policy.allows.social_graph:
        yield "does not allow the graph of all people"
    if phrase := policy.reasons.phrase_in(feature.reason):
        yield f"bans the words '{phrase}' in a reason"

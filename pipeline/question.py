"""What a run asks of its people: which features of which tables, for what, by which consents, within which policies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis.expr.types as ir

from features.catalogue import all_features, specs_of
from features.columns import Table
from features.declare import Feature
from features.graph import FEATURES as GRAPH
from features.graph import social_graph
from features.joined import BUILD, JOINED
from features.tables import BY_NAME, EVENT_TABLES
from features.windows import CALENDAR, Calendar
from pipeline.engines import Engine
from pipeline.gate import NO_BOUNDS, Bounds
from pipeline.params import Params
from pipeline.policy import Policy, allowed, barred_tables, bounds_for, read_policies
from pipeline.workspace import Workspace, read_json
from saakh.errors import ConfigError, EmptyInputError
from saakh.spec import FeatureSpec


@dataclass(frozen=True)
class Question:
    """What is asked of a batch: which features of which people's events, for what, by what calendar.

    `events` holds none of the tables that a policy bars, which are `barred`. `graph` are the features of the graph of
    all people, which are measured on the whole cohort at once.
    """

    consents: ir.Table
    events: Mapping[str, ir.Table]
    features: tuple[Feature, ...]
    purpose: str
    calendar: Calendar = CALENDAR
    bounds: Bounds = NO_BOUNDS
    barred: frozenset[str] = frozenset()
    graph: tuple[Feature, ...] = ()

    def only(self, columns: Collection[str]) -> "Question":
        """The question that asks for these columns alone, and for no window that none of them is of."""
        found = (_only(feature, columns) for feature in self.features)
        graph = tuple(feature for feature in self.graph if set(feature.columns) & set(columns))
        return replace(self, features=tuple(feature for feature in found if feature), graph=graph)

    def is_ingested(self, table: Table) -> bool:
        """Whether a table is there, or those that it is made of."""
        return table.name in self.events or (bool(table.sources) and set(table.sources) <= set(self.events))

    def rows(self, table: Table) -> ir.Table:
        """The rows of a table that was ingested."""
        return self.events[table.name] if table.name in self.events else BUILD[table.name](self.events)

    @property
    def specs(self) -> tuple[FeatureSpec, ...]:
        """The specs of all columns, in their order."""
        return specs_of((*self.features, *self.graph), self.calendar)


def _only(feature: Feature, columns: Collection[str]) -> Feature | None:
    """A feature on those of its windows that these columns are of; None when none is."""
    cuts = [cut for name, cut in feature.columns.items() if name in columns]
    if not cuts:
        return None
    wanted = {cut.window for cut in cuts}
    windows = tuple(days for days in feature.windows if days in wanted)
    return replace(feature if any(cut.parts for cut in cuts) else feature.whole, windows=windows)


def asked(params: Params, ws: Workspace, engine: Engine) -> Question:
    """What a run asks of its workspace. A table that a policy bars is not even looked for."""
    said = read_json(ws.need("cohort", "cohort.json"))
    refuse_other_policies(params, said, "cohort")
    policies = read_policies(params.policy)
    consents = engine.canonical(ws, BY_NAME["consents"])
    barred = barred_tables(policies)
    sources = {*EVENT_TABLES, *(BY_NAME[name] for table in (*JOINED, social_graph) for name in table.sources)}
    open_ = (table for table in sources if table.name not in barred)
    events = {table.name: rows for table in open_ if (rows := engine.find(ws, table)) is not None}
    features = chosen(params, tuple(events), policies)
    if not features:
        closed = f"; barred by policy: {', '.join(sorted(barred))}" if barred else ""
        raise EmptyInputError(
            f"no feature can be derived from the tables ingested: {', '.join(events) or 'none'}{closed}"
        )
    return Question(
        consents,
        events,
        tuple(f for f in features if f not in GRAPH),
        said["purpose"],  # that of the cohort, whatever is asked now
        params.derive.calendar,
        bounds_for(policies, said["purpose"]),
        barred,
        tuple(f for f in features if f in GRAPH),
    )


def chosen(params: Params, available: Sequence[str], policies: Sequence[Policy]) -> tuple[Feature, ...]:
    """The features to derive: of the tables at hand, what every policy allows and `derive.leave_out` does not name.

    Without `derive.splits`, on whole windows alone. The graph of all people needs a table of contacts beside calls or
    messages.
    """
    known = (*all_features(), *GRAPH)
    made = {t.name for t in JOINED if set(t.sources) <= set(available)}
    if "contact_names" in available and {"calls", "messages"} & set(available):
        made.add(social_graph.name)
    there = {*available, *made}
    names = {f.name for f in known} | {f.family for f in known} | {f.table.name for f in known}
    if unknown := sorted(set(params.derive.leave_out) - names):
        raise ConfigError(f"derive.leave_out names no feature, family or table: {', '.join(unknown)}")
    left_out = set(params.derive.leave_out)
    return tuple(
        f if params.derive.splits else f.whole
        for f in known
        if f.table.name in there and not {f.name, f.family, f.table.name} & left_out and allowed(f, policies)
    )


def refuse_other_policies(params: Params, said: Mapping[str, Any], stage: str) -> None:
    """Stop when an earlier stage, whose account `said` is, ran under other policies than are named now."""
    before = tuple(said.get("policies", params.policy))
    if before != params.policy:
        raise ConfigError(
            f"{stage} ran under {' + '.join(before)}, and now the policy is {params.policies}; rerun `saakh {stage}`"
        )

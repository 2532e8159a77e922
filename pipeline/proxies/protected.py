"""What no score may know, read for an audit alone: protected attributes and life events, under consent for research.

Nothing else in the pipeline reads a protected column, and nothing but audits reads this module: a test holds both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import tables
from features.catalogue import all_features
from features.columns import Kind, Sensitivity
from features.declare import Feature
from models.arrays import Floats
from pipeline.asof import visible
from pipeline.derive import COHORT, KEY, Batches
from pipeline.engines import Engine, open_engine
from pipeline.gate import openings
from pipeline.params import Params
from pipeline.policy import Policy, barred_by, bounds_for, read_policies, read_policy
from pipeline.policy.schema import Barred
from pipeline.question import Question
from pipeline.summary import Tell, quiet
from pipeline.workspace import Workspace
from saakh.errors import ConfigError

PURPOSE = "research"
ATTRIBUTE, LIFE_EVENT = "protected attribute", "life event"
PROTECTED = tuple(c for c in tables.people.columns if c.sensitivity is Sensitivity.PROTECTED)
HAPPENED_ABOVE: Mapping[str, float] = MappingProxyType(
    {
        "job_change_salary_share": 0.5,
        "job_change_place_share": 0.5,
        "pay_interruption": 1.0,
        "promotion_pay_ratio": 1.15,
        "separation_tie_loss": 0.25,
        "move_night_share": 0.5,
    }
)
"""From which value on a trace counts as a life event. Others count from the greatest tenth of their values."""
GREATEST = 0.9


@dataclass(frozen=True)
class Target:
    """What features might tell of people: 1 where it holds, 0 where not, NaN where nobody agreed to be looked at."""

    name: str
    kind: str
    meaning: str
    value: Floats


def targets(params: Params, ws: Workspace, application: pa.Array, tell: Tell = quiet) -> list[Target]:
    """Everything to be audited, one value for each of these applications, under consent for `research`."""
    policies = lent(params)
    with closing(open_engine(params)) as engine:
        cohort = engine.read(ws.need("cohort", "cohort.parquet"), COHORT).select(COHORT)
        held = engine.arrow(cohort, ["person_id", KEY])
        declared = _declared(engine, ws, held, policies)
        traced = _traced(engine, params, ws, held, policies, tell)
    cuts = params.proxies.age_cuts_years
    return [*attributes(_of(declared, application), cuts), *life_events(_of(traced, application))]


def declared(params: Params, ws: Workspace, application: pa.Array) -> pa.Table:
    """The protected columns as each application's person had declared them, under consent for `research`, else null."""
    policies = lent(params)
    with closing(open_engine(params)) as engine:
        cohort = engine.read(ws.need("cohort", "cohort.parquet"), COHORT).select(COHORT)
        rows = _declared(engine, ws, engine.arrow(cohort, ["person_id", KEY]), policies)
    return _of(rows, application)


def lent(params: Params) -> tuple[Policy, ...]:
    """The audit's own policy, and those of the run in as far as they hold for it: tables to leave alone, and bounds.

    What else they keep from a score is what the audit looks for in it.
    """
    own = read_policy(params.proxies.policy)
    if Sensitivity.LIFE_EVENT not in own.allows.sensitivities:
        raise ConfigError(
            f"proxies.policy is {own.name}, under which no life event may be measured; `research-opt-in` allows it"
        )
    run = read_policies(params.policy)
    held = {"allows": own.allows, "reasons": own.reasons}
    return (*(p.model_copy(update=held | {"barred": Barred(tables=p.barred.tables)}) for p in run), own)


def barred(policies: Sequence[Policy]) -> dict[str, str]:
    """What these policies keep even the audit from looking at, each with the reason."""
    found = {f.name: why for f in life_event_features() if (why := barred_by(f, policies))}
    for policy in policies:
        whole = tables.people.name in policy.barred.tables
        names = [c.name for c in PROTECTED if whole or f"{tables.people.name}.{c.name}" in policy.barred.columns]
        found |= dict.fromkeys(names, f"{policy.name} bars it")
    return found


def attributes(declared: pa.Table, age_cuts_years: Iterable[int]) -> Iterator[Target]:
    """The protected attributes as targets: each side of an age, each value of a category but a last one of two."""
    for column in (c for c in PROTECTED if c.name in declared.column_names):
        known = declared[column.name]
        if column.kind is Kind.CATEGORY:
            there = [value for value in column.values if pc.any(pc.equal(known, value)).as_py()]
            for value in there[:1] if len(there) <= 2 else there:
                meaning = f"{column.name} declared as {value}"
                yield Target(f"{column.name}_{value}", ATTRIBUTE, meaning, _numbers(pc.equal(known, value)))
        else:
            for cut in age_cuts_years:
                meaning = f"{column.name} declared as {cut} or more"
                yield Target(f"{column.name}_from_{cut}", ATTRIBUTE, meaning, _numbers(pc.greater_equal(known, cut)))


def life_events(traced: pa.Table) -> Iterator[Target]:
    """The life events as targets: a trace above its bound."""
    for feature in life_event_features():
        for column, cut in ((c, cut) for c, cut in feature.columns.items() if c in traced.column_names):
            value = _numbers(traced[column])
            there = value[~np.isnan(value)]
            bound = HAPPENED_ABOVE.get(feature.name, float(np.quantile(there, GREATEST)) if len(there) else 0.0)
            meaning = f"{feature.described(cut).rstrip('.')}: above {bound:g}"
            yield Target(column, LIFE_EVENT, meaning, np.where(np.isnan(value), np.nan, value > bound))


def life_event_features() -> tuple[Feature, ...]:
    """The declared features that tell of a life event; `derive` leaves them out."""
    return tuple(f for f in all_features() if f.sensitivity is Sensitivity.LIFE_EVENT)


def _declared(engine: Engine, ws: Workspace, cohort: pa.Table, policies: Sequence[Policy]) -> pa.Table:
    """What each application's person had declared last before it, where research may look: the protected columns."""
    names = [c.name for c in PROTECTED if c.name not in barred(policies)]
    people = engine.find(ws, tables.people) if names else None
    if people is None:
        return pa.table({KEY: pa.array([], pa.string())} | {n: pa.nulls(0) for n in names})
    asking, consents = engine.table(cohort), engine.canonical(ws, tables.consents)
    asked = asking.select(KEY, "person_id", "asked_at")
    seen = visible(asking, openings(asked, consents, PURPOSE, bounds_for(policies, PURPOSE)), people, tables.people)
    rows = engine.arrow(seen.select(KEY, "event_at", "available_at", *names), [KEY, "event_at", "available_at"])
    keys = rows[KEY].to_numpy(zero_copy_only=False)
    last = np.flatnonzero(np.r_[keys[1:] != keys[:-1], True][: len(keys)])
    return rows.take(pa.array(last)).select([KEY, *names])


def _traced(
    engine: Engine, params: Params, ws: Workspace, cohort: pa.Table, policies: Sequence[Policy], tell: Tell
) -> pa.Table:
    """The life events' traces, derived like any feature, for `research`."""
    features = tuple(f for f in life_event_features() if f.name not in barred(policies))
    if not features:
        return pa.table({KEY: pa.array([], pa.string())})
    there = {f.table.name: engine.find(ws, f.table) for f in features}
    events = {name: rows for name, rows in there.items() if rows is not None}
    consents, bounds = engine.canonical(ws, tables.consents), bounds_for(policies, PURPOSE)
    question = Question(consents, events, features, PURPOSE, params.derive.calendar, bounds)
    return pa.concat_tables(list(Batches(engine, cohort, question, params.memory_gb, tell)))


def _of(rows: pa.Table, application: pa.Array) -> pa.Table:
    """The rows of these applications, null where there is none."""
    where = pc.index_in(application, rows[KEY].combine_chunks())
    return rows.drop_columns([KEY]).take(where)


def _numbers(values: pa.ChunkedArray) -> Floats:
    """As numbers, NaN where null."""
    return np.asarray(pc.cast(values, pa.float64()).to_numpy(), dtype=np.float64)

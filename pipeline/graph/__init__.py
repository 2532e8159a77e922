"""The social graph: what the ties among consenting people say about each application, by monthly vintages.

One graph serves all applications of a calendar month (UTC): the people and defaults known before its first moment. The
applicant's own calls, messages and numbers are those of the snapshot, under the consent asked about there; so whoever
agrees only when applying is measured like everyone else, and nobody's value depends on who else is in the cohort.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.bind import bound
from features.graph import FEATURES, social_graph
from features.sources import view_of
from models.arrays import Times
from pipeline.canonical import schema
from pipeline.engines import Engine
from pipeline.gate import Bounds
from pipeline.graph.edges import KEY, forget, of_applicants, standing
from pipeline.graph.vintages import Records
from saakh.errors import ConfigError

COLUMNS = (KEY, "person_id", "snapshot_at", "asked_at")


def graph_features(
    engine: Engine,
    cohort: pa.Table,
    consents: ir.Table,
    tables: Mapping[str, ir.Table],
    purpose: str,
    as_of: datetime,
    dpd_days: int,
    bounds: Bounds,
) -> pa.Table:
    """The features of `features.graph`, a row an application, sorted by `application_id`.

    Args:
        engine: where to compute.
        cohort: `application_id`, `person_id`, `snapshot_at`, `asked_at`; all of it at once.
        consents: the canonical consents.
        tables: canonical tables by name: `contact_names`, `calls` or `messages` or both, and `repayments` if there are.
        purpose: what the data are wanted for.
        as_of: the run's recorded moment.
        dpd_days: from how many days past due an instalment is in default.
        bounds: the policy's on artefacts for this purpose.

    All features are null where the applicant shows no call, message or number of their own, by refusal or because there
    is none. Everyone else's consent must be in force at the vintage for `score`, at `as_of` for any other purpose.
    """
    if "contact_names" not in tables or not {"calls", "messages"} & set(tables):
        have = ", ".join(sorted(tables)) or "none"
        raise ConfigError(f"the graph needs contact_names, and calls or messages; there are: {have}; ingest them")
    counted = counts(engine, cohort, consents, tables, purpose, as_of, dpd_days, bounds)
    rows, view = engine.table(counted, social_graph.name), view_of(social_graph)
    measured = engine.arrow(rows.select(KEY, **{f.name: bound(f.expr, view, rows) for f in FEATURES}), [KEY])
    engine.drop(social_graph.name)
    every = pa.table({KEY: cohort[KEY]}).sort_by(KEY)
    position = pc.index_in(every[KEY], value_set=measured[KEY].combine_chunks())
    return pa.table({KEY: every[KEY], **{f.name: measured[f.name].take(position) for f in FEATURES}})


def counts(
    engine: Engine,
    cohort: pa.Table,
    consents: ir.Table,
    tables: Mapping[str, ir.Table],
    purpose: str,
    as_of: datetime,
    dpd_days: int,
    bounds: Bounds,
) -> pa.Table:
    """The rows of `social_graph`: one an application whose applicant shows anything; arguments as above."""
    vintage = cohort["snapshot_at"].to_numpy().astype("M8[M]").astype("M8[us]")
    dated = cohort.select(COLUMNS).append_column("vintage", pa.array(vintage))
    made = [schema(social_graph).empty_table()]
    for asked_at, before in _moments(vintage, purpose, as_of):
        people = standing(engine, consents, tables, purpose, asked_at, before, dpd_days, bounds)
        of_moment = dated if purpose != "score" else dated.filter(pa.array(vintage == np.datetime64(before)))
        ties, shown = of_applicants(engine, of_moment, consents, tables, purpose, people, bounds)
        made.extend(Records.read(engine, of_moment, people, ties, shown).counted())
        forget(engine)
    return pa.concat_tables(made)


def _moments(vintage: Times, purpose: str, as_of: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When consent is asked for, and the latest vintage then: `score` asks at each vintage, the others once."""
    vintages = [v.item() for v in np.unique(vintage)]
    if purpose == "score":
        yield from zip(vintages, vintages, strict=True)
    elif vintages:
        yield as_of.replace(tzinfo=None), vintages[-1]

"""Derive: what each application's consented past says, one row per application, one column per feature."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import all_features, fingerprint, specs_of
from features.columns import Sensitivity, Table
from features.declare import Feature
from features.plan import KEY, plan
from features.tables import BY_NAME, EVENT_TABLES
from features.windows import DAY_S
from pipeline import asof
from pipeline.engines import Engine, write_table
from pipeline.gate import openings
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, read_json, write_json
from saakh.errors import ConfigError, EmptyInputError

STATUSES = ("present", "silent", "closed", "absent")
COHORT = (KEY, "person_id", "snapshot_at", "asked_at")
COVERAGE = (KEY, "source", "status", "rows_seen", "last_lag_days")


@dataclass(frozen=True)
class Derived:
    """What the stage makes, sorted by application.

    `matrix` has one row an application and one column a feature, `coverage` one row an application and source;
    `too_late` counts, by table, the consented events that happened or were received too late to be seen.
    """

    matrix: pa.Table
    coverage: pa.Table
    too_late: Mapping[str, int]


def chosen(params: Params, available: Sequence[str]) -> tuple[Feature, ...]:
    """The features to derive: those of the tables that were ingested, less what `derive.leave_out` names.

    Features with a sensitivity beyond ordinary are barred.
    """
    known = all_features()
    names = {f.name for f in known} | {f.family for f in known} | {f.table.name for f in known}
    if unknown := sorted(set(params.derive.leave_out) - names):
        raise ConfigError(f"derive.leave_out names no feature, family or table: {', '.join(unknown)}")
    left_out = set(params.derive.leave_out)
    return tuple(
        f
        for f in known
        if f.table.name in available
        and f.sensitivity is Sensitivity.ORDINARY
        and not {f.name, f.family, f.table.name} & left_out
    )


def derive(
    engine: Engine,
    cohort: ir.Table,
    consents: ir.Table,
    events: Mapping[str, ir.Table],
    features: Sequence[Feature],
    purpose: str,
    tell: Tell = quiet,
) -> Derived:
    """The feature matrix and the coverage of its sources.

    Args:
        engine: where to compute.
        cohort: `application_id`, `person_id`, `snapshot_at`, `asked_at`.
        consents: the canonical consents.
        events: canonical tables by name; those not there were never ingested.
        features: what to measure.
        purpose: what the data are wanted for.
        tell: hears of each table done.

    A feature is null where its source is closed by refusal or shows nothing at all: missing is not zero. Coverage has a
    row per application and source: `present`, `silent` (open, no event), `closed` (no consent) or `absent` (not
    ingested), the number of rows seen, and the days since the last.
    """
    opened = engine.keep(openings(cohort.select(KEY, "person_id", "asked_at"), consents, purpose))
    keys = engine.arrow(cohort.select(KEY), [KEY])
    matrix, coverage, too_late = keys, [], {}
    for done, table in enumerate(EVENT_TABLES):
        tell(table.name, done, len(EVENT_TABLES))
        if table.name not in events:
            coverage.append(_absent(keys, table))
            continue
        rows = engine.keep(asof.visible(cohort, opened, events[table.name], table))
        too_late[table.name] = engine.count(asof.too_late(cohort, opened, events[table.name], table))
        coverage.append(engine.arrow(covered(cohort, opened, rows, table), [KEY]))
        if wanted := [f for f in features if f.table is table]:
            matrix = _beside(matrix, engine.arrow(plan(rows, table, wanted), [KEY]))
        engine.forget(rows)
    engine.forget(opened)
    tell("derive", len(EVENT_TABLES), len(EVENT_TABLES))
    ordered = matrix.select([KEY, *(column for f in features for column in f.columns)])
    return Derived(ordered, pa.concat_tables(coverage), too_late)


def covered(cohort: ir.Table, opened: ir.Table, rows: ir.Table, table: Table) -> ir.Table:
    """What each application shows of one source: its status, the rows seen, the days since the last."""
    is_open = opened.filter(opened.category == table.category.value).select(KEY).distinct().mutate(is_open=True)
    seen = rows.group_by(KEY).aggregate(rows_seen=rows.count(), last_at=rows.event_at.max())
    row = cohort.select(KEY, "snapshot_at").left_join(is_open, KEY).drop(f"{KEY}_right")
    row = row.left_join(seen, KEY).drop(f"{KEY}_right")
    lag_s = row.snapshot_at.epoch_seconds() - row.last_at.truncate("s").epoch_seconds()
    return row.select(
        KEY,
        source=ibis.literal(table.name),
        status=ibis.cases((row.is_open.isnull(), "closed"), (row.rows_seen.isnull(), "silent"), else_="present"),
        rows_seen=row.rows_seen.fill_null(0).cast("int64"),
        last_lag_days=(lag_s // DAY_S).cast("int64"),
    )


def _absent(keys: pa.Table, table: Table) -> pa.Table:
    """Coverage of a source that was never ingested."""
    count = keys.num_rows
    columns = [[table.name] * count, ["absent"] * count, pa.array([0] * count, pa.int64()), pa.nulls(count, pa.int64())]
    return pa.Table.from_arrays([keys.column(KEY).combine_chunks(), *map(pa.array, columns)], names=COVERAGE)


def _beside(matrix: pa.Table, measured: pa.Table) -> pa.Table:
    """The measured columns beside the matrix, null for applications that were not measured."""
    position = pc.index_in(matrix.column(KEY), value_set=measured.column(KEY).combine_chunks())
    for name in measured.column_names:
        if name != KEY:
            matrix = matrix.append_column(name, measured.column(name).take(position))
    return matrix


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Read the cohort and every ingested table, write the feature matrix, its specs and the coverage of its sources."""
    with timed("derive") as summary, closing(Engine(params.threads, params.memory_gb)) as engine:
        cohort = engine.read(ws.need("cohort", "cohort.parquet"), COHORT)
        purpose = read_json(ws.need("cohort", "cohort.json"))["purpose"]  # that of the cohort, whatever is asked now
        consents = engine.read(ws.need("ingest", "consents.parquet"), BY_NAME["consents"].by_name)
        paths = {t.name: ws.root / "ingest" / f"{t.name}.parquet" for t in EVENT_TABLES}
        events = {name: engine.read(path, BY_NAME[name].by_name) for name, path in paths.items() if path.exists()}
        features = chosen(params, tuple(events))
        if not features:
            raise EmptyInputError(f"no feature can be derived from the tables ingested: {', '.join(events) or 'none'}")
        derived = derive(engine, cohort, consents, events, features, purpose, tell)
        account = _write(ws, derived, features)
        summary.rows_in, summary.rows_out = (
            account["events_seen"] + sum(derived.too_late.values()),
            account["applications"],
        )
        summary.counts = {
            "features": len(features),
            "columns": account["columns"],
            "events seen": account["events_seen"],
        }
        summary.counts["events too late to be seen"] = sum(derived.too_late.values())
    return summary


def _write(ws: Workspace, derived: Derived, features: Sequence[Feature]) -> dict[str, Any]:
    """Write what was derived, and its account, which is returned."""
    folder, specs, matrix, coverage = ws.stage("derive"), specs_of(features), derived.matrix, derived.coverage
    write_table(folder / "features.parquet", matrix)
    write_table(folder / "coverage.parquet", coverage)
    write_json(folder / "specs.json", [spec.as_dict() for spec in specs])
    status = coverage.group_by(["source", "status"], use_threads=False).aggregate([([], "count_all")])
    shares = {t.name: dict.fromkeys(STATUSES, 0) for t in EVENT_TABLES}
    for row in status.to_pylist():
        shares[row["source"]][row["status"]] = row["count_all"]
    account = {
        "applications": matrix.num_rows,
        "columns": matrix.num_columns - 1,
        "catalogue_fingerprint": fingerprint(specs),
        "events_seen": int(pc.sum(coverage["rows_seen"]).as_py()),
        "events_too_late": derived.too_late,
        "coverage": shares,
    }
    write_json(folder / "derive.json", account)
    return account

"""Check: every canonical table against the rules its declaration implies; a broken rule stops the run.

Whatever is wrong is named by table, rule and row position, never by value.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Table
from features.tables import BY_NAME, TABLES
from pipeline.check.docs import write_docs
from pipeline.check.expectations import Relation, Suite, Tables, number_claim, numbered, suite
from pipeline.check.frames import Examiner
from pipeline.check.page import page
from pipeline.check.report import Outcome, Report, TableReport
from pipeline.check.tables import Arrival, Limits, arrival_outcomes, read_arrivals, schema_outcomes, stale_streams
from pipeline.engines import Embedded, Engine
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json, write_text
from saakh.errors import ContractError

Outcomes = tuple[Outcome, ...]
Positions = npt.NDArray[np.int64]


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Check what ingest wrote; a `ContractError` names the rules that broke, after the report is written."""
    with timed("check") as summary:
        account, rejects = ws.need("ingest", "ingest.json"), ws.need("ingest", "rejects.parquet")
        if not (ws.root / "ingest" / "applications.parquet").exists():
            raise ContractError("no table applications was ingested; add a source for it to the mapping")
        files = {t.name: ws.root / "ingest" / f"{t.name}.parquet" for t in TABLES}
        limits = Limits(params.as_of, params.check.rejected_share_max, params.check.freshness_days_max)
        with closing(Embedded(params.threads, params.memory_gb)) as engine:
            tables = {name: engine.read(path) for name, path in files.items() if path.exists()}
            arrivals = read_arrivals(engine, account, rejects, tables)
            report = validate(engine, tables, limits, arrivals, tell)
        folder = ws.stage("check")
        write(report, params, folder)
        summary.rows_in = summary.rows_out = report.rows
        summary.counts = {"tables": len(report.tables), "rules": report.rules, "faults": report.faults}
        summary.facts = {"report": str(folder / "check.html")}
    if not report.passed:
        raise ContractError(
            f"{report.complaint()}. Positions count rows from 0; {folder / 'check.html'} lists them, "
            "ingest/rejects.parquet what was rejected. Correct the source or its mapping and run `saakh ingest` again"
        )
    return summary


def write(report: Report, params: Params, folder: Path) -> None:
    """The report as JSON, as a page of its own, and as the Data Docs of Great Expectations."""
    write_json(folder / "check.json", {"as_of": params.as_of.isoformat(), **report.as_dict()})
    write_text(folder / "check.html", page(report, params.as_of))
    write_docs(report, params.as_of, folder / "data_docs")


def validate(
    engine: Engine,
    tables: Tables,
    limits: Limits,
    arrivals: Mapping[str, Arrival],
    tell: Tell = quiet,
    declared: Mapping[str, Table] = BY_NAME,
) -> Report:
    """Ask every rule of every table that is there; pure: it reads the tables given and writes nothing.

    Positions count rows from 0 in the order in which the engine streams a table. Rules about rows are asked only where
    columns and types are as declared; elsewhere they are reported as not checked.
    """
    examiner = Examiner()
    suites = {name: suite(table) for name, table in declared.items() if name in tables}
    schemas = schema_outcomes(examiner, {name: tables[name] for name in suites}, declared)
    sound = {name: tables[name] for name, found in schemas.items() if not any(o.faults for o in found)}
    came = arrival_outcomes(examiner, arrivals, stale_streams(engine, sound, limits, declared), limits)
    reports = []
    for done, (name, asked) in enumerate(suites.items()):
        tell("check", done, len(suites))
        found = _examine_rows(examiner, engine, asked, sound)
        reports.append(TableReport(name, asked.table.grain, (*schemas[name], *came.get(name, ()), *found)))
    tell("check", len(suites), len(suites))
    return Report(tuple(reports), tuple(name for name in declared if name not in tables))


def _examine_rows(examiner: Examiner, engine: Engine, asked: Suite, sound: Tables) -> Outcomes:
    """The rules about rows, batch by batch in bounded memory, with positions counted over all batches."""
    name = asked.table.name
    if name not in sound:
        return tuple(Outcome(rule, is_checked=False) for rule in asked.rules)
    broken = {r.claim: _positions(engine, r, sound) for r in asked.relations if sound.keys() >= set(r.needs)}
    left_out = {r.claim for r in asked.relations} - broken.keys()
    rules = [rule for rule in asked.rules if rule.claim not in left_out]
    found = [Outcome(rule) for rule in rules]
    start = 0
    for batch in engine.batches(_with_equations(sound[name], asked)):
        frame = _with_flags(pa.Table.from_batches([batch]), broken, start).to_pandas()
        frame.index += start
        found = [sofar.and_then(more) for sofar, more in zip(found, examiner.examine(frame, rules), strict=True)]
        start += batch.num_rows
    return *found, *(Outcome(rule, is_checked=False) for rule in asked.rules if rule.claim in left_out)


def _positions(engine: Engine, relation: Relation, sound: Tables) -> Positions:
    """Where the rows are that break a claim about rows together."""
    rows = relation.broken({name: numbered(table) for name, table in sound.items()})
    found = engine.batches(rows.select("position")).read_all()
    return np.sort(found.column("position").to_numpy())


def _with_equations(rows: ir.Table, asked: Suite) -> ir.Table:
    """The rows with a yes-or-no column per equation; where a part is missing, the equation does not apply."""
    return rows.mutate(**{e.claim: e.holds(rows).fill_null(True) for e in asked.equations})


def _with_flags(rows: pa.Table, broken: Mapping[str, Positions], start: int) -> pa.Table:
    """The rows with a yes-or-no column per relation, and one per floating column that says where it holds NaN."""
    places = np.arange(start, start + rows.num_rows)
    for field in rows.schema:
        if pa.types.is_floating(field.type):
            held = pc.invert(pc.fill_null(pc.is_nan(rows.column(field.name)), False))
            rows = rows.append_column(number_claim(field.name), held)
    for claim, positions in broken.items():
        rows = rows.append_column(claim, pa.array(~np.isin(places, positions)))
    return rows

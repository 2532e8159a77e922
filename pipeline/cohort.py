"""Cohort: one row per application with its snapshot, and every application that is left out counted by reason."""

from contextlib import closing

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features import tables
from features.columns import Category
from pipeline.asof import covered
from pipeline.engines import open_engine, write_table
from pipeline.gate import openings
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json
from saakh.errors import EmptyInputError

KEPT = "kept"
COLUMNS = (
    *("application_id", "person_id", "applied_at", "snapshot_at", "asked_at"),
    *("disbursed_at", "amount_minor", "tenor_days", "rate_bp_month"),
)


def cohort(applications: ir.Table, consents: ir.Table, params: Params) -> ir.Table:
    """Every application with its `snapshot_at`, its `asked_at`, and why it is kept or left out (`verdict`).

    The snapshot is the moment of application, in whole seconds, rounded down. Consent to the lender's own record
    (category `credit`) must be open for the purpose at `asked_at`: the snapshot for `score`, `as_of` for any other; and
    it must cover the time of the application.
    """
    as_of = ibis.literal(params.as_of.replace(tzinfo=None)).cast("timestamp(6)")
    snapshot = applications.applied_at.truncate("s").cast("timestamp(6)")
    asked = snapshot if params.cohort.purpose == "score" else as_of
    rows = applications.mutate(snapshot_at=snapshot, asked_at=asked)
    opened = openings(rows.select("application_id", "person_id", "asked_at"), consents, params.cohort.purpose)
    credit = opened.filter(opened.category == Category.CREDIT.value)
    dated = rows.select("application_id", event_at=rows.applied_at).join(credit, "application_id")
    agreed = dated.filter(covered(dated)).select("application_id").distinct()
    judged = rows.left_join(agreed.mutate(is_open=True), "application_id")
    return judged.select(*COLUMNS, verdict=_verdict(judged, params, as_of))


def _verdict(row: ir.Table, params: Params, as_of: ir.Value) -> ir.StringValue:
    first, last = params.cohort.applied_from, params.cohort.applied_before
    outside = ibis.literal(False)
    if first is not None:
        outside = outside | (row.applied_at < ibis.literal(first.replace(tzinfo=None)))
    if last is not None:
        outside = outside | (row.applied_at >= ibis.literal(last.replace(tzinfo=None)))
    trains = ibis.literal(params.cohort.purpose == "train")
    return ibis.cases(
        (row.applied_at >= as_of, "applied after as_of"),
        (outside, "outside the period asked for"),
        (trains & ~row.is_accepted, "not granted"),
        (trains & row.disbursed_at.isnull(), "no date of payout"),
        (row.is_open.isnull(), f"no consent to {params.cohort.purpose}"),
        else_=KEPT,
    )


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Read applications and consents, write the cohort and the tally of exclusions."""
    with timed("cohort") as summary, closing(open_engine(params)) as engine:
        applications = engine.canonical(ws, tables.applications)
        consents = engine.canonical(ws, tables.consents)
        judged = engine.arrow(cohort(applications, consents, params), ["application_id"])
        counts = tally(judged.column("verdict"))
        kept = judged.filter(pa.compute.equal(judged.column("verdict"), KEPT)).drop_columns(["verdict"])
        if not kept.num_rows:
            said = ", ".join(f"{reason} {count:,}" for reason, count in counts.items()) or "there is none"
            raise EmptyInputError(f"no application is left in the cohort: {said}; check consents, as_of and cohort.*")
        write_table(ws.stage("cohort") / "cohort.parquet", kept)
        summary.rows_in, summary.rows_out, summary.counts = judged.num_rows, kept.num_rows, counts
        write_json(
            ws.stage("cohort") / "cohort.json",
            {
                "purpose": params.cohort.purpose,
                "rows_in": summary.rows_in,
                "rows_out": summary.rows_out,
                "verdicts": counts,
            },
        )
        tell("cohort", kept.num_rows, kept.num_rows)
    return summary


def tally(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs, most frequent first, ties by name."""
    pairs = [(entry["values"], entry["counts"]) for entry in column.value_counts().to_pylist()]
    return dict(sorted(pairs, key=lambda pair: (-pair[1], str(pair[0]))))

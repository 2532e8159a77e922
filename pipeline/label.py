"""Label: bad, good or indeterminate over the performance window; loans too young to tell are counted and left out."""

from contextlib import closing
from datetime import timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features import tables
from pipeline.cohort import tally
from pipeline.engines import open_engine, write_table
from pipeline.params import Label, Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json
from saakh.errors import EmptyInputError

DAY_S = 86_400
COHORT = ("application_id", "person_id", "disbursed_at", "credit_from", "credit_to")
LABELS = ("good", "bad", "indeterminate")


def labels(cohort: ir.Table, outcomes: ir.Table, repayments: ir.Table | None, params: Params) -> ir.Table:
    """`application_id`, `verdict`: a label, or why there is none; and `max_dpd_days`.

    The label is the source's own `outcome` where it supplies one. Otherwise it follows the worst days past due (DPD)
    of any instalment within the performance window after disbursal: bad from `dpd_days`, indeterminate from
    `indeterminate_dpd_days`. A loan whose window ends after `as_of` is immature; so is one not yet paid out by then,
    whatever outcome the source foretells. An outcome is known only where consent opens the lender's record up to the
    window's end, and no instalment due outside the time it opens is looked at.
    """
    rows = cohort.select("application_id", "person_id", "disbursed_at", "credit_from", "credit_to")
    rows = rows.left_join(outcomes.select("application_id", "outcome"), "application_id").drop("application_id_right")
    window_end = rows.disbursed_at + ibis.interval(days=params.label.performance_window_days)
    rows = rows.mutate(window_end=window_end.cast("timestamp(6)"))
    if repayments is None:
        rows = rows.mutate(max_dpd_days=ibis.null("int64"), instalments=ibis.literal(0, "int64"))
    else:
        rows = rows.left_join(_worst(rows, repayments), "application_id").drop("application_id_right")
    return rows.select("application_id", "max_dpd_days", verdict=_verdict(rows, params))


def _worst(rows: ir.Table, repayments: ir.Table) -> ir.Table:
    """The worst DPD per application: days from due to payment, or to the window's end while unpaid."""
    due = repayments.select("application_id", "person_id", "due_at", "paid_at").join(
        rows.select("application_id", "person_id", "window_end", "credit_from", "credit_to"),
        ["application_id", "person_id"],
    )
    due = due.filter((due.due_at < due.window_end) & (due.due_at >= due.credit_from) & (due.due_at < due.credit_to))
    settled = ibis.least(ibis.coalesce(due.paid_at, due.window_end), due.window_end)
    late = _seconds(settled) - _seconds(due.due_at)
    dated = due.mutate(dpd_days=ibis.greatest(late // DAY_S, 0).cast("int64"))
    return dated.group_by("application_id").aggregate(max_dpd_days=dated.dpd_days.max(), instalments=dated.count())


def _seconds(moment: ir.Value) -> ir.IntegerValue:
    return moment.truncate("s").epoch_seconds().cast("int64")


def _verdict(row: ir.Table, params: Params) -> ir.StringValue:
    rule: Label = params.label
    as_of = ibis.literal(params.as_of.replace(tzinfo=None)).cast("timestamp(6)")
    return ibis.cases(
        (row.disbursed_at.isnull(), "not paid out"),
        (row.disbursed_at >= as_of, "immature"),
        (row.window_end > row.credit_to, "outcome not open to consent"),
        (row.outcome.notnull(), row.outcome),
        (row.window_end > as_of, "immature"),
        (ibis.coalesce(row.instalments, 0) == 0, "no instalment due"),
        (row.max_dpd_days >= rule.dpd_days, "bad"),
        (row.max_dpd_days >= rule.indeterminate_dpd_days, "indeterminate"),
        else_="good",
    )


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Read the cohort and its repayments, write labels and the tally of what could not be labelled."""
    with timed("label") as summary, closing(open_engine(params)) as engine:
        cohort = engine.read(ws.need("cohort", "cohort.parquet"), COHORT)
        outcomes, repayments = engine.canonical(ws, tables.applications), engine.find(ws, tables.repayments)
        judged = engine.arrow(labels(cohort, outcomes, repayments, params), ["application_id"])
        counts = tally(judged.column("verdict"))
        kept = judged.filter(pa.compute.is_in(judged.column("verdict"), pa.array(LABELS)))
        if not counts.get("bad") or not counts.get("good"):
            raise EmptyInputError(f"the labels hold no bad or no good loan: {counts}; check label.* and as_of")
        write_table(
            ws.stage("label") / "labels.parquet", kept.rename_columns(["application_id", "max_dpd_days", "label"])
        )
        summary.rows_in, summary.rows_out, summary.counts = judged.num_rows, kept.num_rows, counts
        ends = params.as_of - timedelta(days=params.label.performance_window_days)
        summary.facts = {"loans mature up to": f"{ends:%Y-%m-%d}"}
        write_json(
            ws.stage("label") / "label.json",
            {**params.label.model_dump(), "rows_in": summary.rows_in, "rows_out": summary.rows_out, "verdicts": counts},
        )
        tell("label", kept.num_rows, kept.num_rows)
    return summary

"""Cohort: one row per application with its snapshot, and every application that is left out counted by reason."""

from contextlib import closing
from typing import NoReturn

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features import tables
from features.columns import Category
from pipeline.asof import covered
from pipeline.engines import open_engine, write_table
from pipeline.gate import NO_BOUNDS, Bounds, in_force, kept, openings, within
from pipeline.params import Params
from pipeline.policy import BOUNDED, bounds_for, in_words, read_policies
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json
from saakh.errors import ConsentError, EmptyInputError

KEPT, BEYOND = "kept", "consent beyond the policy's bounds"
COLUMNS = (
    *("application_id", "person_id", "applied_at", "snapshot_at", "asked_at"),
    *("disbursed_at", "amount_minor", "tenor_days", "rate_bp_month", "propensity", "credit_from", "credit_to"),
)


def cohort(applications: ir.Table, consents: ir.Table, params: Params, bounds: Bounds = NO_BOUNDS) -> ir.Table:
    """Every application with its `snapshot_at`, its `asked_at`, and why it is kept or left out (`verdict`).

    The snapshot is the moment of application, in whole seconds, rounded down. Consent to the lender's own record
    (category `credit`) must be open for the purpose at `asked_at`: the snapshot for `score`, `as_of` for any other; and
    it must cover the time of the application: it opens `[credit_from, credit_to)` of that record. `bounds` are the
    policy's on artefacts for this purpose.
    """
    rows = asking(applications, params)
    agreed = _agreed(rows, consents, params.cohort.purpose, bounds)
    anyway = _agreed(rows, consents, params.cohort.purpose, NO_BOUNDS).select("application_id", is_agreed=True)
    judged = rows.left_join(agreed, "application_id").drop("application_id_right")
    judged = judged.left_join(anyway, "application_id")
    return judged.select(*COLUMNS, verdict=_verdict(judged, params))


def asking(applications: ir.Table, params: Params) -> ir.Table:
    """Applications with their snapshots, and the moment at which consent must be in force."""
    snapshot = applications.applied_at.truncate("s").cast("timestamp(6)")
    asked = snapshot if params.cohort.purpose == "score" else _as_of(params)
    return applications.mutate(snapshot_at=snapshot, asked_at=asked)


def artefacts(rows: ir.Table, consents: ir.Table, purpose: str, bounds: Bounds) -> ir.Table:
    """How many artefacts are in force for some application, and how many of them break a bound for all of these.

    One row: `in_force`, `beyond`, and a count by the name of each bound that is set.
    """
    held = rows.select("application_id", "person_id", "asked_at").join(consents, "person_id")
    held = held.filter(in_force(held, purpose))
    broken = {"beyond": ~within(held, bounds), **{name: ~keeps for name, keeps in kept(held, bounds).items()}}
    held = held.mutate(**broken)
    each = held.group_by("artefact_id").aggregate(**{name: held[name].all() for name in broken})
    return each.aggregate(in_force=each.count(), **{name: each.count(where=each[name]) for name in broken})


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Read applications and consents, write the cohort and the tally of exclusions."""
    purpose, bounds = params.cohort.purpose, bounds_for(read_policies(params.policy), params.cohort.purpose)
    with timed("cohort") as summary, closing(open_engine(params)) as engine:
        applications = engine.canonical(ws, tables.applications)
        consents = engine.canonical(ws, tables.consents)
        judged = engine.arrow(cohort(applications, consents, params, bounds), ["application_id"])
        found = artefacts(asking(applications, params), consents, purpose, bounds)
        counted = engine.arrow(found, ["in_force"]).to_pylist()[0]
        counts = tally(judged.column("verdict"))
        kept = judged.filter(pa.compute.equal(judged.column("verdict"), KEPT)).drop_columns(["verdict"])
        if not kept.num_rows:
            _refuse_nobody(counts, counted, params, bounds)
        write_table(ws.stage("cohort") / "cohort.parquet", kept)
        summary.rows_in, summary.rows_out, summary.counts = judged.num_rows, kept.num_rows, counts
        if counted["beyond"]:
            summary.facts = {f"artefacts beyond the bounds of {params.policies}": _of(counted["beyond"], counted)}
        account = {"purpose": purpose, "policies": list(params.policy), "rows_in": summary.rows_in}
        account |= {"rows_out": summary.rows_out, "verdicts": counts, "artefacts": counted}
        write_json(ws.stage("cohort") / "cohort.json", account)
        tell("cohort", kept.num_rows, kept.num_rows)
    return summary


def _agreed(rows: ir.Table, consents: ir.Table, purpose: str, bounds: Bounds) -> ir.Table:
    """The applications whose time consent to the lender's own record covers, and the range it opens."""
    opened = openings(rows.select("application_id", "person_id", "asked_at"), consents, purpose, bounds)
    credit = opened.filter(opened.category == Category.CREDIT.value)
    dated = rows.select("application_id", event_at=rows.applied_at).join(credit, "application_id")
    return dated.filter(covered(dated)).select("application_id", credit_from="data_from", credit_to="data_to")


def _verdict(row: ir.Table, params: Params) -> ir.StringValue:
    first, last = params.cohort.applied_from, params.cohort.applied_before
    outside = ibis.literal(False)
    if first is not None:
        outside = outside | (row.applied_at < ibis.literal(first.replace(tzinfo=None)))
    if last is not None:
        outside = outside | (row.applied_at >= ibis.literal(last.replace(tzinfo=None)))
    trains = ibis.literal(params.cohort.purpose == "train")
    return ibis.cases(
        (row.applied_at >= _as_of(params), "applied after as_of"),
        (outside, "outside the period asked for"),
        (trains & ~row.is_accepted & ibis.literal(not params.cohort.declined), "not granted"),
        (trains & row.is_accepted & row.disbursed_at.isnull(), "no date of payout"),
        (row.is_agreed.isnull(), f"no consent to {params.cohort.purpose}"),
        (row.credit_from.isnull(), BEYOND),
        else_=KEPT,
    )


def _as_of(params: Params) -> ir.TimestampScalar:
    return ibis.literal(params.as_of.replace(tzinfo=None)).cast("timestamp(6)")


def _refuse_nobody(verdicts: dict[str, int], counted: dict[str, int], params: Params, bounds: Bounds) -> NoReturn:
    """Say why no application is left: all consent is beyond the policy's bounds, or whatever else."""
    if counted["in_force"] and counted["beyond"] == counted["in_force"]:
        broken = "; ".join(
            f"{BOUNDED[name]}: {_of(counted[name], counted)} beyond {in_words(most)}"
            for name, most in bounds
            if counted.get(name)
        )
        raise ConsentError(
            f"all artefacts in force to {params.cohort.purpose} are beyond the bounds of {params.policies}, and open "
            f"nothing ({broken}); ask for consent within the bounds, or name another policy"
        )
    said = ", ".join(f"{reason} {count:,}" for reason, count in verdicts.items()) or "there is none"
    raise EmptyInputError(f"no application is left in the cohort: {said}; check consents, as_of and cohort.*")


def _of(count: int, counted: dict[str, int]) -> str:
    return f"{count:,} of {counted['in_force']:,}"


def tally(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs, most frequent first, ties by name."""
    pairs = [(entry["values"], entry["counts"]) for entry in column.value_counts().to_pylist()]
    return dict(sorted(pairs, key=lambda pair: (-pair[1], str(pair[0]))))

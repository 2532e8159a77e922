"""The consent gate: which of a person's events may be seen, for one purpose, at one moment. Nothing else decides that.

An event passes when an artefact is within the policy's bounds, the time within the artefact's window, the purpose its
purpose, and the event inside its data range. Time is never the wall clock: `score` asks at the snapshot, every other
purpose at the run's recorded `as_of`.
"""

from functools import reduce
from operator import and_
from typing import Annotated

import ibis
import ibis.expr.types as ir
from pydantic import Field

from features.columns import PURPOSES
from pipeline.sections import DAYS_MAX, Section
from saakh.errors import ConsentError

EVER = ibis.timestamp("2200-01-01 00:00:00").cast("timestamp(6)")
NEVER = ibis.timestamp("1900-01-01 00:00:00").cast("timestamp(6)")
Days = Annotated[int, Field(ge=0, le=DAYS_MAX)] | None
Names = tuple[str, ...] | None


class Bounds(Section):
    """What an artefact may be for one purpose; None does not bound.

    `life_days_max`: from its start to its expiry. `age_days_max`: from its start to the moment asked.
    `history_days_max`: from the oldest event it covers to its start. `data_life_days_max`: for how long what was
    fetched may be kept. `fetch_type` and `basis`: the ones that count.
    """

    life_days_max: Days = None
    age_days_max: Days = None
    history_days_max: Days = None
    data_life_days_max: Days = None
    fetch_type: Names = None
    basis: Names = None


NO_BOUNDS = Bounds()


def openings(cohort: ir.Table, consents: ir.Table, purpose: str, bounds: Bounds) -> ir.Table:
    """What each application may show: `application_id, category, data_from, data_to`, ranges that never overlap.

    Args:
        cohort: `application_id`, `person_id` and `asked_at`, the moment at which consent must be in force.
        consents: the canonical table.
        purpose: what the data are wanted for; one that nobody can agree to is a `ConsentError`.
        bounds: the policy's for this purpose; `NO_BOUNDS` when it sets none.

    An artefact opens its category when it is within the bounds, the purpose matches,
    `starts_at <= asked_at < expires_at`, and it was not withdrawn at or before `asked_at`. It covers events in
    `[data_from, data_to)`; a missing bound of an artefact does not bound.
    """
    if purpose not in PURPOSES:
        raise ConsentError(f"nobody can agree to the purpose '{purpose}'; there are {', '.join(PURPOSES)}")
    held = cohort.join(consents, "person_id")
    held = held.filter(in_force(held, purpose), within(held, bounds))
    ranges = held.select(
        "application_id",
        "category",
        data_from=ibis.coalesce(held.data_from, NEVER),
        data_to=ibis.coalesce(held.data_to, EVER),
    )
    return _merged(ranges.filter(ranges.data_from < ranges.data_to))


def in_force(row: ir.Table, purpose: str) -> ir.BooleanValue:
    """Whether an artefact is in force for the purpose at `asked_at`."""
    started = row.starts_at <= row.asked_at
    not_expired = row.expires_at.isnull() | (row.asked_at < row.expires_at)
    not_withdrawn = row.revoked_at.isnull() | (row.asked_at < row.revoked_at)
    return (row.purpose == purpose) & started & not_expired & not_withdrawn


def within(row: ir.Table, bounds: Bounds) -> ir.BooleanValue:
    """Whether an artefact is within the bounds at `asked_at`."""
    return reduce(and_, kept(row, bounds).values(), ibis.literal(True))


def kept(row: ir.Table, bounds: Bounds) -> dict[str, ir.BooleanValue]:
    """Whether an artefact keeps each bound that is set; one that leaves open what is bounded does not keep it."""
    tests = {
        "life_days_max": lambda most: row.expires_at <= row.starts_at + ibis.interval(days=most),
        "age_days_max": lambda most: row.asked_at <= row.starts_at + ibis.interval(days=most),
        "history_days_max": lambda most: row.starts_at <= row.data_from + ibis.interval(days=most),
        "data_life_days_max": lambda most: row.data_life_days <= most,
        "fetch_type": row.fetch_type.isin,
        "basis": row.basis.isin,
    }
    return {name: tests[name](most).fill_null(False) for name, most in bounds if most is not None}


def _merged(ranges: ir.Table) -> ir.Table:
    """Overlapping ranges of one application and category as one, so that no event is seen twice."""
    ranges = ranges.distinct()  # equal ranges have no order, and the two windows might put them in different ones
    before = ibis.window(
        group_by=["application_id", "category"], order_by=["data_from", "data_to"], preceding=(None, 1), following=None
    )
    marked = ranges.mutate(reached=ranges.data_to.max().over(before))
    marked = marked.mutate(starts=(marked.reached.isnull() | (marked.data_from > marked.reached)).cast("int64"))
    upto = ibis.cumulative_window(group_by=["application_id", "category"], order_by=["data_from", "data_to"])
    grouped = marked.mutate(island=marked.starts.sum().over(upto))
    merged = grouped.group_by("application_id", "category", "island").aggregate(
        data_from=grouped.data_from.min(), data_to=grouped.data_to.max()
    )
    return merged.drop("island")

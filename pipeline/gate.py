"""The consent gate: which of a person's events may be seen, for one purpose, at one moment. Nothing else decides that.

Time is never the wall clock: `score` asks at the snapshot, every other purpose at the run's recorded `as_of`.
"""

import ibis
import ibis.expr.types as ir

EVER = ibis.timestamp("2200-01-01 00:00:00").cast("timestamp(6)")
NEVER = ibis.timestamp("1900-01-01 00:00:00").cast("timestamp(6)")


def openings(cohort: ir.Table, consents: ir.Table, purpose: str) -> ir.Table:
    """What each application may show: `application_id, category, data_from, data_to`, ranges that never overlap.

    Args:
        cohort: `application_id`, `person_id` and `asked_at`, the moment at which consent must be in force.
        consents: the canonical table.
        purpose: what the data are wanted for.

    An artefact opens its category when the purpose matches, `starts_at <= asked_at < expires_at`, and it was not
    withdrawn at or before `asked_at`. It covers events in `[data_from, data_to)`; a missing bound does not bound.
    """
    held = cohort.join(consents, "person_id")
    held = held.filter(in_force(held, purpose))
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


def _merged(ranges: ir.Table) -> ir.Table:
    """Overlapping ranges of one application and category as one, so that no event is seen twice."""
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

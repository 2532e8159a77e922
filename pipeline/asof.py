"""The as-of join: the only way events reach a feature.

An event is seen by an application when the applicant's consent opens its category over its time, and it both happened
and was received before the snapshot. The join exists here and nowhere else.
"""

import ibis.expr.types as ir

from features.columns import Table


def visible(cohort: ir.Table, openings: ir.Table, events: ir.Table, table: Table) -> ir.Table:
    """The rows of one table that each application may see: `application_id`, `snapshot_at` and the table's columns.

    Args:
        cohort: `application_id`, `person_id`, `snapshot_at` (whole seconds, UTC).
        openings: what consent opens (`pipeline.gate.openings`).
        events: the canonical table's rows.
        table: its declaration.
    """
    row = _consented(cohort, openings, events, table)
    return row.filter(before_snapshot(row)).select("application_id", "snapshot_at", *(c.name for c in table.columns))


def too_late(cohort: ir.Table, openings: ir.Table, events: ir.Table, table: Table) -> ir.IntegerScalar:
    """How many consented rows, counted once an application, happened or were received too late to be seen."""
    row = _consented(cohort, openings, events, table)
    return row.filter(~before_snapshot(row)).count()


def _consented(cohort: ir.Table, openings: ir.Table, events: ir.Table, table: Table) -> ir.Table:
    opened = openings.filter(openings.category == table.category.value).drop("category")
    askers = cohort.select("application_id", "person_id", "snapshot_at").join(opened, "application_id")
    row = askers.join(events, "person_id")
    return row.filter(covered(row))


def before_snapshot(row: ir.Table) -> ir.BooleanValue:
    """Whether the event happened and was received before the snapshot."""
    return (row.event_at < row.snapshot_at) & (row.available_at < row.snapshot_at)


def covered(row: ir.Table) -> ir.BooleanValue:
    """Whether the event lies in the range of time that consent opens."""
    return (row.event_at >= row.data_from) & (row.event_at < row.data_to)

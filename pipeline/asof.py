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
    row = consented(cohort, openings, events, table)
    return row.filter(row.is_past).drop("is_past")


def consented(cohort: ir.Table, openings: ir.Table, events: ir.Table, table: Table) -> ir.Table:
    """The rows whose time consent opens, whenever they happened: `visible` with `is_past`, false for those it hides.

    For the stage that counts what came too late; nothing but that count may read a row that is not past.
    """
    opened = openings.filter(openings.category == table.category.value).drop("category")
    askers = cohort.select("application_id", "person_id", "snapshot_at").join(opened, "application_id")
    row = askers.join(events, "person_id")
    row = row.filter(covered(row))
    columns = ("application_id", "snapshot_at", *(c.name for c in table.columns))
    return row.select(*columns, is_past=before_snapshot(row))


def before_snapshot(row: ir.Table) -> ir.BooleanValue:
    """Whether the event happened and was received before the snapshot."""
    return (row.event_at < row.snapshot_at) & (row.available_at < row.snapshot_at)


def covered(row: ir.Table) -> ir.BooleanValue:
    """Whether the event lies in the range of time that consent opens."""
    return (row.event_at >= row.data_from) & (row.event_at < row.data_to)

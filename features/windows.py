"""The clock of a feature: observation windows, and what night and weekend mean. Said here once.

The peers disagree (night is 19-07 for some, 00-06 for others; the weekend differs by country), so no feature may carry
its own idea of them.
"""

import ibis.expr.types as ir

DAY_S = 86_400
SHORT, MEDIUM, LONG = 7, 30, 90
STANDARD = (MEDIUM, LONG)
NIGHT_HOURS = range(6)
WORK_HOURS = range(9, 18)
WEEKEND = (5, 6)
SLOT_HOURS = 4


def with_clock(rows: ir.Table) -> ir.Table:
    """As-of rows with the columns that tell time added; the part of a view that every event table shares.

    `age_s`: whole seconds before the snapshot (an event inside `[snapshot - w, snapshot)` has 1 <= age_s <= w days).
    `gap_s`: seconds since the applicant's previous row in this table. `day` and `month`: days and months of 30 days,
    counted back from the snapshot, from 1, so that none is cut by it. `local_day`: the calendar day on the applicant's
    clock.
    """
    event_s = rows.event_at.truncate("s").epoch_seconds().cast("int64")
    age_s = rows.snapshot_at.truncate("s").epoch_seconds().cast("int64") - event_s
    rows = rows.mutate(event_s=event_s, age_s=age_s, hour=rows.local_at.hour().cast("int64"))
    weekday = rows.local_at.day_of_week.index().cast("int64")
    previous = rows.event_s.lag().over(group_by=rows.application_id, order_by=rows.event_s)
    return rows.mutate(
        gap_s=rows.event_s - previous,
        day=((rows.age_s - 1) // DAY_S + 1).cast("int64"),
        weekday=weekday,
        day_of_month=rows.local_at.day().cast("int64"),
        month=((rows.age_s - 1) // (MEDIUM * DAY_S) + 1).cast("int64"),
        local_day=(rows.local_at.truncate("s").epoch_seconds() // DAY_S).cast("int64"),
        slot=(rows.hour // SLOT_HOURS).cast("int64"),
        is_night=rows.hour < NIGHT_HOURS.stop,
        is_weekend=weekday >= WEEKEND[0],
        is_work_time=(weekday < WEEKEND[0]) & rows.hour.between(WORK_HOURS.start, WORK_HOURS.stop - 1),
    )


CLOCK = {
    "event_s": "int64",
    "age_s": "int64",
    "gap_s": "int64",
    "day": "int64",
    "month": "int64",
    "local_day": "int64",
    "hour": "int64",
    "slot": "int64",
    "weekday": "int64",
    "day_of_month": "int64",
    "is_night": "boolean",
    "is_weekend": "boolean",
    "is_work_time": "boolean",
    "window_days": "int64",
}
"""What `with_clock` adds, and `window_days`, which the plan fills in."""

"""Expressions that several declarations share. Each gives null where its measure has no meaning.

Sums run over whole numbers, so that no result depends on the order in which rows arrive: fractions are first rounded to
a fixed grid of 2**-32.
"""

import ibis
import ibis.expr.types as ir

from features.windows import DAY_S

GRID = 2**32


def ratio(part: ir.Value, whole: ir.Value) -> ir.Value:
    """Part over whole; null when the whole is zero or missing."""
    return part.cast("float64") / whole.cast("float64").nullif(0.0)


def days(seconds: ir.Value) -> ir.Value:
    """Seconds as days."""
    return seconds.cast("float64") / DAY_S


def total(column: ir.Value, where: ir.BooleanValue | None = None) -> ir.Value:
    """The sum, 0 over no rows (the source is there, nothing happened)."""
    return ibis.coalesce(column.sum(where=where), 0)


def mean(column: ir.Value, where: ir.BooleanValue | None = None) -> ir.Value:
    """The mean of a whole-number column."""
    return ratio(column.sum(where=where), column.count(where=where))


def variance(column: ir.Value) -> ir.Value:
    """The population variance of a whole-number column, from exact sums; 0 for a single value."""
    average, square = mean(column), ratio((column * column).sum(), column.count())
    return (square - average * average).clip(lower=0.0)  # unlike `greatest`, `clip` keeps null


def std(column: ir.Value) -> ir.Value:
    """The population standard deviation; null below two values, for one value shows no regularity."""
    return ibis.ifelse(column.count() > 1, variance(column).sqrt(), ibis.null("float64"))


def variation(column: ir.Value) -> ir.Value:
    """The coefficient of variation: standard deviation over mean."""
    return ratio(std(column), mean(column))


def burstiness(gap: ir.Value) -> ir.Value:
    """(std - mean) / (std + mean) of the gaps: -1 regular, 0 random, 1 bursty (Goh and Barabasi 2008)."""
    return ratio(std(gap) - mean(gap), std(gap) + mean(gap))


def entropy(count: ir.Value) -> ir.Value:
    """Shannon entropy in nats of the shares these counts make: ln N - sum(n ln n) / N, exactly 0 for one of them."""
    n, whole = count.nullif(0).cast("float64"), count.sum().nullif(0).cast("float64")
    scaled = ratio((n * n.ln() * GRID).round().cast("int64").sum(), ibis.literal(GRID))
    is_one = count.max() == count.sum()
    return ibis.ifelse(is_one & (whole > 0), 0.0, (whole.ln() - scaled / whole).clip(lower=0.0))


def top_share(count: ir.Value) -> ir.Value:
    """The largest count's share of all."""
    return ratio(count.max(), count.sum())


def concentration(count: ir.Value) -> ir.Value:
    """The Herfindahl index: the sum of squared shares."""
    return ratio((count * count).sum(), count.sum().cast("float64") * count.sum().cast("float64"))


def slope(day: ir.Value, window_days: ir.Value) -> ir.Value:
    """The least-squares slope of daily event counts over the window, events a day per day, empty days included.

    `day` counts back from the snapshot, from 1; the slope is positive when activity grows towards the snapshot. Null
    over a window without events: nothing there rose or fell.
    """
    n, w = day.count().nullif(0).cast("float64"), window_days.max().cast("float64")
    return (n * (w + 1) / 2 - total(day)) * 12 / (w * (w * w - 1))

"""Rows told about the rows before and after them, and cells about the cells beside them."""

import ibis
import ibis.expr.types as ir

from features.columns import Kind, Table
from features.reduce import KEY
from features.sources import Cells, Rows


def neighbours(chosen: ir.Table, rows: Rows, reading: set[str]) -> ir.Table:
    """Rows told about the ones before and after with the same key, as far as it is read.

    Rows of one second are in the order of what they say, so that the order they came in does not show.
    """
    told = {"since_s": ("lag", "event_s"), "until_s": ("lead", "event_s")}
    told |= {f"last_{c}": ("lag", c) for c in rows.carried} | {f"next_{c}": ("lead", c) for c in rows.carried}
    told = {name: how for name, how in told.items() if name in reading}
    needed = {*reading, *(c for _, c in told.values()), *(["event_s"] if "gap_s" in reading else [])}
    read = [c for c in chosen.columns if c in needed]
    chosen = chosen.filter(chosen[rows.by].notnull())
    apart = ibis.window(
        group_by=[KEY, rows.by], order_by=["event_s", *dict.fromkeys([*rows.carried, *content(rows.table)])]
    )
    beside = {name: getattr(chosen[c], how)().over(apart) for name, (how, c) in told.items()}
    if "since_s" in beside:
        beside["since_s"] = chosen.event_s - beside["since_s"]
    if "until_s" in beside:
        beside["until_s"] = beside["until_s"] - chosen.event_s
    return chosen.select(*dict.fromkeys([KEY, rows.by, "age_s", *read]), **beside)


def content(table: Table) -> tuple[str, ...]:
    """The columns that tell rows of one time apart, whoever's they are."""
    return tuple(c.name for c in table.columns if c.kind not in (Kind.PSEUDONYM, Kind.TIMESTAMP))


def with_beside(keyed: ir.Table, source: Cells) -> ir.Table:
    """Cells with their ranks, and with the cells some days older beside them."""
    within, measures = [KEY, "slice"], [c for c in keyed.columns if c in source.measures]
    told: dict[str, ir.Value] = {}
    for name in source.ranked:
        # ties in the order of all that is measured; keys decide only between cells that are alike
        order = [keyed[m].desc() for m in dict.fromkeys([name, *source.ties])] + [keyed[k] for k in source.keys]
        upto = ibis.cumulative_window(group_by=within, order_by=order)
        told[f"rank_{name}"] = ibis.row_number().over(ibis.window(group_by=within, order_by=order)) + 1
        told[f"before_{name}"] = keyed[name].sum().over(upto) - keyed[name]
        told[f"whole_{name}"] = keyed[name].sum().over(ibis.window(group_by=within))
    beside = keyed.mutate(**told) if told else keyed
    for days in source.apart:
        older = keyed.select(*within, day=keyed.day - days, **{f"{m}_{days}": keyed[m] for m in measures})
        beside = beside.left_join(older, [*within, "day"], rname="{name}_again").drop(
            *(f"{c}_again" for c in [*within, "day"])
        )
    return beside

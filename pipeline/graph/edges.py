"""What may become an edge: whose events, by whose consent, known since when; all through the gate and the as-of join.

Everyone but the applicant is asked as if they applied themselves: at the latest vintage there is, by the consents that
are in force at the moment asked. Each row then says since when it was known, and a vintage takes what was known before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.columns import Table
from features.graph import loan_outcomes
from features.tables import calls, contact_names, messages
from features.windows import DAY_S
from pipeline.asof import visible
from pipeline.engines import Engine
from pipeline.gate import Bounds, openings

KEY = "application_id"
Tables = Mapping[str, ir.Table]
_MOMENT, _ASKING = "graph_moment", "graph_asking"
_NAMES = ("everyone", "opened", "claims", "said", "holders", "outcomes", "opened_own", "said_own", "names_own")


@dataclass(frozen=True)
class Standing:
    """What people other than the applicant show, each row with `since`, the moment before which nobody knew of it.

    `said`: `owner`, `contact_id`, `is_out`. `claims`: `claimant`, `contact_id`. `holders`: `holder`, `contact_id`, and
    `until`, the moment before which nobody else claimed the contact. `outcomes`: `person`, and `default_since`.
    """

    said: ir.Table
    claims: ir.Table
    holders: ir.Table
    outcomes: ir.Table


def standing(
    engine: Engine,
    consents: ir.Table,
    tables: Tables,
    purpose: str,
    asked_at: datetime,
    before: datetime,
    dpd_days: int,
    bounds: Bounds,
) -> Standing:
    """What everyone shows before a moment, by consents in force at `asked_at`."""
    moment = pa.table({"asked_at": [asked_at], "snapshot_at": [before]})
    moment = engine.table(moment.cast(pa.schema([(name, pa.timestamp("us")) for name in moment.column_names])), _MOMENT)
    everyone = consents.select("person_id").distinct().cross_join(moment)
    everyone = _made(engine, "everyone", everyone.mutate(application_id=everyone.person_id))
    opened = _made(engine, "opened", openings(everyone, consents, purpose, bounds))
    named = tables[contact_names.name].select("contact_id").distinct()  # other contacts can be nobody's edge
    heard = _heard(everyone, opened, {t.name: tables[t.name].semi_join(named, "contact_id") for t in _talking(tables)})
    names = visible(everyone, opened, tables[contact_names.name], contact_names)
    said = _since(heard, owner=heard[KEY], contact_id=heard.contact_id, is_out=heard.direction == "out")
    claims = _made(engine, "claims", _since(names, claimant=names[KEY], contact_id=names.contact_id))
    return Standing(
        said=_made(engine, "said", said),
        claims=claims,
        holders=_made(engine, "holders", _holders(claims)),
        outcomes=_made(engine, "outcomes", _outcomes(everyone, opened, tables.get("repayments"), dpd_days)),
    )


def between(people: Standing) -> ir.Table:
    """Edges among people: `source`, `target`, known from after `since` up to `until`, missing for no end."""
    row = people.said.rename(said_since="since").join(people.holders, "contact_id")
    row = row.filter(row.owner != row.holder)
    return row.select(
        source=row.is_out.ifelse(row.owner, row.holder),
        target=row.is_out.ifelse(row.holder, row.owner),
        since=ibis.greatest(row.said_since, row.since),
        until=row.until,
    )


def of_applicants(
    engine: Engine,
    asking: pa.Table,
    consents: ir.Table,
    tables: Tables,
    purpose: str,
    people: Standing,
    bounds: Bounds,
) -> tuple[pa.Table, pa.Table]:
    """The ties of each application, `application_id, other, is_out, is_in`; and the applications that show anything.

    Args:
        engine: where to compute.
        asking: `application_id`, `person_id`, `snapshot_at`, `asked_at`, `vintage`.
        consents: the canonical consents.
        tables: canonical tables by name.
        purpose: what the data are wanted for.
        people: what the others show.
        bounds: the policy's on artefacts for this purpose.

    The applicant's own events and numbers are those visible at the snapshot; those of the others, at the vintage.
    """
    asks = engine.table(asking, _ASKING)
    own = openings(asks.select(KEY, "person_id", "asked_at"), consents, purpose, bounds)
    opened = _made(engine, "opened_own", own)
    who = asks.select(KEY, "person_id", "vintage")
    heard = _heard(asks, opened, {t.name: tables[t.name] for t in _talking(tables)})
    said = _made(engine, "said_own", heard.select(KEY, "contact_id", is_out=heard.direction == "out").distinct())
    names = visible(asks, opened, tables[contact_names.name], contact_names)
    names = _made(engine, "names_own", names.select(KEY, "contact_id").distinct())
    arcs = _outgoing(said.join(who, KEY), people).union(_incoming(names.join(who, KEY), people))
    ties = arcs.group_by(KEY, "other").aggregate(is_out=arcs.is_out.any(), is_in=(~arcs.is_out).any())
    shown = said.select(KEY).union(names.select(KEY)).distinct()
    return engine.arrow(ties, [KEY, "other"]), engine.arrow(shown, [KEY])


def forget(engine: Engine) -> None:
    """Drop what the engine was made to keep."""
    engine.drop(*(f"graph_{name}" for name in _NAMES), _MOMENT, _ASKING)


def _made(engine: Engine, name: str, expr: ir.Table) -> ir.Table:
    """Compute once, by name, so that the engine need not compile the same expression for each moment."""
    engine.make(f"graph_{name}", expr)
    return engine.named(f"graph_{name}")


def _outgoing(said: ir.Table, people: Standing) -> ir.Table:
    """Ties the applicants' own events show, to whoever holds the contact at the vintage."""
    row = said.join(people.holders, "contact_id")
    held = (row.since < row.vintage) & (row.until.isnull() | (row.vintage <= row.until))
    return row.filter(held & (row.holder != row.person_id)).select(KEY, other=row.holder, is_out=row.is_out)


def _incoming(names: ir.Table, people: Standing) -> ir.Table:
    """Ties the events of others show to numbers that the applicants, and nobody else, claim."""
    rival = names.join(people.claims, "contact_id")
    rival = rival.filter((rival.since < rival.vintage) & (rival.claimant != rival.person_id))
    own = names.anti_join(rival.select(KEY, "contact_id").distinct(), [KEY, "contact_id"])
    row = own.join(people.said, "contact_id")
    row = row.filter((row.since < row.vintage) & (row.owner != row.person_id))
    return row.select(KEY, other=row.owner, is_out=~row.is_out)


def _talking(tables: Tables) -> tuple[Table, ...]:
    return tuple(t for t in (calls, messages) if t.name in tables)


def _heard(asking: ir.Table, opened: ir.Table, talk: Tables) -> ir.Table:
    """Visible calls and messages: who may see them, with whom, which way, and both times."""
    shared = (KEY, "contact_id", "direction", "event_at", "available_at")
    declared = {t.name: t for t in (calls, messages)}
    return ibis.union(*[visible(asking, opened, rows, declared[name]).select(*shared) for name, rows in talk.items()])


def _since(rows: ir.Table, **keys: ir.Value) -> ir.Table:
    """Each key once, with the moment its first row was known: it had happened and was received."""
    known = rows.select(**keys, known=ibis.greatest(rows.event_at, rows.available_at))
    return known.group_by(list(keys)).aggregate(since=known.known.min())


def _holders(claims: ir.Table) -> ir.Table:
    """Who holds a contact: its only claimant. From a second claim on nobody does, for who was meant cannot be told."""
    order = ibis.window(group_by="contact_id", order_by=["since", "claimant"])
    ranked = claims.mutate(place=ibis.row_number().over(order), until=claims.since.lead().over(order))
    return ranked.filter(ranked.place == 0).select("contact_id", "since", "until", holder=ranked.claimant)


def _outcomes(everyone: ir.Table, opened: ir.Table, repayments: ir.Table | None, dpd_days: int) -> ir.Table:
    """Since when a person's outcome is known, and since when a default.

    An instalment's outcome is known `dpd_days` after it fell due, whether paid or not: were the good known as soon as
    they pay, shares of defaults would be too low.
    """
    if repayments is None:
        nothing = {"since": ibis.null("timestamp(6)"), "default_since": ibis.null("timestamp(6)")}
        return everyone.select(person=everyone.person_id, **nothing).limit(0)
    late_s = _seconds(repayments.paid_at) - _seconds(repayments.due_at)
    dated = repayments.select(
        "person_id",
        event_at=repayments.due_at,
        available_at=(repayments.due_at + ibis.interval(days=dpd_days)).cast("timestamp(6)"),
        local_at=repayments.due_at,
        is_default=repayments.paid_at.isnull() | (late_s >= dpd_days * DAY_S),
    )
    row = visible(everyone, opened, dated, loan_outcomes)
    default = row.available_at.min(where=row.is_default)
    return row.group_by(person=row[KEY]).aggregate(since=row.available_at.min(), default_since=default)


def _seconds(moment: ir.Value) -> ir.IntegerValue:
    return moment.truncate("s").epoch_seconds().cast("int64")

"""Mobile payments with a running balance: pay comes in, bills, shops, cash, friends and lenders take it out."""

from dataclasses import dataclass

import numpy as np

from pipeline.world.clock import DAY, day_of_month, first_days_of_months
from pipeline.world.contacts import ties
from pipeline.world.draws import Draws, Flags, Floats, Ints
from pipeline.world.drops import Drop, coded, named, numbered, rupees
from pipeline.world.loans import Loans, Repayments
from pipeline.world.rhythm import SPENDING, Days, Events
from pipeline.world.traits import People

KINDS = ("p2p", "merchant", "utility", "dth", "recharge", "salary", "loan", "cash")
P2P, MERCHANT, UTILITY, DTH, RECHARGE, SALARY, LOAN, CASH = range(8)
STATUSES = ("done", "failed", "reversed")
IN, OUT = 0, 1
_PAYDAYS = np.array([0, 4, 6, 9, 24, 27])  # days after the month's first


@dataclass(frozen=True)
class Flow:
    """Some of the payments: one kind or direction each, amounts in rupees, the other side by number."""

    events: Events
    direction: Ints
    kind: Ints
    amount: Floats
    other: Ints


def payments(days: Days, drawn: Loans, repaid: Repayments, recharges: tuple[Events, Floats]) -> Drop:
    """One row a payment; what the balance does not cover fails."""
    recharged, paid = recharges
    flows = [
        _pay(days),
        _earnings(days),
        _shopping(days),
        _friends(days),
        _bills(days),
        _cash(days),
        _lenders(days),
        _own_loans(days, drawn, repaid),
        _flow(recharged, OUT, RECHARGE, paid, 50 + 0 * recharged.who),
    ]
    flow = _joined(days, flows)
    balance, is_done = _balance(days.people, flow)
    is_reversed = flow.events.draws.chance("reversed", 0.004)
    columns = {
        "direction": coded(flow.direction, ("in", "out")),
        "payment_type": coded(flow.kind, KINDS),
        "amount_rupees": rupees(flow.amount),
        "balance_rupees": rupees(balance),
        "counterparty": named(flow.other, numbered("", 10, "@upi")),
        "status": coded(np.where(~is_done, 1, np.where(is_reversed, 2, 0)), STATUSES),
    }
    return Drop(flow.events, columns)


def payday(people: People) -> Ints:
    """The day of the month on which the salaried are paid, counted from 0."""
    return _PAYDAYS[people.draws.pick("payday", np.array([0.42, 0.55, 0.7, 0.8, 0.86, 1.0]))]


def _flow(events: Events, direction: int | Ints, kind: int, amount: Floats, other: Ints) -> Flow:
    whole = np.broadcast_to(np.asarray(direction, np.int64), events.who.shape)
    return Flow(events, whole, np.full(events.size, kind), np.maximum(amount, 1.0), other)


def _monthly(days: Days, name: str, offset: Ints, late: Floats, keep: Floats) -> Events:
    """One event a person and month, `offset` days after its first plus a wait of `late` days on average."""
    firsts = first_days_of_months(int(days.start.min()), int(days.end.max()))
    who, first = np.repeat(np.arange(days.people.size), len(firsts)), np.tile(firsts, days.people.size)
    draws = days.people.draws.each(name, who, first)
    day = first + offset[who] + np.floor(late[who] * draws.exponential("wait")).astype(np.int64)
    kept = (day >= days.start[who]) & (day < days.end[who]) & draws.chance("kept", keep[who])
    index = np.flatnonzero(kept)
    who, day = who[index], day[index]
    return Events(days, who, day, day * DAY, Draws(draws.keys[index]), 0 * who)


def _pay(days: Days) -> Flow:
    """Salaries: once a month, on the day, the surer the steadier the income."""
    people = days.people
    rough = np.exp(0.5 * people.shown["volatility"])
    surely = np.where(people.work == 0, 1.02 - 0.07 * np.minimum(rough, 4), 0.0)
    events = _monthly(days, "salary", payday(people), 0.7 * rough, surely).timed(SPENDING, 0.01)
    rise = days.life.raise_of(events.who, events.day)
    amount = people.shown_income[events.who] * rise * np.exp(0.07 * rough[events.who] * events.draws.normal("pay"))
    employer = people.draws.whole("employer", 1_000, 9_000)[events.who]
    return _flow(events, IN, SALARY, np.round(amount), employer)


def _earnings(days: Days) -> Flow:
    """Takings of everyone else: in parts, the more uneven the more volatile the income."""
    people = days.people
    rough = 0.55 * np.exp(0.35 * people.shown["volatility"])
    rate = 0.13 * (people.work != 0)[days.who] * days.mood("earnings", 0.4)
    events = days.events("earnings", rate).timed(SPENDING, 0.01)
    share = np.exp(rough[events.who] * events.draws.normal("part") - rough[events.who] ** 2 / 2)
    amount = people.shown_income[events.who] / 4 * share * days.life.raise_of(events.who, events.day)
    return _flow(events, IN, P2P, np.round(amount), ties(events)[0])


def _shopping(days: Days) -> Flow:
    """Merchants: more in the days after payday, and beyond one's means under strain."""
    people = days.people
    since = (day_of_month(days.day) - 1 - payday(people)[days.who]) % 30
    flush = 1 + 0.6 * np.exp(-since / 4) * (people.work == 0)[days.who]
    pace = 0.20 * np.exp(0.35 * people.draws.normal("shopping"))
    events = days.events("shopping", pace[days.who] * flush * (1 + 0.25 * days.season) * days.drift(1.0))
    events = events.timed(SPENDING, 0.02)
    means = people.shown_income[events.who] * np.exp(0.22 * events.stress())
    amount = 0.042 * means * np.exp(0.8 * events.draws.normal("basket") - 0.32)
    regular = events.draws.chance("regular", 0.5 + 0.13 * np.clip(people.shown["affinity"][events.who], -2, 2))
    shop = np.where(regular, 0, 1 + np.floor(40 * events.draws.uniform("shop")).astype(np.int64))
    other = 100_000 + people.draws.each("merchant", events.who, shop).whole("id", 0, 200_000)
    return _flow(events, OUT, MERCHANT, amount, other)


def _friends(days: Days) -> Flow:
    """Money between persons, with those one also calls."""
    people = days.people
    pace = 0.07 * np.exp(0.20 * people.shown["embeddedness"] + 0.4 * people.draws.normal("friends"))
    events = days.events("friends", pace[days.who] * (1 + 0.15 * days.season) * days.drift(0.6)).timed(SPENDING, 0.03)
    number, out_share = ties(events)
    amount = 0.065 * people.shown_income[events.who] * np.exp(0.9 * events.draws.normal("gift") - 0.4)
    rounded = np.where(events.draws.chance("round", 0.7), np.ceil(amount / 100) * 100, np.round(amount))
    return _flow(events, events.draws.chance("out", out_share).astype(np.int64), P2P, rounded, number)


def _bills(days: Days) -> Flow:
    """Electricity, water and DTH: monthly and early for the careful, skipped and late for the others."""
    people, flows = days.people, []
    care = people.shown["conscientiousness"]
    for kind, name, share in ((UTILITY, "utility", 0.75), (DTH, "dth", 0.35)):
        pays = np.where(people.draws.chance(name, share), np.clip(0.78 + 0.10 * care, 0.2, 0.98), 0.0)
        offset = people.draws.whole(f"{name}.day", 3, 18)
        events = _monthly(days, name, offset, 3.5 * np.exp(-0.45 * care), pays).timed(SPENDING, 0.02)
        level = (700 if kind == UTILITY else 280) * np.exp(0.3 * people.shown["income"])
        amount = level[events.who] * np.exp(0.2 * events.draws.normal("bill"))
        flows.append(_flow(events, OUT, kind, amount, 20 + kind + 0 * events.who))
    return _joined(days, flows)


def _cash(days: Days) -> Flow:
    """Cash taken out, sooner and more under strain; some puts cash in."""
    people = days.people
    pace = 0.055 * np.exp(0.4 * people.draws.normal("cash"))
    events = days.events("cash", pace[days.who] * np.exp(0.15 * days.stress())).timed(SPENDING, 0.02)
    is_out = events.draws.chance("out", 0.9)
    amount = np.ceil(0.33 * people.shown_income[events.who] * np.exp(0.6 * events.draws.normal("cash")) / 100) * 100
    agent = 500_000 + people.draws.each("agent", events.who, events.draws.whole("agent", 0, 4)).whole("id", 0, 9_000)
    return _flow(events, is_out.astype(np.int64), CASH, amount, agent)


def _lenders(days: Days) -> Flow:
    """Loans of other lenders, taken and repaid, more under strain."""
    people = days.people
    events = days.events("lenders", 0.007 * np.exp(0.65 * days.stress())).timed(SPENDING, 0.04)
    is_out = events.draws.chance("out", 0.55)
    amount = np.where(is_out, 0.08, 0.2) * people.shown_income[events.who] * np.exp(0.5 * events.draws.normal("loan"))
    return _flow(events, is_out.astype(np.int64), LOAN, np.round(amount), 60 + events.draws.whole("lender", 0, 30))


def _own_loans(days: Days, drawn: Loans, repaid: Repayments) -> Flow:
    """The loans of this lender as the account sees them: a trap for whoever reads past the snapshot."""
    granted = np.flatnonzero(drawn.is_accepted)
    paid = np.flatnonzero(repaid.paid_at >= 0)
    who = np.r_[drawn.who[granted], drawn.who[repaid.loan[paid]]]
    at = np.r_[drawn.disbursed_at[granted], repaid.paid_at[paid]]
    amount = np.r_[drawn.rupees[granted].astype(np.float64), repaid.due_rupees[paid]]
    keys = np.r_[
        drawn.draws.each("paid out", granted, 0 * granted).keys,
        drawn.draws.each("paid back", repaid.loan[paid], repaid.instalment[paid]).keys,
    ]
    direction = np.r_[0 * granted, 0 * paid + 1]
    seen = np.flatnonzero((at // DAY >= days.start[who]) & (at // DAY < days.end[who]))
    events = Events(days, who[seen], at[seen] // DAY, at[seen], Draws(keys[seen]), 0 * seen)
    return _flow(events, direction[seen], LOAN, amount[seen], 59 + 0 * seen)


def _joined(days: Days, flows: list[Flow]) -> Flow:
    """All flows by person and time."""
    parts = [f.events for f in flows]
    who, day, at, rank = (np.concatenate([getattr(e, name) for e in parts]) for name in ("who", "day", "at", "rank"))
    keys = np.concatenate([e.draws.keys for e in parts])
    order = np.argsort(who * (1 << 40) + at, kind="stable")
    names = ("direction", "kind", "amount", "other")
    columns = [np.concatenate([getattr(f, name) for f in flows])[order] for name in names]
    return Flow(Events(days, who, day, at, Draws(keys), rank).take(order), *columns)


def _balance(people: People, flow: Flow) -> tuple[Floats, Flags]:
    """The balance after each payment and whether it went through: everyone's first payment, then everyone's second."""
    counts = np.bincount(flow.events.who, minlength=people.size)
    starts = np.cumsum(counts) - counts
    balance = np.round(
        people.shown_income * 0.25 * np.exp(0.7 * people.draws.normal("balance") - 0.3 * people.shown["stress"])
    )
    after, is_done = np.zeros(flow.events.size), np.ones(flow.events.size, np.bool_)
    amount = rupees(flow.amount)
    for turn in range(int(counts.max(initial=0))):
        who = np.flatnonzero(counts > turn)
        row = starts[who] + turn
        is_out = flow.direction[row] == OUT
        done = ~is_out | (balance[who] >= amount[row])
        balance[who] += np.where(done, np.where(is_out, -amount[row], amount[row]), 0.0)
        after[row], is_done[row] = balance[who], done
    return after, is_done

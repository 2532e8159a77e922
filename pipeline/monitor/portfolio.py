"""The book: what was lent and is still owed, how late it is paid, how loans move between buckets, and what is lost."""

from typing import Any

import numpy as np

from models.arrays import Codes, Flags
from models.metrics import probability
from pipeline.monitor import cells
from pipeline.monitor.book import BUCKETS, DAY_S, bucket
from pipeline.monitor.drift import told_share
from pipeline.monitor.sides import BAD, UNKNOWN, Side
from pipeline.params import Params

ROLL_DAYS = 30
REPAID = "repaid"


def portfolio(params: Params, side: Side) -> dict[str, Any] | None:
    """The figures of all loans of the batch that were paid out; None without a record of instalments."""
    book = side.book
    if not book.is_known or not cells.enough(int(book.lent.sum())):
        return None
    owed, late = book.outstanding(), bucket(book.days_past_due(book.as_of))
    live = book.lent & (owed > 0)
    sizes = {name: int((live & (late == i)).sum()) for i, name in enumerate(BUCKETS)}
    numbers = cells.told(sizes)
    amounts = {name: int(owed[live & (late == i)].sum()) for i, name in enumerate(BUCKETS)}
    whole = int(owed[live].sum())
    return {
        "disbursed": {"loans": int(book.lent.sum()), "amount_minor": int(book.amount[book.lent].sum())},
        "outstanding": {
            "loans": int(live.sum()) if cells.enough(int(live.sum())) else None,
            "amount_minor": whole if cells.enough(int(live.sum())) else None,
        },
        "buckets": [
            {
                "days_past_due": name,
                "loans": numbers[name],
                "amount_minor": None if numbers[name] is None else amounts[name],
                "share": None if numbers[name] is None or not whole else amounts[name] / whole,
            }
            for name in BUCKETS
        ],
        "rolls": rolls(side),
        "loss": loss(params, side, owed),
    }


def rolls(side: Side) -> list[dict[str, Any]]:
    """Where loans of each bucket of thirty days ago are now, as shares; None where few loans would be told of."""
    book, then = side.book, side.book.as_of - ROLL_DAYS * DAY_S
    was, now, owed = bucket(book.days_past_due(then)), bucket(book.days_past_due(book.as_of)), book.outstanding()
    open_then = (book.disbursed < then) & (book.amount > 0) & _owed_at(side, then)
    ends = [*BUCKETS, REPAID]
    place = np.where(owed > 0, now, len(BUCKETS))
    numbers = {
        name: {end: int((open_then & (was == i) & (place == j)).sum()) for j, end in enumerate(ends)}
        for i, name in enumerate(BUCKETS)
    }
    told = {name: cells.told(row) for name, row in numbers.items()}
    return [
        {
            "from": name,
            "loans": sum(numbers[name].values()) if cells.enough(sum(numbers[name].values())) else None,
            "to": {end: cells.share(told[name][end], sum(numbers[name].values())) for end in ends},
        }
        for name in BUCKETS
    ]


def _owed_at(side: Side, at: int) -> Flags:
    """Which loans had an instalment that was not paid by a moment."""
    book, owing = side.book, np.zeros(len(side), np.bool_)
    owing[book.loan[book.paid_at > at]] = True
    return owing


def loss(params: Params, side: Side, owed: Codes) -> dict[str, Any] | None:
    """Of loans whose outcome is known: the principal of the bad ones, and what is owed on it, against expectation."""
    known = (side.outcome != UNKNOWN) & side.book.lent
    if not cells.enough(int(known.sum())):
        return None
    asked, amount, pd = params.evaluate, side.book.amount[known], probability(side.log_odds[known])
    lgd = asked.whole_loss_share + (1 - asked.no_loss_share - asked.whole_loss_share) / 2
    bad = side.outcome[known] == BAD
    few = not cells.enough(int(bad.sum()))
    expected, observed = float((pd * amount).sum()), int(amount[bad].sum())
    lost = min(int(owed[known][bad].sum()), observed)
    return {
        "loans": int(known.sum()),
        "principal_minor": int(amount.sum()),
        "expected_bad_minor": round(expected),
        "observed_bad_minor": None if few else observed,
        "ratio": None if few or not expected else observed / expected,
        "lgd": lgd,
        "expected_loss_minor": round(lgd * expected),
        "unpaid_bad_minor": None if few else lost,
    }


def overrides(side: Side) -> dict[str, Any] | None:
    """Decisions against what was done: loans granted after a decline, offers not lent on; None without decisions."""
    if not (side.decided != "").any():
        return None
    asked = side.decided != ""
    outcomes = sorted(set(side.decided[asked].tolist()))
    sets = {"granted": side.granted, "not granted": ~side.granted}
    numbers = {
        o: {name: int((asked & rows & (side.decided == o)).sum()) for name, rows in sets.items()} for o in outcomes
    }
    told, rows = cells.table(numbers), []
    for name in outcomes:
        own = asked & (side.decided == name)
        rows.append({"decided": name, **told[name], "granted_share": told_share(side.granted[own]), **_bads(side, own)})
    low, high = asked & (side.decided == "decline"), asked & (side.decided == "offer")
    return {
        "outcomes": rows,
        "low_side_share": told_share(side.granted[low]),
        "high_side_share": told_share(~side.granted[high]),
    }


def _bads(side: Side, rows: Flags) -> dict[str, float | None]:
    """Bad rate and mean PD of those that were granted and have matured."""
    known = rows & side.granted & (side.outcome != UNKNOWN)
    if not cells.enough(int(known.sum())):
        return {"bad_rate": None, "expected": None}
    expected = float(probability(side.log_odds[known]).mean())
    return {"bad_rate": float((side.outcome[known] == BAD).mean()), "expected": expected}

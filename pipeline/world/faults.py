"""What goes wrong on the way: bad clocks, duplicates, late files, unit mistakes, missing sources."""

from dataclasses import replace

import numpy as np

from pipeline.world.clock import DAY, ZONE_SECONDS
from pipeline.world.drops import Drop

FUTURE_DAYS = 4_000
LATE_DAYS = 25


def spoiled(drop: Drop, share: float) -> Drop:
    """The drop with faults: of rows, a `share` each kind; of people, three times that share."""
    if share <= 0:
        return drop
    return _doubled(_wrong_units(_bad_clocks(_late(_missing(drop, share), share), share), share), share)


def _missing(drop: Drop, share: float) -> Drop:
    """Some people's source never came: which table depends on the person."""
    people, first = drop.events.days.people, next(iter(drop.columns))
    lost = people.draws.chance(f"lost.{first}", 3 * share)
    return drop.take(np.flatnonzero(~lost[drop.events.who]))


def _late(drop: Drop, share: float) -> Drop:
    """Some rows arrive weeks later, with a file that lay about."""
    delay = np.where(drop.events.draws.chance("late file", share), LATE_DAYS * DAY, 0)
    return replace(drop, received=drop.arrivals() + delay)


def _bad_clocks(drop: Drop, share: float) -> Drop:
    """Some clocks say 1970, some run years ahead; the time of arrival is the collector's own, and right."""
    events = drop.events
    kind = events.draws.uniform("clock")
    at = np.where(kind < share / 2, events.at % DAY + ZONE_SECONDS, events.at)
    at = np.where(kind > 1 - share / 2, at + FUTURE_DAYS * DAY, at)
    return replace(drop, events=replace(events, at=at))


def _wrong_units(drop: Drop, share: float) -> Drop:
    """Some people's amounts come in paise under the name of rupees."""
    if "amount_rupees" not in drop.columns:
        return drop
    in_paise = drop.events.days.people.draws.chance("paise", 3 * share)[drop.events.who]
    amount = np.asarray(drop.columns["amount_rupees"]) * np.where(in_paise, 100.0, 1.0)
    return replace(drop, columns={**drop.columns, "amount_rupees": amount})


def _doubled(drop: Drop, share: float) -> Drop:
    """Some rows come twice."""
    twice = np.flatnonzero(drop.events.draws.chance("twice", share))
    return drop.take(np.r_[np.arange(drop.events.size), twice])

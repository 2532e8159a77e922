"""Prepaid airtime: top-ups that come round at each person's own pace, and days of mobile data."""

import numpy as np
import pyarrow as pa

from pipeline.world.clock import DAY
from pipeline.world.draws import Draws, Flags, Floats
from pipeline.world.drops import Drop, coded, named, numbered, rupees
from pipeline.world.rhythm import SPENDING, Days, Events

PACKS = np.array([10.0, 19.0, 29.0, 49.0, 99.0, 149.0, 199.0, 239.0, 299.0, 479.0, 719.0])
BUNDLES = ("talk", "data", "combo", "sms")


def topups(days: Days) -> Drop:
    """One row a top-up."""
    people = days.people
    events = _rounds(days).timed(SPENDING, 0.015)
    thrift = -0.50 * events.stress() + 0.55 * people.shown["income"][events.who]
    size = thrift + 0.6 * people.draws.normal("pack")[events.who] + 0.9 * events.draws.normal("pack")
    pack = np.clip(np.floor(5.4 + 1.6 * size), 0, len(PACKS) - 1).astype(np.int64)
    loyal = events.draws.chance("loyal", 0.66 + 0.12 * np.clip(people.shown["affinity"][events.who], -2, 2))
    shop = np.where(loyal, 0, 1 + np.floor(6 * events.draws.uniform("shop")).astype(np.int64))
    retailer = people.draws.each("shop", events.who, shop).whole("retailer", 0, 60_000)
    is_advance = events.draws.chance("advance", np.minimum(0.05 * np.exp(0.6 * events.stress()), 0.5)) & (pack < 5)
    columns = {
        "amount_rupees": rupees(PACKS[pack]),
        "retailer": named(np.where(_online(events), -1, retailer), numbered("R", 5)),
        "bundle": coded(events.draws.pick("bundle", np.array([0.16, 0.46, 0.97, 1.0])), BUNDLES),
        "is_advance": is_advance,
    }
    return Drop(events, columns)


def _online(events: Events) -> Flags:
    return events.draws.chance("online", 0.42)


def _rounds(days: Days) -> Events:
    """Top-ups as a renewal process: a person's own gap, more or less regular, longer under strain."""
    people = days.people
    gap = 14.0 * np.exp(
        -0.10 * people.shown["income"] + 0.15 * people.shown["stress"] + 0.35 * people.draws.normal("gap")
    )
    gap = np.clip(gap, 3.0, 60.0) / days.knobs.activity
    rough = np.clip(
        0.45 * np.exp(0.25 * people.shown["volatility"] - 0.30 * people.shown["conscientiousness"]), 0.1, 1.2
    )
    # enough rounds to cover a person's days, however short most waits turn out
    enough = np.ceil(2.5 * (days.end - days.start) / gap + 12).astype(np.int64)
    rounds = int(enough.max())
    who, rank = np.repeat(np.arange(people.size), rounds), np.tile(np.arange(rounds), people.size)
    draws = people.draws.each("topup", who, rank)
    wait = gap[who] * np.exp(rough[who] * draws.normal("wait") - rough[who] ** 2 / 2)
    wait = np.where(rank == 0, wait * draws.uniform("phase"), wait)
    # summed within a row a person, so that rounding does not depend on who else is in the block
    day = days.start[who] + np.floor(np.cumsum(wait.reshape(people.size, rounds), axis=1)).astype(np.int64).ravel()
    keep = np.flatnonzero((day < days.end[who]) & (rank < enough[who]))
    return Events(days, who[keep], day[keep], day[keep] * DAY, Draws(draws.keys[keep]), rank[keep])


def data_usage(days: Days) -> Drop:
    """One row a person and day on which the phone reported its mobile data."""
    people = days.people
    seen = days.draws.chance("data", np.minimum(0.30 * days.knobs.activity, 1.0))
    index = np.flatnonzero(seen)
    draws = Draws(days.draws.keys[index]).each("data", np.arange(len(index)), 0 * index)
    who, day = days.who[index], days.day[index]
    events = Events(days, who, day, (day + 1) * DAY - 1, draws, 0 * who)
    level = 19.92 + 0.30 * people.shown["income"] + 0.25 * people.shown["novelty"] + 0.6 * people.draws.normal("data")
    total = np.exp(level[who] + 0.7 * draws.normal("data") + 0.15 * days.weekend[index])
    owl = -0.25 * people.shown["conscientiousness"] + 0.35 * people.draws.normal("data.night")
    night = 0.06 * np.exp(0.35 * events.stress() + owl[who] + 0.5 * draws.normal("night"))
    columns = {
        "bytes_total": total.astype(np.int64),
        "bytes_night": (total * np.minimum(night, 0.9)).astype(np.int64),
    }
    return Drop(events, columns)


def recharges(drop: Drop) -> tuple[Events, Floats]:
    """The top-ups bought online, and what they cost: the same money leaves the payment account."""
    index = np.flatnonzero(np.asarray(pa.array(drop.columns["retailer"]).is_null()))
    return drop.events.take(index), np.asarray(drop.columns["amount_rupees"])[index]

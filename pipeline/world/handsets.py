"""Handsets, SIM cards and numbers, and what the handset maker sees of its customers."""

import numpy as np

from pipeline.world.clock import DAY
from pipeline.world.draws import Draws, Flags, Floats, Ints, cumulative, softmax_sums
from pipeline.world.drops import Drop, coded, named, numbered, rupees
from pipeline.world.rhythm import SPENDING, Days, Events
from pipeline.world.traits import People

BRANDS = ("mayur", "kiran", "tara", "megh", "badal", "sagar")
SYSTEMS = ("android", "ios", "feature")
TIERS = ("entry", "mid", "upper", "flagship")
TIER_RUPEES = np.array([8_000.0, 16_000.0, 32_000.0, 75_000.0])
KINDS = ("purchase", "upgrade", "accessory", "service", "loyalty", "support")
_PRICE_SHARES = np.array([1.0, 1.1, 0.06, 0.12, 0.0, 0.0])


def first_numbers(seed: int, persons: Ints) -> Ints:
    """The phone number each person had first, ten digits."""
    return _phone_numbers(Draws.of(seed, persons), 0 * persons)


def _phone_numbers(draws: Draws, generation: Ints) -> Ints:
    who = np.arange(len(draws.keys))
    return 6_000_000_000 + draws.each("number", who, generation).whole("digits", 0, 4_000_000_000)


def devices(days: Days) -> Drop:
    """One row a change of handset, SIM or number, and one for what a person has on the first day."""
    people = days.people
    seen = days.events("devices", _yearly(people).sum(axis=1)[days.who] / 365 / days.knobs.activity).timed(
        SPENDING, 0.01
    )
    events = _with_first(days, seen)
    is_handset, is_sim, is_port = _changes(events)
    is_number = is_sim & events.draws.chance("new number", 0.35)
    changes = {"handset": is_handset, "sim": is_sim | is_port, "number": is_number, "port": is_port}
    generation = {what: _running(events.who, flags) for what, flags in changes.items()}
    handset_draws = people.draws.each("handset", events.who, generation["handset"])
    tier = _tiers(people, events.who, handset_draws)
    brand, system = _makes(people, events.who, handset_draws, tier)
    behind = 1.7 - 0.45 * tier - 0.35 * people.shown["novelty"][events.who] + 0.9 * handset_draws.normal("behind")
    line = people.draws.each("sim", events.who, generation["sim"])
    columns = {
        "device": named(_ring_or_own(days, events, handset_draws, "device", 10**15), numbered("", 15)),
        "sim": named(_ring_or_own(days, events, line, "sim", 10**18), numbered("8", 18)),
        "number": named(_phone_numbers(Draws(people.draws.keys[events.who]), generation["number"]), numbered("+91")),
        "brand": coded(brand, BRANDS),
        "os": coded(system, SYSTEMS),
        "os_lag": np.clip(np.floor(behind + 1), 0, 8).astype(np.int32),
        "price_tier": coded(tier, TIERS),
        "operator": named(_operators(people, events.who, generation["port"]), numbered("op-")),
    }
    return Drop(events, columns)


def _yearly(people: People) -> Floats:
    """Changes a year of handset, SIM and operator (people × 3): the curious, the unrooted, the disloyal change."""
    shown = people.shown
    levels = [
        -0.90 + 0.35 * shown["novelty"] + 0.20 * shown["income"],
        0.30 - 0.75 * shown["rootedness"],
        -0.80 - 0.80 * shown["affinity"],
    ]
    return np.exp(np.stack(levels, axis=1) + 0.3 * people.draws.normal("changes")[:, None])


def _changes(events: Events) -> tuple[Flags, Flags, Flags]:
    """Whether a row is a change of handset, of SIM, of operator; the first row of a person is none."""
    kind = events.draws.pick("what", cumulative(_yearly(events.days.people))[events.who])
    is_change = events.rank >= 0
    return is_change & (kind == 0), is_change & (kind == 1), is_change & (kind == 2)


def _with_first(days: Days, changes: Events) -> Events:
    """The changes, each person's preceded by the state on the first observed morning (rank −1)."""
    everyone = np.arange(days.people.size)
    start = days.start
    at = start * DAY + 8 * 3_600
    draws = days.people.draws.each("devices.first", everyone, 0 * everyone)
    rows = Events(
        days,
        np.r_[everyone, changes.who],
        np.r_[start, changes.day],
        np.r_[at, np.maximum(changes.at, at[changes.who] + 60)],
        Draws(np.r_[draws.keys, changes.draws.keys]),
        np.r_[np.full(len(everyone), -1), changes.rank],
    )
    return rows.take(np.lexsort((rows.rank, rows.at, rows.who)))


def _running(who: Ints, flags: Flags) -> Ints:
    """How many flagged rows a person has had so far."""
    total = np.cumsum(flags)
    first = np.r_[True, who[1:] != who[:-1]]
    before = np.maximum.accumulate(np.where(first, total - flags, 0))
    return total - before


def _tiers(people: People, who: Ints, draws: Draws) -> Ints:
    wealth = 0.55 * people.shown["income"] + 0.45 * people.shown["affinity"]
    level = wealth[who] + 0.8 * draws.normal("tier")
    return np.searchsorted([-0.2, 0.9, 1.8], level).astype(np.int64)


def _makes(people: People, who: Ints, draws: Draws, tier: Ints) -> tuple[Ints, Ints]:
    """The maker and the operating system; `mayur` is the maker whose customers these are."""
    logits = np.log([0.40, 0.20, 0.14, 0.12, 0.09, 0.05]) + np.zeros((people.size, 1))
    logits[:, 0] += 0.70 * people.shown["affinity"] + 0.5 * people.draws.normal("make")
    sums = softmax_sums(logits)[who]
    usual = people.draws.each("usual", who, 0 * who).pick("brand", sums)
    stays = draws.chance("stays", np.clip(0.6 + 0.18 * people.shown["affinity"][who], 0.05, 0.98))
    brand = np.where(stays, usual, draws.pick("brand", sums))
    is_basic = (tier == 0) & draws.chance("basic", 0.06)
    return brand, np.where(is_basic, 2, np.where(brand == 5, 1, 0))


def _operators(people: People, who: Ints, generation: Ints) -> Ints:
    draws = people.draws.each("operator", who, generation)
    return 1 + draws.pick("operator", np.array([0.42, 0.74, 0.93, 1.0]))


def _ring_or_own(days: Days, events: Events, own: Draws, what: str, high: int) -> Ints:
    """An identifier: the person's own, or the one a ring passes around."""
    ring = days.people.ring[events.who]
    shared = Draws.of(days.seed, ring).whole(f"ring.{what}", 0, high)
    return np.where(ring >= 0, shared, own.whole(what, 0, high))


def own_numbers(days: Days) -> Drop:
    """One row a person on the first observed morning: the number that others know them by."""
    everyone = np.arange(days.people.size)
    draws = days.people.draws.each("own number", everyone, 0 * everyone)
    at = days.start * DAY + 8 * 3_600
    events = Events(days, everyone, days.start, at, draws, np.full(len(everyone), -1))
    return Drop(events, {"contact": named(first_numbers(days.seed, days.people.numbers), numbered("+91"))})


def brand_events(days: Days) -> Drop:
    """One row a dealing with a handset maker: the loyal buy, service and collect more."""
    people = days.people
    yearly = 5.0 * np.exp(0.55 * people.shown["affinity"] + 0.35 * people.draws.normal("dealings"))
    rate = yearly[days.who] / 365 * (1 + 0.25 * days.season)
    events = days.events("brand", rate).timed(SPENDING, 0.01)
    kind = _kinds(people, events)
    first = people.draws.each("handset", events.who, 0 * events.who)
    tier = _tiers(people, events.who, first)
    brand, _ = _makes(people, events.who, first, tier)
    loyal = events.draws.chance("loyal", 0.60 + 0.16 * np.clip(people.shown["affinity"][events.who], -2, 2))
    price = (
        TIER_RUPEES[tier]
        * np.array([1.0, 1.1, 0.06, 0.12, 0.0, 0.0])[kind]
        * np.exp(0.3 * events.draws.normal("price"))
    )
    columns = {
        "brand": coded(np.where(loyal, brand, events.draws.pick("other", np.arange(1, 7) / 6)), BRANDS),
        "event_type": coded(kind, KINDS),
        "amount_rupees": rupees(price),
    }
    return Drop(events, columns)


def _kinds(people: People, events: Events) -> Ints:
    logits = np.log([0.06, 0.05, 0.22, 0.15, 0.34, 0.18]) + np.zeros((people.size, 1))
    logits[:, 1] += 0.35 * people.shown["novelty"]
    logits[:, 4] += 0.40 * people.shown["affinity"]
    logits[:, 5] += -0.25 * people.shown["affinity"]
    return events.draws.pick("kind", softmax_sums(logits)[events.who])

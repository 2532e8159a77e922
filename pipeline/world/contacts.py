"""Calls and messages: contact books with a heavy tail, ties that come and go, and institutions that write."""

import numpy as np
import pyarrow as pa

from pipeline.world.draws import Draws, Floats, Ints, softmax_sums
from pipeline.world.drops import Drop, coded, named, numbered
from pipeline.world.handsets import first_numbers
from pipeline.world.rhythm import CALLING, SCREENS, Days, Events
from pipeline.world.traits import CIRCLE, People

SENDERS = ("person", "bank", "lender", "utility", "otp", "merchant", "operator", "spam")
DIRECTIONS = ("in", "out")
_SENDER_SHARES = np.log([0.34, 0.12, 0.03, 0.03, 0.14, 0.15, 0.10, 0.09])
_CODES = ("BK", "LN", "UT", "OT", "MR", "OP", "SP")
_PLACES = 1 << 12


def calls(days: Days) -> Drop:
    """One row a call."""
    people = days.people
    pace = 0.62 * np.exp(0.25 * people.shown["embeddedness"] + 0.45 * people.draws.normal("calls"))
    rate = (
        pace[days.who]
        * days.mood("calls", 0.5)
        * days.fits("calls", 1.0)
        * (1 - 0.1 * days.weekend)
        * (1 + 0.10 * days.season)
    )
    events = days.events("calls", rate * days.drift(-1.0)).timed(CALLING, 0.045, _burstiness(people))
    number, out_share = ties(events)
    is_answered = events.draws.chance("answered", 0.74 + 0.04 * people.shown["conscientiousness"][events.who])
    talk = np.exp(4.1 + 0.20 * people.shown["embeddedness"][events.who] + 1.15 * events.draws.normal("talk"))
    columns = {
        "contact": named(number, numbered("+91")),
        "direction": coded(events.draws.chance("out", out_share), DIRECTIONS),
        "duration_s": np.where(is_answered, np.clip(talk, 1, 14_400), 0).astype(np.int32),
        "is_answered": is_answered,
    }
    return Drop(events, columns)


def messages(days: Days) -> Drop:
    """One row a message, by the class of its sender."""
    people = days.people
    pace = 0.60 * np.exp(0.40 * people.draws.normal("messages"))
    rate = pace[days.who] * days.mood("messages", 0.5) * days.fits("messages", 0.8) * (1 + 0.08 * days.season)
    events = days.events("messages", rate * days.drift(-1.0)).timed(SCREENS, 0.04, _burstiness(people))
    sender = _senders(events)
    number, out_share = ties(events)
    is_person = sender == 0
    writer = (sender - 1) * 100 + np.floor(20 * events.draws.uniform("writer") ** 2.2).astype(np.int64)
    columns = {
        "contact": named(np.where(is_person, number, writer), _message_names),
        "direction": coded(is_person & events.draws.chance("out", out_share), DIRECTIONS),
        "sender_class": coded(sender, SENDERS),
    }
    return Drop(events, columns)


def _message_names(keys: Ints) -> pa.Array:
    """Phone numbers for persons, sender codes such as `BK-07` for institutions."""
    codes = [f"{_CODES[key // 100]}-{key % 100:02d}" for key in keys[keys < len(_CODES) * 100]]
    return pa.concat_arrays([pa.array(codes, pa.string()), numbered("+91")(keys[len(codes) :])])


def _senders(events: Events) -> Ints:
    """The class of sender: strain brings lenders, income brings banks, care brings utilities."""
    people = events.days.people
    own = _SENDER_SHARES + np.zeros((people.size, 1))
    own[:, 0] += 0.15 * people.shown["embeddedness"]
    own[:, 1] += 0.30 * people.shown["income"] + 0.15 * people.shown["conscientiousness"]
    own[:, 3] += 0.25 * people.shown["conscientiousness"]
    own += 0.35 * np.stack([people.draws.normal(f"sender.{name}") for name in SENDERS], axis=1)
    logits = np.repeat(own[:, None, :], people.stress_shown.shape[1], axis=1)
    logits[:, :, 2] += 0.70 * people.stress_shown
    sums = softmax_sums(logits)
    return events.draws.pick("sender", sums[events.who, events.period])


def ties(events: Events) -> tuple[Ints, Floats]:
    """The phone number at the other end of each event, and the share of the tie's events that go out."""
    people, knobs = events.days.people, events.days.knobs
    rank = _ranks(events, people)
    life = 420 * np.exp(0.60 * people.shown["embeddedness"] + 0.3 * people.draws.normal("tie.life"))
    lasting = life[events.who] * (1 + 4 / (1 + rank))
    phase = people.draws.each("tie", events.who, rank).uniform("phase")
    generation = np.floor(events.day / lasting + phase).astype(np.int64)
    lost = (rank < 4) & events.days.life.has_parted(events.who, events.day)
    tie = people.draws.each("tie.life", events.who, rank + _PLACES * (generation + 1_000 * lost))
    number = 6_000_000_000 + tie.whole("number", 0, 4_000_000_000)
    if knobs.circle_contact_share:
        number = np.where(tie.chance("circle", knobs.circle_contact_share), _circle_numbers(events, tie), number)
    return number, _out_share(people, events.who, tie)


def _ranks(events: Events, people: People) -> Ints:
    """Which contact, 0 the closest: shares fall by a power of the rank (Zipf), less steeply for the well connected."""
    size = np.clip(30 * np.exp(0.40 * people.shown["embeddedness"] + 0.4 * people.draws.normal("book")), 6, 1_000)
    steep = np.clip(1.12 - 0.12 * people.shown["embeddedness"] + 0.12 * people.draws.normal("steep"), 0.45, 1.9)
    power = 1 - np.where(np.abs(steep - 1) < 0.01, 1.01, steep)[events.who]
    top = (size[events.who] + 1) ** power
    level = events.draws.uniform("contact")
    rank: Ints = np.floor((1 + level * (top - 1)) ** (1 / power) - 1).astype(np.int64)
    return np.clip(rank, 0, _PLACES - 1)


def _out_share(people: People, who: Ints, tie: Draws) -> Floats:
    """A tie's share of outgoing events: near one half where ties are mutual, near 0 or 1 where they are not."""
    lopsided = np.exp(-0.1 - 0.80 * people.shown["embeddedness"] + 0.35 * people.draws.normal("lopsided"))[who]
    odds = tie.uniform("out")
    odds = (odds / (1 - odds)) ** lopsided * np.exp(0.25 * people.draws.normal("caller"))[who]
    return odds / (1 + odds)


def _circle_numbers(events: Events, tie: Draws) -> Ints:
    """The phone number of another member of the person's circle of twelve."""
    own = events.days.people.numbers[events.who]
    place = (own - 1) % CIRCLE
    other = (place + tie.whole("member", 1, CIRCLE)) % CIRCLE
    return first_numbers(events.days.seed, own - place + other)


def _burstiness(people: People) -> Floats:
    care = people.shown["conscientiousness"]
    return np.clip(0.55 - 0.06 * care + 0.07 * people.draws.normal("bursty"), 0.1, 0.8)

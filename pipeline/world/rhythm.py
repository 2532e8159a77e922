"""When things happen: days with a weekly, monthly and yearly rhythm, hours between waking and sleep, and bursts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.world.clock import DAY, Span, is_weekend, season
from pipeline.world.draws import Draws, Flags, Floats, Ints
from pipeline.world.knobs import Knobs
from pipeline.world.lives import Life
from pipeline.world.traits import People

AWAKE_HOURS = 16.5
# shares by hour since waking: calls peak in late morning and early evening, screens before sleep, money at noon
CALLING = (1, 2, 4, 5, 6, 6, 5, 4, 4, 4, 5, 6, 7, 7, 6, 4, 2)
SCREENS = (4, 4, 3, 3, 3, 3, 4, 4, 3, 3, 4, 5, 6, 7, 9, 11, 9)
SPENDING = (1, 2, 4, 6, 7, 7, 7, 6, 5, 5, 6, 7, 8, 8, 6, 3, 1)


@dataclass(frozen=True)
class Days:
    """The observed days of a block of people, one element a person and day."""

    people: People
    life: Life
    who: Ints
    day: Ints
    start: Ints
    end: Ints
    span: Span
    knobs: Knobs
    seed: int

    @classmethod
    def of(cls, people: People, life: Life, start: Ints, end: Ints, span: Span, knobs: Knobs, seed: int) -> "Days":
        """All days from `start` up to `end` of each person."""
        length = end - start
        who = np.repeat(np.arange(people.size), length)
        day = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length) + start[who]
        return cls(people, life, who, day, start, end, span, knobs, seed)

    @cached_property
    def draws(self) -> Draws:
        """One stream of random numbers a person and day."""
        return self.people.draws.each("day", self.who, self.day)

    @cached_property
    def weekend(self) -> Flags:
        """Whether a day is a Saturday or Sunday."""
        return is_weekend(self.day)

    @cached_property
    def season(self) -> Floats:
        """The yearly wave on each day."""
        return season(self.day)

    def mood(self, name: str, spread: float) -> Floats:
        """A person's random level of the week, with mean 1."""
        week = (self.day + 3) // 7
        first = np.flatnonzero(np.r_[True, (week[1:] != week[:-1]) | (self.who[1:] != self.who[:-1])])
        level = np.exp(spread * self.people.draws.each(f"mood.{name}", self.who[first], week[first]).normal("level"))
        return np.repeat(level, np.diff(np.r_[first, len(week)])) / np.exp(spread**2 / 2)

    def fits(self, name: str, spread: float) -> Floats:
        """A random level of the day, with mean 1: some days are silent, some full."""
        return np.exp(spread * self.draws.normal(f"fit.{name}") - spread**2 / 2)

    def stress(self) -> Floats:
        """The stress behaviour shows on each day."""
        return self.people.stress_shown[self.who, self.span.period_of(self.day)]

    def drift(self, direction: float) -> Floats | float:
        """What a drifting world multiplies a rate by, from its date on."""
        if not self.knobs.drift_behaviour:
            return 1.0
        since = self.span.end_day - self.knobs.drift_days_before
        return np.where(self.day >= since, np.exp(direction * self.knobs.drift_behaviour), 1.0)

    def events(self, name: str, rate: Floats) -> "Events":
        """Events at `rate` a day, without an hour yet."""
        counts = self.draws.poisson(name, np.minimum(rate * self.knobs.activity, 200.0))
        cell = np.repeat(np.arange(len(counts)), counts)
        rank = np.arange(len(cell)) - np.repeat(np.cumsum(counts) - counts, counts)
        draws = self.draws.each(name, cell, rank)
        return Events(self, self.who[cell], self.day[cell], self.day[cell] * DAY, draws, rank)


@dataclass(frozen=True)
class Events:
    """One element an event: whose, on which day, when (wall-clock seconds), its random numbers, its rank in the day."""

    days: Days
    who: Ints
    day: Ints
    at: Ints
    draws: Draws
    rank: Ints

    @property
    def size(self) -> int:
        """How many."""
        return len(self.who)

    @cached_property
    def period(self) -> Ints:
        """The thirty-day period of each event."""
        return self.days.span.period_of(self.day)

    def stress(self) -> Floats:
        """The stress behaviour shows at each event."""
        return self.days.people.stress_shown[self.who, self.period]

    def only(self, keep: Flags) -> "Events":
        """The events where `keep` is true."""
        return self.take(np.flatnonzero(keep))

    def take(self, index: Ints) -> "Events":
        """The events at `index`, in that order."""
        draws = Draws(self.draws.keys[index])
        return Events(self.days, self.who[index], self.day[index], self.at[index], draws, self.rank[index])

    def timed(self, shape: Sequence[float], night: float, burst: Floats | None = None) -> "Events":
        """The events with an hour.

        `shape` spreads them over waking hours; a share `night` on average falls in sleeping hours; with each person's
        probability `burst` one comes minutes after the one before.
        """
        at = self.day * DAY + np.floor(3_600 * self._hours(shape, night)).astype(np.int64)
        if burst is not None:
            at = _in_bursts(at, self, burst[self.who])
        return Events(self.days, self.who, self.day, at, self.draws, self.rank)

    def _hours(self, shape: Sequence[float], night: float) -> Floats:
        people = self.days.people
        wake = wake_hour(people)[self.who] + np.where(is_weekend(self.day), weekend_delay(people)[self.who], 0.0)
        rising = people.draws.each("rising", self.who, self.day).normal("hour")
        wake = wake + irregularity(people)[self.who] * rising
        edges = np.linspace(0.0, AWAKE_HOURS, len(shape) + 1)
        level = np.r_[0.0, np.cumsum(shape)] / np.sum(shape)
        awake = np.interp(self.draws.uniform("hour"), level, edges)
        restless = night * np.exp(0.40 * self.stress() + night_owl(people)[self.who])
        asleep = self.draws.chance("asleep", np.minimum(restless, 0.5))
        # the first hours after going to bed are the likeliest of the night
        late = (24 - AWAKE_HOURS) * self.draws.uniform("asleep.hour") ** 1.6
        return wake + np.where(asleep, AWAKE_HOURS + late, awake)


def wake_hour(people: People) -> Floats:
    """When a person rises on a weekday."""
    by_stage = np.array([7.4, 6.9, 6.4, 6.1, 5.7])[people.stage]
    hour: Floats = by_stage + 0.25 * people.shown["novelty"] + 0.5 * people.draws.normal("wake")
    return hour


def weekend_delay(people: People) -> Floats:
    """How many hours later on weekends."""
    by_stage = np.array([1.5, 1.2, 0.7, 0.5, 0.2])[people.stage]
    delay: Floats = by_stage * np.exp(0.3 * people.draws.normal("lie-in"))
    return delay


def irregularity(people: People) -> Floats:
    """The spread of a person's waking hour from day to day, larger where income is uneven."""
    spread: Floats = 0.7 * np.exp(0.40 * people.shown["volatility"] + 0.2 * people.draws.normal("irregular"))
    return spread


def night_owl(people: People) -> Floats:
    """The log of how much more than others a person is up at night."""
    return -0.30 * people.shown["conscientiousness"] + 0.35 * people.draws.normal("owl") - 0.15


def _in_bursts(at: Ints, events: Events, burst: Floats) -> Ints:
    """Move some events to minutes after the one before them on the same day."""
    follows = (events.rank > 0) & events.draws.chance("follows", burst)
    gap = np.where(follows, 15 + np.floor(240 * events.draws.exponential("gap")), 0).astype(np.int64)
    anchor = np.maximum.accumulate(np.where(follows, 0, np.arange(events.size)))
    elapsed = np.cumsum(gap)
    return at[anchor] + elapsed - elapsed[anchor]

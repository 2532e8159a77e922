"""One part of a world: the people of a range of numbers, from traits to files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.world import airtime, apps, contacts, handsets, loans, money, papers, places
from pipeline.world.clock import DAY, YEAR_DAYS, Span
from pipeline.world.draws import Ints
from pipeline.world.drops import Drop, moments, table
from pipeline.world.faults import spoiled
from pipeline.world.knobs import Knobs
from pipeline.world.lives import LIFE_EVENTS, Life, company, life, strained
from pipeline.world.loans import Loans, Repayments
from pipeline.world.rhythm import Days
from pipeline.world.traits import CLARITY, STAGES, People, people

PEOPLE_PER_PART = 500
FOLLOW_UP_DAYS = 45


@dataclass(frozen=True)
class Part:
    """Which part of which world: people `first` to `last` by number, both included."""

    index: int
    first: int
    last: int
    seed: int
    knobs: Knobs
    span: Span


@dataclass(frozen=True)
class Drawn:
    """The people of a part, their loans, and the days of which there are events.

    `account_days` reach back further: the accounts with handset maker and operator know a year.
    """

    people: People
    life: Life
    loans: Loans
    repaid: Repayments
    days: Days
    account_days: Days


@dataclass(frozen=True)
class Written:
    """What a part adds to the files that all parts share: lines by file, rows by table, and the truth."""

    texts: dict[str, str]
    rows: dict[str, int]
    oracle: pa.Table


def parts(count: int, seed: int, knobs: Knobs, span: Span) -> list[Part]:
    """A population in parts; the boundaries depend on nothing but the numbers."""
    firsts = range(1, count + 1, PEOPLE_PER_PART)
    return [
        Part(i, first, min(first + PEOPLE_PER_PART - 1, count), seed, knobs, span) for i, first in enumerate(firsts)
    ]


def drawn(part: Part) -> Drawn:
    """The story of a part's people up to, and without, the events."""
    folk = people(part.seed, np.arange(part.first, part.last + 1), part.knobs, part.span)
    first = loans.first_days(folk, part.span)
    lived = life(folk, first, part.knobs)
    folk = strained(folk, lived, part.span)
    extra = company(folk, lived, part.knobs, part.span)
    lent = loans.loans(folk, first, extra, part.knobs, part.span, part.seed)
    flipped = folk.is_female[lent.who] & ~lent.is_bad & lent.draws.chance("flip", part.knobs.protected_label_flip)
    repaid = loans.repayments(lent, part.span, flipped)
    short, long = _days(folk, lived, lent, first, part)
    return Drawn(folk, lived, lent, repaid, short, long)


def _days(folk: People, lived: Life, lent: Loans, first: Ints, part: Part) -> tuple[Days, Days]:
    """From some months before the first application to some weeks after the last; and from a year before it."""
    share = (0.6 + 0.4 * folk.draws.uniform("history")) * part.knobs.history_share
    starts = [first - np.ceil(length * share).astype(np.int64) for length in (part.span.history_days, YEAR_DAYS)]
    last = np.zeros(folk.size, np.int64)
    np.maximum.at(last, lent.who, lent.applied_at // DAY)
    end = np.minimum(last + FOLLOW_UP_DAYS, part.span.end_day + 1)
    short, long = (Days.of(folk, lived, start, end, part.span, part.knobs, part.seed) for start in starts)
    return short, long


def drops(told: Drawn) -> Iterator[tuple[str, Drop]]:
    """The event tables, one after the other."""
    days = told.days
    yield "calls", contacts.calls(days)
    yield "messages", contacts.messages(days)
    yield "app_sessions", apps.app_sessions(days)
    yield "app_installs", apps.app_installs(days)
    yield "web_visits", apps.web_visits(days)
    yield "locations", places.locations(days)
    topups = airtime.topups(days)
    yield "topups", topups
    yield "data_usage", airtime.data_usage(days)
    yield "payments", money.payments(days, told.loans, told.repaid, airtime.recharges(topups))
    yield "brand_events", handsets.brand_events(told.account_days)
    yield "devices", handsets.devices(told.account_days)
    if days.knobs.circle_contact_share:  # where people call each other, and it matters whose number is whose
        yield "contact_names", handsets.own_numbers(days)


def write(part: Part, folder: Path) -> Written:
    """Draw a part and write its event tables as one Parquet file each."""
    told = drawn(part)
    rows = {}
    for name, drop in drops(told):
        content = table(spoiled(drop, part.knobs.fault_share))
        path = folder / name / f"part-{part.index:05d}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(content, path, compression="zstd")
        rows[name] = content.num_rows
    return Written(texts(told, part), rows, oracle(told))


def texts(told: Drawn, part: Part) -> dict[str, str]:
    """The part's lines of each text file."""
    return {
        "applications.csv": papers.applications(told.people, told.loans),
        "repayments.csv.gz": papers.repayments(told.people, told.loans, told.repaid),
        "consents.jsonl": papers.consents(told.people, told.loans, part.knobs, part.span.as_of),
        "people.jsonl": papers.declarations(told.people, told.loans, told.life),
    }


def oracle(told: Drawn) -> pa.Table:
    """The truth: one row an application."""
    folk, lent = told.people, told.loans
    who = lent.who
    columns = {
        "application": pa.array(papers.application_names(folk, lent)),
        "person": pa.array(papers.person_names(folk.numbers[who])),
        "applied_at": moments(lent.applied_at),
        "true_pd": pa.array(lent.pd),
        "true_log_odds": pa.array(lent.log_odds),
        "is_bad_if_accepted": pa.array(lent.is_bad),
        "is_accepted": pa.array(lent.is_accepted),
        "is_protected": pa.array(folk.is_female[who]),
        "stage": pa.array([STAGES[s] for s in folk.stage[who]]),
        "ring": pa.array(folk.ring[who], mask=folk.ring[who] < 0),
        "life_event": pa.array([LIFE_EVENTS[k] for k in told.life.kind[who]]),
        "life_event_at": pc.if_else(pa.array(told.life.kind[who] > 0), moments(told.life.day[who] * DAY), None),
        "stress_now": pa.array(folk.stress[who, told.days.span.period_of(lent.applied_at // DAY)]),
    }
    for name in CLARITY:
        columns[f"trait_{name}"] = pa.array(folk.trait[name][who])
    return pa.table(columns)

"""What an artefact comes to in the house's own words, and which of two readings of one artefact is the strictest.

`strictest` takes of everything the less: the later start, the earlier end, the categories and purposes common to both.
So it does not matter in which order records of one artefact arrive, nor how often, and no record ever opens more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

from features.columns import PURPOSES, Category
from pipeline.ledger.artefact import Artefact, ConsentDetail, MalformedError, Status

KEPT_DAYS = {"DAY": 1, "MONTH": 30, "YEAR": 365}
"""Days in a unit of data life; months are of 30 days here as everywhere."""
HOURS = {"hour": 1, "day": 24, "month": 720, "year": 8_760}
PROFILE = frozenset({Category.PROFILE.value})
NOT_KEPT, OTHER_CONSUMER, NOTHING_READ = "may not be kept", "given to another", "opens nothing read here"

T = TypeVar("T", datetime, int)


@dataclass(frozen=True)
class Vocabulary:
    """What the words of an artefact mean in this house.

    `categories` says which categories each of `fiTypes` opens (several, one or none), `purposes` which purposes a
    code stands for; the house's own names mean themselves. `consumers` are the ids of this house (none: whoever is
    named); `identifier` is the type of the customer's identifier that the other tables use (none: the customer's id).
    """

    categories: Mapping[str, frozenset[str]] = field(default_factory=dict)
    purposes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    consumers: frozenset[str] = frozenset()
    identifier: str | None = None

    @cached_property
    def opens(self) -> Mapping[str, frozenset[str]]:
        """The categories that each type of data opens."""
        return {c.value: frozenset({c.value}) for c in Category} | dict(self.categories)

    @cached_property
    def serves(self) -> Mapping[str, frozenset[str]]:
        """The purposes that each code stands for."""
        return {purpose: frozenset({purpose}) for purpose in PURPOSES} | dict(self.purposes)


@dataclass(frozen=True)
class Terms:
    """An artefact's terms. Who agreed is shown nowhere, so it is kept out of the representation."""

    customer: str = field(repr=False)
    consumer: str = field(repr=False)
    categories: frozenset[str]
    purposes: frozenset[str]
    purpose_code: str
    starts_at: datetime
    expires_at: datetime
    data_from: datetime
    data_to: datetime
    fetch_type: str
    frequency: tuple[int, str]
    data_life_days: int | None
    may_be_kept: bool = True
    given_at: datetime | None = None
    revoked_at: datetime | None = None


def terms(artefact: Artefact, words: Vocabulary) -> Terms:
    """The terms of one artefact record; a word nobody here knows is `MalformedError`.

    A record that itself says PAUSED or REVOKED does not say since when, so it opened nothing at any time; one that says
    EXPIRED had expired when it was written.
    """
    detail = artefact.detail
    ended = artefact.status in ("PAUSED", "REVOKED")
    expired = artefact.timestamp if artefact.status == "EXPIRED" else None
    return Terms(
        customer=_customer(detail, words),
        consumer=detail.consumer.id,
        categories=_categories(detail, words),
        purposes=_purposes(detail.purpose.code, words),
        purpose_code=detail.purpose.code.lower().replace("-", "_"),
        starts_at=detail.starts,
        expires_at=_least(detail.expires, expired) or detail.expires,
        data_from=detail.data_range.starts,
        data_to=detail.data_range.ends,
        fetch_type=detail.fetch_type.lower(),
        frequency=(detail.frequency.value, detail.frequency.unit.lower()),
        data_life_days=_days(detail),
        may_be_kept=detail.mode == "STORE",
        given_at=artefact.created,
        revoked_at=detail.starts if ended else None,
    )


def left_out(read: Terms, words: Vocabulary) -> str:
    """Why a valid artefact opens nothing here, in words; nothing when it does open something.

    The pipeline stores what it reads, so an artefact to view, query or stream, but not to store, cannot be used.
    """
    reasons = (
        (not read.may_be_kept, NOT_KEPT),
        (bool(words.consumers) and read.consumer not in words.consumers, OTHER_CONSUMER),
        (not (read.categories and read.purposes), NOTHING_READ),
    )
    return next((reason for holds, reason in reasons if holds), "")


def identifier(text: str) -> str:
    """An id as the ids of every source are read: `7`, ` 7 ` and `7.0` are one."""
    return re.sub(r"^([0-9]+)\.0+$", r"\1", text.strip())


def strictest(one: Terms, other: Terms) -> Terms:
    """The terms that grant no more than either of two records of one artefact."""
    return Terms(
        customer=one.customer,
        consumer=one.consumer,
        categories=one.categories & other.categories,
        purposes=one.purposes & other.purposes,
        purpose_code=min(one.purpose_code, other.purpose_code),
        starts_at=max(one.starts_at, other.starts_at),
        expires_at=min(one.expires_at, other.expires_at),
        data_from=max(one.data_from, other.data_from),
        data_to=min(one.data_to, other.data_to),
        fetch_type=min(one.fetch_type, other.fetch_type),  # onetime before periodic
        frequency=min(one.frequency, other.frequency, key=_rate),
        data_life_days=_least(one.data_life_days, other.data_life_days),
        may_be_kept=one.may_be_kept and other.may_be_kept,
        given_at=_least(one.given_at, other.given_at),
        revoked_at=_least(one.revoked_at, other.revoked_at),
    )


def changed(read: Terms, status: Status, at: datetime) -> Terms:
    """The terms after a notice: paused or withdrawn from its moment on, or expired at it.

    A pause ends an artefact for good: who says that it went on may be late, or the wrong side, and a new one is easily
    signed.
    """
    if status == "EXPIRED":
        return replace(read, expires_at=min(read.expires_at, at))
    if status in ("PAUSED", "REVOKED"):
        return replace(read, revoked_at=_least(read.revoked_at, at))
    return read


def _customer(detail: ConsentDetail, words: Vocabulary) -> str:
    if words.identifier is None:
        return identifier(detail.customer.id)
    found = {i.value for i in detail.customer.identifiers if i.type == words.identifier}
    if len(found) != 1:
        raise MalformedError(
            (f"ConsentDetail.Customer has {len(found) or 'no'} identifiers of type {words.identifier}",)
        )
    return identifier(found.pop())


def _categories(detail: ConsentDetail, words: Vocabulary) -> frozenset[str]:
    """Categories whose kind of data was agreed to: a profile is PROFILE, everything else is made of TRANSACTIONS."""
    if not detail.fi_types <= words.opens.keys():
        raise MalformedError(("ConsentDetail.fiTypes holds a type that is no category, nor under ledger.categories",))
    opened = frozenset().union(*(words.opens[kind] for kind in detail.fi_types))
    kinds = (("PROFILE", opened & PROFILE), ("TRANSACTIONS", opened - PROFILE))
    return frozenset().union(*(categories for kind, categories in kinds if kind in detail.types))


def _purposes(code: str, words: Vocabulary) -> frozenset[str]:
    if code not in words.serves:
        raise MalformedError(("ConsentDetail.Purpose.code is no purpose, nor under ledger.purposes",))
    return words.serves[code]


def _days(detail: ConsentDetail) -> int | None:
    life = detail.data_life
    return None if life.unit == "INF" else life.value * KEPT_DAYS[life.unit]


def _rate(frequency: tuple[int, str]) -> tuple[bool, Fraction, str, int]:
    """Fetches an hour, those without a limit last; equal rates in the order of their words, so that one is least."""
    times, unit = frequency
    return unit == "inf", Fraction(times, HOURS.get(unit, 1)), unit, times


def _least(*given: T | None) -> T | None:
    return min((each for each in given if each is not None), default=None)

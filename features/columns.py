"""The vocabulary of canonical tables: kinds of column, consent categories, sensitivities, how a table is declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from saakh.errors import DeclarationError


class Kind(StrEnum):
    """How a column is stored. `PSEUDONYM` is a keyed digest: 32 hexadecimal characters."""

    PSEUDONYM = "pseudonym"
    TIMESTAMP = "timestamp"
    CATEGORY = "category"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"


class Sensitivity(StrEnum):
    """How a column may be used. `PROTECTED` columns reach the fairness audit and nothing else."""

    ORDINARY = "ordinary"
    SENSITIVE = "sensitive"
    PROTECTED = "protected"
    LIFE_EVENT = "life_event"


class Category(StrEnum):
    """What an applicant agrees to, one consent each."""

    CREDIT = "credit"
    PROFILE = "profile"
    DEVICE = "device"
    COMMUNICATION = "communication"
    APPS = "apps"
    BROWSING = "browsing"
    LOCATION = "location"
    AIRTIME = "airtime"
    PAYMENTS = "payments"
    BRAND = "brand"


PURPOSES = ("score", "train", "monitor", "share", "research")


@dataclass(frozen=True)
class Column:
    """One column: what it says, how it is stored, and what values are possible.

    `domain` names the key domain of a pseudonym (`person`, `contact`, `device`, `app`, `cell`, ...).
    `values` is the closed set of a category (empty: any slug of at most 24 characters `a-z 0-9 _`); `low` and `high`
    bound numbers, both included.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    required: bool = True
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    domain: str = ""
    sensitivity: Sensitivity = Sensitivity.ORDINARY


@dataclass(frozen=True)
class Table:
    """One canonical table.

    `time` names the column that says when a row happened (None for consents); `available_at` beside it says when the
    house received it. `key` identifies a row. A `state` table holds what was declared or recorded: the latest row
    before the snapshot counts; every other table is a stream of events. A *joined* table is made of `sources`,
    canonical tables of the same consent category (`features.joined`). What an *actionable* table will show lies with
    the applicant, who may fairly be told what to do differently; whom people call, where they go and what they own is
    nothing for a lender to advise on.
    """

    name: str
    grain: str
    category: Category
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    time: str | None = "event_at"
    state: bool = False
    sources: tuple[str, ...] = ()
    actionable: bool = False

    @property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by name."""
        return MappingProxyType({c.name: c for c in self.columns})

    def column(self, name: str) -> Column:
        """The column of that name; a `DeclarationError` lists what there is."""
        try:
            return self.by_name[name]
        except KeyError:
            have = ", ".join(self.by_name)
            raise DeclarationError(f"table '{self.name}' has no column '{name}'; it has: {have}") from None


def pseudonym(name: str, domain: str, description: str, *, required: bool = True) -> Column:
    """A keyed pseudonym column of one key domain."""
    return Column(name, Kind.PSEUDONYM, description, domain=domain, required=required)


def when(name: str, description: str, *, required: bool = True) -> Column:
    """A UTC timestamp column."""
    return Column(name, Kind.TIMESTAMP, description, unit="UTC", required=required)


def one_of(name: str, description: str, *values: str, required: bool = True) -> Column:
    """A category column; without values, an open one that takes slugs."""
    return Column(name, Kind.CATEGORY, description, values=values, required=required)


def whole(
    name: str, unit: str, description: str, *, low: float | None = 0, high: float | None = None, required: bool = True
) -> Column:
    """A whole-number column with its unit."""
    return Column(name, Kind.INTEGER, description, unit=unit, low=low, high=high, required=required)


def flag(name: str, description: str, *, required: bool = True) -> Column:
    """A yes-or-no column."""
    return Column(name, Kind.FLAG, description, required=required)


PERSON = pseudonym("person_id", "person", "Whose row this is.")
APPLICATION = pseudonym("application_id", "application", "The application.")
EVENT_TIME = (
    when("event_at", "When it happened."),
    when("available_at", "When the house received it; nothing is seen before."),
    Column("local_at", Kind.TIMESTAMP, "When it happened, on the applicant's wall clock.", unit="local"),
)


def events(name: str, grain: str, category: Category, *columns: Column, actionable: bool = False) -> Table:
    """An event table: a person, a time, and the columns given. Rows are unique as a whole."""
    every = (PERSON, *EVENT_TIME, *columns)
    return Table(name, grain, category, tuple(c.name for c in every), every, actionable=actionable)

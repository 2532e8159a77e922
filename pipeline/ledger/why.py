"""What is open and why: the gate's conditions said one by one in plain Python, with the first that no artefact meets.

It decides nothing. That it agrees with `pipeline.gate` on every ledger is a property held by the tests.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from features.columns import PURPOSES, Category
from features.tables import TABLES
from pipeline.gate import Bounds
from pipeline.policy import BOUNDED, Policy, bounds_for, in_words

Row = Mapping[str, Any]
"""A row of the canonical consents."""


@dataclass(frozen=True)
class Asked:
    """A question to the gate: whether this category may be read, for this purpose, at this moment.

    `before` is the application's snapshot: what happened later is not asked about. `event_at` is a moment that must be
    covered, the application itself for the lender's own record. Neither is known when a person is asked about.
    """

    category: str
    purpose: str
    at: datetime
    before: datetime | None = None
    event_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """One condition, how many artefacts meet it and all before it, and what is said of those that do not."""

    condition: str
    left: int
    said: str = ""

    @property
    def holds(self) -> bool:
        """Whether an artefact is left."""
        return self.left > 0


@dataclass(frozen=True)
class Answer:
    """The steps up to the first that fails, and the artefacts that are left after all."""

    asked: Asked
    steps: tuple[Step, ...]
    artefacts: tuple[Row, ...]

    @property
    def is_open(self) -> bool:
        """Whether anything may be seen."""
        return bool(self.artefacts)

    @property
    def until(self) -> datetime | None:
        """Until when it stays open, if nothing is withdrawn; None when there is no end."""
        ends = [a["expires_at"] for a in self.artefacts]
        return None if None in ends else max(ends, default=None)

    @property
    def reason(self) -> str:
        """Why it is closed; nothing when it is open."""
        return "" if self.is_open else self.steps[-1].said


class Condition(NamedTuple):
    """A condition in words, as a test of an artefact, and what to say of artefacts that all fail it."""

    words: str
    holds: Callable[[Row], bool]
    says: Callable[[list[Row]], str]


def answer(consents: Iterable[Row], asked: Asked, policies: Sequence[Policy] = ()) -> Answer:
    """Hold one person's artefacts against the gate's conditions, in order, up to the first that none of them meets."""
    left = list(consents)
    steps = []
    for condition in (*_artefact(asked), *_range(asked), *_bounds(asked, policies), *_policies(asked, policies)):
        before, left = left, [row for row in left if condition.holds(row)]
        steps.append(Step(condition.words, len(left), "" if left else condition.says(before)))
        if not left:
            break
    return Answer(asked, tuple(steps), tuple(sorted(left, key=lambda row: row["artefact_id"])))


def status(consents: Sequence[Row], at: datetime, policies: Sequence[Policy] = ()) -> list[Answer]:
    """The answers for every category and purpose that an artefact names, at one moment."""
    named = {(row["category"], row["purpose"]) for row in consents}
    asked = [(c.value, p) for c in Category for p in PURPOSES if (c.value, p) in named]
    return [answer(consents, Asked(category, purpose, at), policies) for category, purpose in asked]


def broken(artefact: Row, at: datetime, bounds: Bounds) -> list[str]:
    """The bounds that an artefact does not keep at a moment, by name; one that leaves open what is bounded keeps none.

    `pipeline.gate.kept` said in plain Python.
    """
    starts_at = artefact["starts_at"]
    said = {
        "life_days_max": _apart(starts_at, artefact["expires_at"]),
        "age_days_max": _apart(starts_at, at),
        "history_days_max": _apart(artefact["data_from"], starts_at),
        "data_life_days_max": _days(artefact["data_life_days"]),
        "fetch_type": artefact["fetch_type"],
        "basis": artefact["basis"],
    }
    set_ = {name: most for name, most in bounds if most is not None}
    return [n for n, most in set_.items() if said[n] is None or not _keeps(said[n], most)]


def bars(policy: Policy, category: str) -> bool:
    """Whether a policy bars every table of a category."""
    made_of = [table.name for table in TABLES if table.category.value == category and table.time is not None]
    return set(made_of) <= set(policy.barred.tables)


def moment(at: datetime | None, otherwise: str = "") -> str:
    """A moment of the ledger as people read it: UTC, to the second."""
    return otherwise if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def _artefact(asked: Asked) -> tuple[Condition, ...]:
    at, category = asked.at, asked.category
    return (
        Condition(
            "an artefact names the category",
            lambda a: bool(a["category"] == category),
            lambda _: f"no artefact names {category}",
        ),
        Condition(
            f"it is for the purpose {asked.purpose}",
            lambda a: bool(a["purpose"] == asked.purpose),
            lambda rows: f"for {', '.join(sorted({a['purpose'] for a in rows}))}, not for {asked.purpose}",
        ),
        Condition(
            f"it has started by {moment(at)}",
            lambda a: bool(a["starts_at"] <= at),
            lambda rows: f"starts only at {moment(min(a['starts_at'] for a in rows))}",
        ),
        Condition(
            "it has not expired by then",
            lambda a: a["expires_at"] is None or at < a["expires_at"],
            lambda rows: f"expired at {moment(max(a['expires_at'] for a in rows))}",
        ),
        Condition(
            "it was not withdrawn by then",
            lambda a: a["revoked_at"] is None or at < a["revoked_at"],
            lambda rows: f"withdrawn at {moment(max(a['revoked_at'] for a in rows))}",
        ),
    )


def _range(asked: Asked) -> tuple[Condition, ...]:
    if asked.event_at is not None:
        wanted = f"the moment {moment(asked.event_at)}"
    else:
        wanted = f"a time before {moment(asked.before)}" if asked.before is not None else "some time"
    return (Condition(f"its data range covers {wanted}", lambda a: _covers(a, asked), _outside),)


def _bounds(asked: Asked, policies: Sequence[Policy]) -> tuple[Condition, ...]:
    bounds = bounds_for(policies, asked.purpose)
    most = {name: value for name, value in bounds if value is not None}
    if not most:
        return ()

    def says(rows: list[Row]) -> str:
        """The bounds that artefacts break, each once."""
        names = dict.fromkeys(name for row in rows for name in broken(row, asked.at, bounds))
        return "; ".join(f"{BOUNDED[n]}: beyond {in_words(most[n])}" for n in names)

    named = " + ".join(p.name for p in policies if any(v is not None for _, v in p.bounds_for(asked.purpose)))
    return (Condition(f"it is within the bounds of {named}", lambda a: not broken(a, asked.at, bounds), says),)


def _policies(asked: Asked, policies: Sequence[Policy]) -> tuple[Condition, ...]:
    words = "the category is not barred by policy"
    barring = [policy for policy in policies if bars(policy, asked.category)]
    said = "; ".join(f"barred by {policy.name} ({policy.citation})" for policy in barring)
    return (Condition(words, lambda _: not barring, lambda _: said),) if policies else ()


def _apart(earlier: datetime | None, later: datetime | None) -> timedelta | None:
    return None if earlier is None or later is None else later - earlier


def _days(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)


def _keeps(value: timedelta | str, most: int | tuple[str, ...]) -> bool:
    if isinstance(value, timedelta):
        return isinstance(most, int) and value <= timedelta(days=most)
    return isinstance(most, tuple) and value in most


def _covers(artefact: Row, asked: Asked) -> bool:
    starts = artefact["data_from"] or datetime.min
    ends = artefact["data_to"] or datetime.max
    reaches_back = asked.before is None or starts < asked.before
    return starts < ends and reaches_back and (asked.event_at is None or starts <= asked.event_at < ends)


def _outside(rows: list[Row]) -> str:
    ranges = sorted({f"{moment(a['data_from'], 'any time')} to {moment(a['data_to'], 'any time')}" for a in rows})
    return f"covers {'; '.join(ranges)} only"

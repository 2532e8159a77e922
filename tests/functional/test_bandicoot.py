"""Saakh beside bandicoot's own code, on the same records: `docs/bandicoot.md` says what agrees, and is held to it."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from benchmarks.peers.records import draw
from benchmarks.peers.restored import bandicoot
from features.catalogue import all_features
from features.tables import calls, consents, messages, topups
from features.windows import Calendar, Slice
from pipeline.canonical import schema
from pipeline.derive import derive
from pipeline.engines import Embedded
from tests.conftest import Claim

bc = bandicoot()
PAGE = Path(__file__).parents[2] / "docs" / "bandicoot.md"
FEATURES = {feature.name: feature for feature in all_features()}
PEOPLE, DAYS, WINDOWS = 20, 90, (30, 90)
MIDNIGHT = datetime(2026, 6, 1)
ZONE = timedelta(hours=5, minutes=30)
NIGHT = Calendar(night_from=19, night_to=7)
SIX_DIGITS = 5e-7
ON = {
    "calls": ("call", lambda r: True),
    "answered calls": ("call", lambda r: r.interaction == "call" and r.call_duration > 0),
    "messages": ("text", lambda r: True),
    "calls and messages": ("callandtext", lambda r: True),
    "calls and messages made": ("callandtext", lambda r: r.direction == "out"),
    "top-ups": ("", lambda r: False),
}

Record = Any


@dataclass(frozen=True)
class Row:
    """A line of the page: bandicoot's expression, the records it is asked of, our feature, what the line says last."""

    theirs: str
    on: str
    ours: str
    said: str


class Person:
    """What bandicoot says of a person's last so many days, and of some of the records in them."""

    def __init__(self, records: list[Record], recharges: list[Any], days: int) -> None:
        begin = MIDNIGHT - timedelta(days=days)
        self.records = [r for r in records if r.datetime >= begin]
        self.recharges = [r for r in recharges if r.datetime >= begin]
        self._users: dict[str, Any] = {}
        self._told: dict[tuple[str, ...], Any] = {}

    def value(self, row: Row, cut: Slice) -> float | None:
        """The value of the row's expression on a part of the week and day."""
        week = next((w for w in ("weekday", "weekend") if w in cut.words), "allweek")
        day = next((w for w in ("day", "night") if w in cut.words), "allday")
        return self._computed(ast.parse(row.theirs, mode="eval").body, row.on, week, day)

    def _computed(self, node: ast.expr, on: str, week: str, day: str) -> Any:
        match node:
            case ast.Constant(value):
                return value
            case ast.BinOp(left, ast.Mult(), right):
                return self._computed(left, on, week, day) * self._computed(right, on, week, day)
            case ast.BinOp(left, ast.Div(), right):
                return self._computed(left, on, week, day) / self._computed(right, on, week, day)
            case ast.Attribute(inner, statistic):
                return self._computed(inner, on, week, day)[statistic]
            case ast.Call(ast.Name(name), _, keywords):
                return self._indicator(on, name, keywords)[week][day]
            case ast.Name(name):
                return self._indicator(on, name, [])[week][day]
        raise AssertionError(f"{PAGE.name} has an expression this test does not know: {ast.unparse(node)}")

    def _indicator(self, on: str, name: str, keywords: list[ast.keyword]) -> Any:
        said = {str(k.arg): ast.literal_eval(k.value) for k in keywords}
        asked = (on, name, str(said))
        if asked not in self._told:
            module = next(m for m in (bc.individual, bc.recharge) if hasattr(m, name))
            kind = ON[on][0]
            said |= {"interaction": [kind]} if kind else {}
            told = getattr(module, name)(
                self._user(on), groupby=None, summary="extended", split_week=True, split_day=True, **said
            )
            self._told[asked] = {w: {d: v[kind] if kind else v for d, v in days.items()} for w, days in told.items()}
        return self._told[asked]

    def _user(self, on: str) -> Any:
        if on not in self._users:
            self._users[on] = bc.User()
            self._users[on].records = [r for r in self.records if ON[on][1](r)]
            self._users[on].recharges = self.recharges
        return self._users[on]


def lines(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the page."""
    part = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1:]]


def rows(heading: str) -> list[Row]:
    return [Row(theirs.strip("`"), on, ours.strip("`"), said) for theirs, on, ours, said in lines(heading)]


AGREES, OTHERWISE = rows("Agrees"), rows("Defined otherwise")


@pytest.fixture(scope="module")
def records() -> list[list[Record]]:
    """Each person's calls and messages, none at seven sharp (see `test_seven_sharp_is_night_to_bandicoot_alone`)."""
    drawn = draw(PEOPLE, seed=7, days=DAYS)
    told: list[list[Record]] = [[] for _ in range(PEOPLE)]
    for i, second in enumerate(drawn["second"].tolist()):
        if second % 86_400 != 7 * 3_600:
            is_call, is_out = bool(drawn["is_call"][i]), bool(drawn["is_out"][i])
            moment = MIDNIGHT - timedelta(days=DAYS) + timedelta(seconds=second)
            told[drawn["person"][i]].append(
                record(is_call, is_out, f"c{drawn['contact'][i]}", moment, int(drawn["duration"][i]))
            )
    return told


@pytest.fixture(scope="module")
def recharges() -> list[list[Any]]:
    """Each person's top-ups, a few a week, of uneven sums."""
    return [
        [
            bc.core.Recharge(
                MIDNIGHT - timedelta(seconds=7_919 * n * (3 + who) + 60 * (n * n % 97)), 995 + n * who, None
            )
            for n in range(1, 30)
            if 7_919 * n * (3 + who) < DAYS * 86_000
        ]
        for who in range(PEOPLE)
    ]


@pytest.fixture(scope="module")
def ours(records: list[list[Record]], recharges: list[list[Any]]) -> Iterator[list[Mapping[str, float | None]]]:
    """What Saakh says of the same people: a row of columns each."""
    return measured(records, recharges, [FEATURES[row.ours] for row in AGREES + OTHERWISE])


@pytest.fixture(scope="module")
def theirs(records: list[list[Record]], recharges: list[list[Any]]) -> dict[int, list[Person]]:
    """Whom bandicoot is asked about, by window."""
    return {days: [Person(r, c, days) for r, c in zip(records, recharges, strict=True)] for days in WINDOWS}


def record(is_call: bool, is_out: bool, contact: str, moment: datetime, duration: int = 0) -> Record:
    way, kind = "out" if is_out else "in", "call" if is_call else "text"
    return bc.core.Record(kind, way, contact, moment, duration if is_call else None, bc.core.Position())


def measured(records: list[list[Record]], recharges: list[list[Any]], features: list[Any]) -> Any:
    """Saakh's columns for people with these records, five and a half hours east of Greenwich."""
    talk, words, bought = [], [], []
    for who, (said, paid) in enumerate(zip(records, recharges, strict=True)):
        for r in said:
            row = times(who, r.datetime) | {"contact_id": r.correspondent_id, "direction": r.direction}
            if r.interaction == "call":
                talk.append(row | {"duration_s": r.call_duration, "is_answered": r.call_duration > 0})
            else:
                words.append(row | {"sender_class": "person"})
        bought += [
            times(who, r.datetime) | {"amount_minor": r.amount, "bundle": "talk", "is_advance": False} for r in paid
        ]
    names = [f"p{who:02}" for who in range(len(records))]
    snapshot = pa.array([MIDNIGHT - ZONE] * len(names), pa.timestamp("us"))
    cohort = pa.table({"application_id": names, "person_id": names, "snapshot_at": snapshot, "asked_at": snapshot})
    agreed = [
        {"artefact_id": f"{name}{category}", "person_id": name, "category": category, "purpose": "score"}
        | {"starts_at": datetime(2020, 1, 1), "basis": "explicit"}
        for name in names
        for category in ("communication", "airtime")
    ]
    engine = Embedded(threads=1, memory_gb=1)
    told = {
        t: pa.Table.from_pylist(r, schema=schema(t)) for t, r in ((calls, talk), (messages, words), (topups, bought))
    }
    events = {t.name: engine.table(held, t.name) for t, held in told.items()}
    consented = engine.table(pa.Table.from_pylist(agreed, schema=schema(consents)), "consents")
    unique = tuple(dict.fromkeys(features))
    matrix = derive(engine, cohort, consented, events, unique, "score", NIGHT).matrix
    engine.close()
    return matrix.to_pylist()


def times(who: int, local: datetime) -> dict[str, Any]:
    return {"person_id": f"p{who:02}", "event_at": local - ZONE, "available_at": local - ZONE, "local_at": local}


def same(one: float | None, other: float | None) -> bool:
    """Whether two values are both missing, or agree to six digits."""
    if one is None or other is None:
        return one is other
    return one == pytest.approx(other, rel=SIX_DIGITS, abs=1e-9)


def pairs(row: Row, ours: Any, theirs: Any, *, parts: bool) -> Iterator[tuple[float | None, float | None]]:
    """Our value and theirs, for each person, window and, if asked, part of the week and day."""
    for column, cut in FEATURES[row.ours].columns.items():
        if cut.window in WINDOWS and bool(cut.parts) in (parts, False):
            for mine, person in zip(ours, theirs[cut.window], strict=True):
                yield mine[column], person.value(row, cut)


@pytest.mark.parametrize("row", AGREES, ids=lambda row: f"{row.ours} on {row.on}")
def test_what_is_said_to_agree_agrees_to_six_digits(row: Row, ours: Any, theirs: Any) -> None:
    tried = list(pairs(row, ours, theirs, parts=row.said == "yes"))
    assert sum(mine is not None for mine, _ in tried) >= PEOPLE
    assert not [pair for pair in tried if not same(*pair)]


@pytest.mark.parametrize("row", [r for r in AGREES if r.said == "no"], ids=lambda row: row.ours)
def test_parts_said_to_differ_differ(row: Row, ours: Any, theirs: Any) -> None:
    assert any(not same(*pair) for pair in pairs(row, ours, theirs, parts=True))


@pytest.mark.parametrize("row", OTHERWISE, ids=lambda row: f"{row.theirs} on {row.on}")
def test_what_is_said_to_differ_differs(row: Row, ours: Any, theirs: Any) -> None:
    assert any(not same(*pair) for pair in pairs(row, ours, theirs, parts=False))


def test_every_indicator_of_bandicoot_is_on_the_page(
    records: list[list[Record]], recharges: list[list[Any]], claim: Claim
) -> None:
    user = bc.User()
    user.records, user.recharges = records[0], recharges[0]
    told = bc.utils.all(user, groupby=None, summary="extended", flatten=True, attributes=False)
    known = {re.sub(r"__(allweek|allday|callandtext|call|text)", "", name) for name in told}
    known = {name.replace("__", ".") for name in known if not name.startswith(("reporting", "name"))}
    known = {re.sub(r"number_of_interaction_(in|out)", r'number_of_interactions(direction="\1")', n) for n in known}
    known |= {"clustering_coefficient_unweighted", "clustering_coefficient_weighted"}
    known |= {"assortativity_attributes", "assortativity_indicators"}
    said = {name for row in AGREES + OTHERWISE for name in re.split(r" [*/] ", row.theirs)} | set(not_offered())
    said |= {re.sub(r"\(weighted=\w+\)", "", name) for name in said}
    assert sorted(known - said) == []
    assert sorted(set(not_offered()) - known) == []
    count = f"{len(AGREES)} agree, {len(OTHERWISE)} defined otherwise, {len(not_offered())} not offered"
    claim("bandicoot 0.6.0 on the same records", "six digits, differences listed", count)


def not_offered() -> list[str]:
    """Indicators the page says are not here; `a.min`, `.max` names two."""
    named: list[str] = []
    for cell, _ in lines("Not offered"):
        for name in re.findall(r"`([^`]+)`", cell):
            named.append(f"{named[-1].partition('.')[0]}{name}" if name.startswith(".") else name)
    return named


def test_seven_sharp_is_night_to_bandicoot_alone() -> None:
    sharp = [[record(True, True, "c1", datetime(2026, 5, 20, 7), 60)]]
    row = Row("percent_nocturnal", "calls", "call_night_share", "")
    mine = measured(sharp, [[]], [FEATURES[row.ours]])[0]["call_night_share_90d"]
    assert (mine, Person(sharp[0], [], 90).value(row, Slice(90))) == (0.0, 1.0)


def test_nothing_is_zero_to_bandicoot_and_missing_here() -> None:
    one = [[record(True, True, "c1", datetime(2026, 5, 20, 12), 60)]]
    shares = Row("percent_initiated_conversations", "calls and messages", "message_conversation_out_share", "")
    spread = Row("call_duration.std", "answered calls", "call_duration_std", "")
    mine = measured(one, [[]], [FEATURES[shares.ours], FEATURES[spread.ours]])[0]
    assert [mine[f"{row.ours}_90d"] for row in (shares, spread)] == [None, None]
    assert [Person(one[0], [], 90).value(row, Slice(90)) for row in (shares, spread)] == [0, 0.0]

"""The social graph on tiny worlds, worked by hand: who is a node, what is an edge, what is a default, and when."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from features.tables import calls, consents, contact_names, messages, repayments
from pipeline.engines import Embedded, Engine
from pipeline.gate import NO_BOUNDS
from pipeline.graph import graph_features
from saakh.errors import ConfigError
from tests.ascii import rows

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
NUMBERS = """
| person_id | contact_id | event_at   |
| a         | a1         | 2026-01-01 |
| b         | b1         | 2026-01-01 |
| c         | c1         | 2026-01-01 |
| d         | d1         | 2026-01-01 |
| e         | e1         | 2026-01-01 |
"""
# a and b, a and c, b and c are in touch; c with d; d with e.
KITE = """
| person_id | contact_id | direction | event_at   |
| a         | b1         | out       | 2026-01-05 |
| b         | a1         | out       | 2026-01-06 |
| c         | a1         | out       | 2026-01-07 |
| b         | c1         | in        | 2026-01-08 |
| c         | d1         | out       | 2026-01-09 |
| d         | e1         | in        | 2026-01-10 |
"""
LOANS = """
| person_id | application_id | instalment | due_at     | due_minor | paid_at    | paid_minor |
| b         | l1             | 1          | 2026-01-10 | 100       | -          | 0          |
| c         | l2             | 1          | 2026-01-10 | 100       | 2026-01-10 | 100        |
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    held = Embedded(threads=1, memory_gb=1)
    yield held
    held.close()


def consented(*people: str, purpose: str = "train", starts: str = "2026-01-01", category: str = "") -> str:
    categories = [category] if category else ["communication", "credit"]
    lines = [f"| x | {p} | {c} | {purpose} | {starts} | explicit |" for p in people for c in categories]
    return "\n".join(["| artefact_id | person_id | category | purpose | starts_at | basis |", *lines])


def cohort(*asked: tuple[str, str], purpose: str = "train") -> pa.Table:
    """Applications numbered from 1: who applied, and when."""
    snapshot = [datetime.fromisoformat(at) for _, at in asked]
    times = pa.timestamp("us")
    return pa.table(
        {
            "application_id": [f"app{n}" for n in range(1, len(asked) + 1)],
            "person_id": [person for person, _ in asked],
            "snapshot_at": pa.array(snapshot, times),
            "asked_at": pa.array(snapshot if purpose == "score" else [AS_OF.replace(tzinfo=None)] * len(asked), times),
        }
    )


def measured(
    engine: Engine,
    *asked: tuple[str, str],
    called: str = KITE,
    agreed: str = consented(*"abcde"),
    numbers: str = NUMBERS,
    owed: str = LOANS,
    written: str = "",
    purpose: str = "train",
) -> list[dict]:
    """The features of each application, names without their prefix; fractions to six places."""
    tables = {
        "calls": engine.table(rows(calls, called), "calls"),
        "contact_names": engine.table(rows(contact_names, numbers), "contact_names"),
        "repayments": engine.table(rows(repayments, owed), "repayments"),
    }
    if written:
        tables["messages"] = engine.table(rows(messages, written), "messages")
    asking, held = cohort(*asked, purpose=purpose), engine.table(rows(consents, agreed), "consents")
    found = graph_features(engine, asking, held, tables, purpose, AS_OF, 15, NO_BOUNDS).to_pylist()
    short = [{name.removeprefix("graph_"): value for name, value in row.items()} for row in found]
    return [{n: round(v, 6) if isinstance(v, float) else v for n, v in row.items()} for row in short]


def test_a_person_in_a_triangle(engine: Engine) -> None:
    """a called b and was called by b and c. b and c are in touch: 1 of 1 pair. Behind them: d alone.

    Cores: the triangle 2, d and e 1; two contacts have 2. The default of b was known 15 days after January 10.
    """
    (row,) = measured(engine, ("a", "2026-02-10"))
    assert {name: row[name] for name in ("degree", "degree_in", "degree_out", "reciprocity_share")} == {
        "degree": 2,
        "degree_in": 2,
        "degree_out": 1,
        "reciprocity_share": 0.5,
    }
    assert (row["second_degree"], row["clustering_share"], row["core_number"]) == (1, 1.0, 2)
    assert (row["default_neighbours"], row["default_neighbours_share"]) == (1, 0.5)


def test_a_person_at_the_end_of_a_chain(engine: Engine) -> None:
    """e called d; two steps away: c. One contact makes no pair, and of d no outcome is known."""
    (row,) = measured(engine, ("e", "2026-02-10"))
    assert (row["degree"], row["degree_in"], row["degree_out"], row["reciprocity_share"]) == (1, 0, 1, 0.0)
    assert (row["second_degree"], row["clustering_share"], row["core_number"]) == (1, None, 1)
    assert (row["default_neighbours"], row["default_neighbours_share"]) == (None, None)


def test_pagerank_of_a_pair(engine: Engine) -> None:
    """b restarts with 0.15, else the walk goes to and fro: r(b) = 0.15 + 0.85 r(a), r(a) = 0.85 r(b), so r(a) = 17/37.

    Two people make the average 1/2: 34/37.
    """
    pair = "| person_id | contact_id | direction | event_at |\n| a | b1 | out | 2026-01-05 |"
    (row,) = measured(engine, ("a", "2026-02-10"), called=pair)
    assert row["pagerank_default"] == pytest.approx(34 / 37, abs=1e-6)


TRIANGLE = "\n".join(KITE.strip().splitlines()[:5])


def test_ones_own_default_is_left_out(engine: Engine) -> None:
    """Seeded at b alone: r(a) = r(c) = 0.85 (r(a) / 2 + r(b) / 2), so r(a) = 17/57; by three people, 17/19.

    b in turn is judged as if nobody had defaulted: no PageRank, no default among contacts.
    """
    both = LOANS + "| a | l3 | 1 | 2026-01-02 | 100 | - | 0 |\n"
    (row,) = measured(engine, ("a", "2026-02-10"), called=TRIANGLE, owed=both)
    assert row["pagerank_default"] == pytest.approx(17 / 19, abs=1e-6)
    (row,) = measured(engine, ("b", "2026-02-10"), called=TRIANGLE)
    assert (row["pagerank_default"], row["default_neighbours"], row["default_neighbours_share"]) == (None, 0, 0.0)


def test_who_agrees_when_applying_is_measured_by_their_own_log_against_the_graph_before(engine: Engine) -> None:
    """On February 1 the graph was b - c, c in default: r(b) = 17/37. b has one tie, with that to a two.

    2 × 0.85 × 17/37 / 2 = 289/740. d called a, but only a's number, of February 5, tells that.
    """
    agreed = "\n".join(
        [
            consented("b", "c", "d", purpose="score"),
            *consented("a", purpose="score", starts="2026-02-05").splitlines()[1:],
        ]
    )
    called = """
        | person_id | contact_id | direction | event_at   |
        | b         | c1         | out       | 2026-01-05 |
        | a         | b1         | out       | 2026-02-04 |
        | d         | a1         | out       | 2026-01-05 |
    """
    numbers = NUMBERS.replace("| a1         | 2026-01-01", "| a1         | 2026-02-05")
    owed = LOANS.replace("| b ", "| x ").replace("| 2026-01-10 | 100        |", "| - | 0 |")
    (row,) = measured(
        engine, ("a", "2026-02-05 12:00"), called=called, agreed=agreed, numbers=numbers, owed=owed, purpose="score"
    )
    assert (row["degree"], row["degree_out"], row["degree_in"], row["second_degree"]) == (2, 1, 1, 1)
    assert row["pagerank_default"] == pytest.approx(289 / 740, abs=1e-6)
    assert row["core_number"] == 1


def test_others_need_consent_at_the_vintage_to_score(engine: Engine) -> None:
    early = consented("a", "b", purpose="score")
    late = consented("c", purpose="score", starts="2026-02-02").splitlines()[1:]
    rows_of_march = measured(
        engine, ("a", "2026-02-10"), ("a", "2026-03-10"), agreed="\n".join([early, *late]), purpose="score"
    )
    assert [row["degree"] for row in rows_of_march] == [1, 2]


def test_others_are_seen_as_on_the_first_of_the_month(engine: Engine) -> None:
    late = KITE.replace("2026-01-07", "2026-02-01").replace("2026-01-08", "2026-02-01")
    found = measured(engine, ("a", "2026-02-28"), ("a", "2026-03-01"), called=late)
    assert [row["degree"] for row in found] == [1, 2]


def test_the_applicants_own_calls_are_seen_up_to_the_snapshot(engine: Engine) -> None:
    own = KITE + "| a | d1 | out | 2026-02-10 |\n"
    found = measured(engine, ("a", "2026-02-10"), ("a", "2026-02-10 00:00:01"), called=own)
    assert [row["degree"] for row in found] == [2, 3]


def test_without_the_owners_consent_there_is_no_edge(engine: Engine) -> None:
    """c's call to a is c's, and b's call from c names c by c's consent: both are gone."""
    (row,) = measured(engine, ("a", "2026-02-10"), agreed=consented("a", "b", "d", "e"))
    assert (row["degree"], row["degree_in"], row["second_degree"]) == (1, 1, 0)


def test_without_ones_own_consent_there_is_nothing(engine: Engine) -> None:
    agreed = consented("b", "c", "d", "e") + "\n" + consented("a", category="credit").splitlines()[1]
    (row,) = measured(engine, ("a", "2026-02-10"), agreed=agreed)
    assert {value for name, value in row.items() if name != "application_id"} == {None}


def test_a_default_counts_by_the_consent_of_whose_it_is(engine: Engine) -> None:
    agreed = consented("a", "c", "d", "e") + "\n" + consented("b", category="communication").splitlines()[1]
    (row,) = measured(engine, ("a", "2026-02-10"), agreed=agreed)
    assert (row["degree"], row["default_neighbours"], row["pagerank_default"]) == (2, 0, None)


@pytest.mark.parametrize(
    ("due", "paid", "expected"),
    [
        ("2026-01-16", "-", 1),
        ("2026-01-16", "2026-01-30 23:59:59", 0),
        ("2026-01-16", "2026-01-31", 1),
        ("2026-01-16", "2026-04-01", 1),
        ("2026-01-17", "-", None),  # known on February 1 itself, not before
    ],
)
def test_a_default_counts_once_it_was_known(engine: Engine, due: str, paid: str, expected: int | None) -> None:
    owed = "\n".join(LOANS.strip().splitlines()[:1]) + f"\n| b | l1 | 1 | {due} | 100 | {paid} | 0 |"
    (row,) = measured(engine, ("a", "2026-02-10"), owed=owed)
    assert row["default_neighbours"] == expected


def test_a_number_that_two_claim_is_nobodys(engine: Engine) -> None:
    """d too calls b1 their number since January 20: on February 1 a's call to b1 could have meant either."""
    pair = "| person_id | contact_id | direction | event_at |\n| a | b1 | out | 2026-01-05 |"
    found = measured(
        engine,
        ("a", "2026-02-10"),
        ("b", "2026-02-10"),
        called=pair,
        numbers=NUMBERS + "| d | b1 | 2026-01-20 |\n",
    )
    assert [row["degree"] for row in found] == [0, 0]


def test_two_numbers_of_one_person_are_one_contact_and_ones_own_is_none(engine: Engine) -> None:
    called = """
        | person_id | contact_id | direction | event_at   |
        | a         | b1         | out       | 2026-01-05 |
        | a         | b2         | in        | 2026-01-05 |
        | a         | a2         | out       | 2026-01-05 |
    """
    numbers = NUMBERS + "| b | b2 | 2026-01-01 |\n| a | a2 | 2026-01-01 |\n"
    (row,) = measured(engine, ("a", "2026-02-10"), called=called, numbers=numbers)
    assert (row["degree"], row["reciprocity_share"]) == (1, 1.0)


def test_calls_with_people_outside_the_graph_are_degree_nought(engine: Engine) -> None:
    (row,) = measured(engine, ("a", "2026-02-10"), called=KITE.replace("1   ", "9   "))
    assert (row["degree"], row["second_degree"], row["core_number"], row["community_size"]) == (0, 0, 0, 0)
    assert (row["reciprocity_share"], row["clustering_share"]) == (None, None)


def test_messages_make_edges_too(engine: Engine) -> None:
    written = "| person_id | contact_id | direction | event_at |\n| e | a1 | out | 2026-01-05 |"
    (row,) = measured(engine, ("a", "2026-02-10"), written=written)
    assert (row["degree"], row["degree_in"]) == (3, 3)


def test_without_numbers_there_is_no_graph(engine: Engine) -> None:
    held = engine.table(rows(consents, consented("a")))
    with pytest.raises(ConfigError, match="contact_names"):
        graph_features(engine, cohort(("a", "2026-02-10")), held, {"calls": held}, "train", AS_OF, 15, NO_BOUNDS)


@pytest.mark.parametrize(("known", "expected"), [(50, 0.2), (49, None)])
def test_a_circle_of_fewer_than_fifty_known_says_nothing(engine: Engine, known: int, expected: float | None) -> None:
    """a wrote to 60 people, all one circle; 10 of the known are in default. Of a the outcome is known too."""
    people = [f"p{n}" for n in range(60)]
    called = "| person_id | contact_id | direction | event_at |\n"
    called += "\n".join(f"| a | {p}x | out | 2026-01-05 |" for p in people)
    numbers = "| person_id | contact_id | event_at |\n" + "\n".join(f"| {p} | {p}x | 2026-01-01 |" for p in people)
    owed = "| person_id | application_id | instalment | due_at | paid_at |\n| a | l | 1 | 2026-01-05 | - |\n"
    owed += "\n".join(
        f"| {p} | l | 1 | 2026-01-05 | {'-' if n < 10 else '2026-01-05'} |" for n, p in enumerate(people[:known])
    )
    (row,) = measured(
        engine, ("a", "2026-02-10"), called=called, numbers=numbers, owed=owed, agreed=consented("a", *people)
    )
    assert (row["degree"], row["community_size"], row["community_default_share"]) == (60, 60, expected)


def test_without_loans_nothing_is_said_of_defaults_and_nobody_asked_about_gives_no_row(engine: Engine) -> None:
    held = engine.table(rows(consents, consented(*"abcde")), "consents")
    tables = {"messages": engine.table(rows(messages, KITE), "messages")}
    tables["contact_names"] = engine.table(rows(contact_names, NUMBERS), "contact_names")
    asked = cohort(("a", "2026-02-10"))
    (row,) = graph_features(engine, asked, held, tables, "train", AS_OF, 15, NO_BOUNDS).to_pylist()
    assert (row["graph_degree"], row["graph_default_neighbours"], row["graph_pagerank_default"]) == (2, None, None)
    assert graph_features(engine, asked.slice(0, 0), held, tables, "train", AS_OF, 15, NO_BOUNDS).num_rows == 0

"""The families of columns that cider measures on call records, in SQL by hand: `python by_hand.py FOLDER [THREADS]`.

Written as a careful data engineer would: identifiers become numbers; each record is copied into the parts of the week
and day it belongs to, once; counts by contact and by cell are made once; a family is then one statement, and a pivot
gives it its columns. Prints what it cost as JSON, from one Parquet file to another, in processor seconds:
without the five families of places, which call records of the canonical tables cannot have, and with them.
"""

import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

WEEK, DAY, KIND = ("allweek", "weekday", "weekend"), ("allday", "day", "night"), ("call", "text")
PARTS = {"part_of_week": WEEK, "part_of_day": DAY}
KINDS = PARTS | {"kind": KIND}
BASE = {
    "people": """
        SELECT person_id, (row_number() OVER ())::INT AS person
        FROM (SELECT DISTINCT person_id FROM '{folder}/records.parquet')""",
    "contacts": """
        SELECT contact_id, (row_number() OVER ())::INT AS contact
        FROM (SELECT DISTINCT contact_id FROM '{folder}/records.parquet')""",
    "records": """
        SELECT person, contact, direction = 'out' AS is_out, kind::ENUM ('call', 'text') AS kind, duration_s,
               cell::INT AS cell, epoch(moment)::BIGINT AS second, moment::DATE AS local_day,
               (CASE WHEN isodow(moment) >= 6 THEN 'weekend' ELSE 'weekday' END)::{week} AS part_of_week,
               (CASE WHEN hour(moment) >= 19 OR hour(moment) < 7 THEN 'night' ELSE 'day' END)::{day} AS part_of_day
        FROM (SELECT *, "at" AS moment FROM '{folder}/records.parquet')
             JOIN people USING (person_id) JOIN contacts USING (contact_id)""",
    "spoken": """
        SELECT *, lag(kind) OVER pair AS last_kind, lag(is_out) OVER pair AS last_is_out,
               second - lag(second) OVER pair AS wait,
               CASE WHEN kind = 'text' AND (last_kind IS DISTINCT FROM 'text' OR wait >= 3600) THEN second END AS begun
        FROM records WINDOW pair AS (PARTITION BY person, contact ORDER BY second)""",
    "tagged": """
        SELECT * EXCLUDE (begun), CASE WHEN kind = 'text' THEN max(begun) OVER (
                   PARTITION BY person, contact ORDER BY second ROWS UNBOUNDED PRECEDING) END AS conversation
        FROM spoken""",
    "sliced": """
        SELECT * EXCLUDE (part_of_week, part_of_day), part_of_day = 'night' AS is_night, week AS part_of_week,
               unnest(['allday'::{day}, part_of_day]) AS part_of_day
        FROM (SELECT *, unnest(['allweek'::{week}, part_of_week]) AS week FROM tagged)""",
    "by_contact": """
        SELECT person, part_of_week, part_of_day, kind, contact, count(*) AS n,
               count(*) FILTER (is_out) AS n_out, sum(duration_s) AS talked
        FROM sliced GROUP BY ALL""",
}
PLACES = {
    "by_cell": """
        SELECT person, part_of_week, part_of_day, cell, count(*) AS n FROM sliced GROUP BY ALL""",
}
STATS = ("mean", "std", "median", "skewness", "kurtosis", "min", "max")


def stats(x: str) -> str:
    """The seven statistics of an expression."""
    said = ("avg", "stddev_pop", "median", "skewness", "kurtosis_pop", "min", "max")
    return ", ".join(f"{call}({x}) AS {name}" for call, name in zip(said, STATS, strict=True))


@dataclass(frozen=True)
class Family:
    """A statement with a row for each person and part, its columns apart from the person and the parts."""

    sql: str
    parts: dict[str, tuple[str, ...]]
    values: tuple[str, ...] = ("value",)


def grouped(what: str, source: str, parts: dict[str, tuple[str, ...]], values: tuple[str, ...] = ("value",)) -> Family:
    """An aggregate of a table, by person and part."""
    keys = ", ".join(("person", *parts))
    return Family(f"SELECT {keys}, {what} FROM {source} GROUP BY {keys}", parts, values)


def pareto(amount: str, source: str, parts: dict[str, tuple[str, ...]], value: str) -> Family:
    """How many of the largest make up 80 %, as `reached`; `n_all` are there."""
    keys = ", ".join(("person", *parts))
    ranked = f"""
        SELECT {keys}, row_number() OVER w AS place, count(*) OVER (PARTITION BY {keys}) AS n_all,
               sum({amount}) OVER w / nullif(sum({amount}) OVER (PARTITION BY {keys}), 0) AS share
        FROM {source} WINDOW w AS (PARTITION BY {keys} ORDER BY {amount} DESC ROWS UNBOUNDED PRECEDING)"""
    return grouped(f"{value} AS value", f"(SELECT *, place AS reached FROM ({ranked}) WHERE share >= 0.8)", parts)


CALLS, TEXTS = "(FROM sliced WHERE kind = 'call')", "(FROM sliced WHERE kind = 'text')"
STARTS = "(FROM sliced WHERE conversation = second)"
SHARE = "min(reached) / any_value(n_all)"
ENTROPY = "ln(sum(n)) - sum(n * ln(n)) / sum(n) AS value"
CONTACTS = {
    "active_days": grouped("count(DISTINCT local_day) AS value", "sliced", PARTS),
    "number_of_contacts": grouped("count(*) AS value", "by_contact", KINDS),
    "call_duration": grouped(stats("duration_s"), CALLS, PARTS, STATS),
    "percent_nocturnal": grouped(
        "avg(is_night::INT) AS value",
        "(FROM sliced WHERE part_of_day = 'allday')",
        {"part_of_week": WEEK, "kind": KIND},
    ),
    "percent_initiated_conversations": grouped("avg(is_out::INT) AS value", STARTS, PARTS),
    "percent_initiated_interactions": grouped("avg(is_out::INT) AS value", CALLS, PARTS),
    "response_delay_text": grouped(
        stats("CASE WHEN is_out AND NOT last_is_out AND conversation < second THEN wait END"),
        TEXTS,
        PARTS,
        STATS,
    ),
    "response_rate_text": grouped(
        "avg(answered) AS value",
        f"""(SELECT person, contact, conversation, part_of_week, part_of_day,
                    arg_min(is_out, second) AS first, max(is_out::INT) AS answered
             FROM {TEXTS} GROUP BY ALL HAVING NOT first)""",
        PARTS,
    ),
    "entropy_of_contacts": grouped(ENTROPY, "by_contact", KINDS),
    "balance_of_contacts": grouped(stats("n_out / n"), "by_contact", KINDS, STATS),
    "interactions_per_contact": grouped(stats("n"), "by_contact", KINDS, STATS),
    "interevent_time": grouped(
        stats("gap"),
        """(SELECT *, second - lag(second) OVER (
                PARTITION BY person, part_of_week, part_of_day, kind ORDER BY second) AS gap FROM sliced)""",
        KINDS,
        STATS,
    ),
    "percent_pareto_interactions": pareto("n", "by_contact", KINDS, SHARE),
    "percent_pareto_durations": pareto("talked", "(FROM by_contact WHERE kind = 'call')", PARTS, SHARE),
    "number_of_interactions": grouped(
        "count(*) AS every, count(*) FILTER (NOT is_out) AS came, count(*) FILTER (is_out) AS went",
        "sliced",
        KINDS,
        ("every", "came", "went"),
    ),
}
LOCATED = """(SELECT *, sum(n * latitude) OVER part / sum(n) OVER part AS mid_lat,
                     sum(n * longitude) OVER part / sum(n) OVER part AS mid_lon
              FROM by_cell JOIN '{folder}/cells.parquet' USING (cell)
              WINDOW part AS (PARTITION BY person, part_of_week, part_of_day))"""
FAR = """2 * 6371 * asin(sqrt(sin(radians(latitude - mid_lat) / 2) ** 2
         + cos(radians(latitude)) * cos(radians(mid_lat)) * sin(radians(longitude - mid_lon) / 2) ** 2))"""
HOME = """(SELECT s.*, n * (cell = home)::INT AS n_home FROM by_cell s JOIN (
               SELECT person, arg_max(cell, n) AS home FROM by_cell
               WHERE part_of_week = 'allweek' AND part_of_day = 'night' GROUP BY person) USING (person))"""
CELLS = {
    "number_of_antennas": grouped("count(*) AS value", "by_cell", PARTS),
    "entropy_of_antennas": grouped(ENTROPY, "by_cell", PARTS),
    "percent_at_home": grouped("sum(n_home) / sum(n) AS value", HOME, PARTS),
    "radius_of_gyration": grouped(f"sqrt(sum(n * ({FAR}) ** 2) / sum(n)) AS value", LOCATED, PARTS),
    "frequent_antennas": pareto("n", "by_cell", PARTS, "min(reached)"),
}


def wide(name: str, family: Family) -> str:
    """One row a person, a column for each combination of parts and value."""
    columns = [""]
    where = {"": "true"}
    for part, words in family.parts.items():
        columns = [f"{column}__{word}" for column in columns for word in words]
        where |= {c: f"{where[c.rpartition('__')[0]]} AND {part} = '{c.rpartition('__')[2]}'" for c in columns}
    said = [f"max({v}) FILTER ({where[c]}) AS {name}{c}__{v}" for c in columns for v in family.values]
    return f"SELECT person, {', '.join(said)} FROM ({family.sql}) GROUP BY person"


def run(folder: Path, threads: int) -> dict[str, object]:
    """Measure every family, write one wide Parquet file, and tell processor seconds and columns."""
    connection = duckdb.connect(config={"threads": threads})
    spent: dict[str, float] = {}

    def step(label: str, sql: str) -> None:
        before = time.process_time()
        for word, said in (("{folder}", str(folder)), ("{week}", f"ENUM {WEEK}"), ("{day}", f"ENUM {DAY}")):
            sql = sql.replace(word, said)
        connection.execute(sql)
        spent[label] = spent.get(label, 0.0) + time.process_time() - before

    def measured(label: str, families: dict[str, Family]) -> int:
        for name, family in families.items():
            step(label, f"CREATE TABLE {name} AS {wide(name, family)}")
        joined = " ".join(f"LEFT JOIN {name} USING (person)" for name in families)
        step(label, f"CREATE TABLE {label}_all AS FROM people {joined}")
        step(label, f"COPY {label}_all TO '{folder}/by_hand_{label}.parquet'")
        return len(connection.execute(f"FROM {label}_all LIMIT 0").description or ()) - 2

    for name, sql in BASE.items():
        step("contacts", f"CREATE TABLE {name} AS {sql}")
    columns = measured("contacts", CONTACTS)
    for name, sql in PLACES.items():
        step("places", f"CREATE TABLE {name} AS {sql}")
    places = measured("places", CELLS)
    counted = connection.execute("SELECT count(*) FROM records").fetchone()
    return {
        "records": counted[0] if counted else 0,
        "columns": columns,
        "cpu": spent["contacts"],
        "columns_with_places": columns + places,
        "cpu_with_places": sum(spent.values()),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2)))

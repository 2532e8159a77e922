"""Rotate: the raw drops once more, under another key, with proof that nothing but the pseudonyms changed.

A pseudonym cannot be turned back, so a new one needs the raw id again. The old key is not needed: what is compared are
rows, how often ids occur, which ids tables share, and what each person's rows say beside them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import reduce
from pathlib import Path

import ibis
import ibis.expr.types as ir

from features.columns import Kind, Table
from features.tables import TABLES
from pipeline import audit, ingest
from pipeline.engines import Embedded, Engine
from pipeline.params import Params
from pipeline.pseudonyms import has_shard_key
from pipeline.run import STAGES, run_stage
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, whole_folder
from saakh.errors import ConfigError, ContractError, MissingInputError

SHIFTED = ("east_m", "north_m")
"""Metres from an origin that follows from the key: distances stay, the numbers do not."""
MODULUS = 1_000_003
_LATER = tuple(name for name in STAGES if name != "ingest")

Figures = dict[str, int]


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Ingest again under the key that the parameters name now, compare, swap, and rebuild the stages that were there.

    Errors: no key of shards of its own, the same key as before (ConfigError), drops that changed (ContractError) or are
    gone (MissingInputError): then everything is as it was.
    """
    with timed("rotate") as summary:
        if not has_shard_key(params.ingest):
            raise ConfigError(
                "shards would move with the key: name the old key once more, keep the shards' own with `saakh key "
                "shard FILE`, set ingest.shard_key_file to it, and then name the new key"
            )
        audit.ready(params, ws)
        _same_drops(params, ws)
        temporary = Path(tempfile.mkdtemp(prefix=".rotate.", dir=ws.root))
        try:
            done = ingest.run(params, Workspace(temporary), tell)
            with closing(Embedded(params.threads, params.memory_gb)) as engine:
                figures = compare(engine, ws.root / "ingest", temporary / "ingest")
            with whole_folder(ws.root / "ingest") as out:
                for path in sorted((temporary / "ingest").iterdir()):
                    path.replace(out / path.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        audit.record(params, ws, done)
        rebuilt = _rebuild(params, ws, tell)
        summary.rows_in, summary.rows_out, summary.counts = done.rows_in, done.rows_out, {"figures alike": len(figures)}
        summary.facts = {"rebuilt": ", ".join(rebuilt) or "nothing, for nothing was there"}
    return summary


def compare(engine: Engine, old: Path, new: Path) -> Figures:
    """The figures of both folders, when they are alike; else an error says which are not, or that no id changed."""
    before, after = (figures(engine, folder) for folder in (old, new))
    if apart := [name for name in (before | after) if before.get(name) != after.get(name)]:
        raise ContractError(
            f"under the new key the tables would not be the same: {', '.join(apart[:5])} differ; is the shard key "
            "another? Nothing was changed"
        )
    tables = {table.name: _read(engine, old, table) for table in TABLES if (old / f"{table.name}.parquet").exists()}
    for name, rows in tables.items():
        people = engine.read(new / f"{name}.parquet").select("person_id").distinct()
        if engine.count(rows.select("person_id").distinct().inner_join(people, "person_id").count()):
            raise ConfigError(
                "the tables were made with the very key that is named; make a new one (`saakh key new FILE`) and name "
                "that"
            )
    return before


def figures(engine: Engine, folder: Path) -> Figures:
    """What a change of key leaves as it is, by name: rows, ids and their spread, what rows say, what tables share."""
    tables = {t: _read(engine, folder, t) for t in TABLES if (folder / f"{t.name}.parquet").exists()}
    found: Figures = {}
    for table, rows in tables.items():
        found |= {f"{table.name}: {what}": engine.count(value.fill_null(0)) for what, value in _of_rows(table, rows)}
    for what, value in _between(tables):
        found[what] = engine.count(value.fill_null(0))
    if (folder / ingest.SHARDS).exists():
        slots = engine.read(folder / ingest.SHARDS)
        found["shards: rows"] = engine.count(slots.count())
        found["shards: slots"] = engine.count(_squares(slots, ["slot"]).fill_null(0))
        found["shards: sum"] = engine.count(slots.slot.sum().fill_null(0))
    return found


def _of_rows(table: Table, rows: ir.Table) -> Iterator[tuple[str, ir.IntegerScalar]]:
    """Figures of one table."""
    ids = [column.name for column in table.columns if column.kind is Kind.PSEUDONYM]
    yield "rows", rows.count()
    for name in ids:
        yield f"{name} missing", rows[name].isnull().sum()
        yield f"{name} ids", rows[name].nunique()
        yield f"{name} spread", _squares(rows, [name])
    yield "ids together", _squares(rows, ids)
    said = [c.name for c in table.columns if c.name not in (*ids, *SHIFTED)]
    told = rows.select("person_id", said=_hashed(rows, said))
    yield "what rows say", told.said.sum()
    people = told.group_by("person_id").aggregate(said=told.said.sum())
    yield "what people's rows say", (people.said % MODULUS * (people.said % MODULUS) % MODULUS).sum()


def _between(tables: dict[Table, ir.Table]) -> Iterator[tuple[str, ir.IntegerScalar]]:
    """For each kind of id, which of its columns each id is in."""
    columns = [(table, c) for table in tables for c in table.columns if c.kind is Kind.PSEUDONYM]
    for domain in dict.fromkeys(column.domain for _, column in columns):
        same = [tables[table][c.name] for table, c in columns if c.domain == domain]
        places = [ibis.literal(1 << n, "int64") for n in range(len(same))]
        marked = [
            ids.name("id").as_table().drop_null().distinct().mutate(at=place)
            for ids, place in zip(same, places, strict=True)
        ]
        every = reduce(lambda one, other: one.union(other), marked)
        found = every.group_by("id").aggregate(places=every["at"].sum())
        yield f"{domain}: places", found.places.sum()
        yield f"{domain}: places together", _squares(found, ["places"])


def _squares(rows: ir.Table, names: list[str]) -> ir.IntegerScalar:
    """The sum of the squared counts of each combination of values: it moves when two become one, or one two."""
    counts = rows.group_by(names).aggregate(times=rows.count())
    return (counts.times * counts.times).sum()


def _hashed(rows: ir.Table, names: list[str]) -> ir.IntegerValue:
    """A whole number for what a row says in these columns."""
    parts = [ibis.coalesce(rows[name].cast("string"), "missing") for name in names]
    text = parts[0]
    for part in parts[1:]:
        text = text + "|" + part
    return text.hash() % MODULUS


def _read(engine: Engine, folder: Path, table: Table) -> ir.Table:
    return engine.read(folder / f"{table.name}.parquet", table.by_name)


def _same_drops(params: Params, ws: Workspace) -> None:
    """Stop when the files or the mapping are not those that were ingested."""
    account = read_json(ws.need("ingest", "ingest.json"))
    named = [*account["files"], *account.get("ledger", {}).get("files", ())]
    paths = {params.ingest.source / entry["file"]: entry["sha256"] for entry in named}
    for path, known in (paths | {params.ingest.mapping: account["mapping_sha256"]}).items():
        if not path.is_file():
            raise MissingInputError(
                f"{path} is gone, and a new pseudonym needs the raw id again; without the drops no key can be changed"
            )
        if digest(path) != known:
            raise ContractError(f"{path} changed since it was ingested; run `saakh ingest` under the old key first")


def _rebuild(params: Params, ws: Workspace, tell: Tell) -> list[str]:
    """Every later stage that was there, made anew: what it left bears the old pseudonyms."""
    there = [name for name in _LATER if (ws.root / name).is_dir()]
    for name in there:
        shutil.rmtree(ws.root / name)
    for name in there:
        run_stage(name, params, ws, tell)
    return there

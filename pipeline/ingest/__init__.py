"""Ingest: raw files of a lender become canonical tables by a declarative mapping. Every row is kept or counted.

Outputs: one Parquet file a table the mapping fills, shards.parquet (each person's slot), rejects.parquet (where and
why, never what), ingest.json (the account). They appear together or not at all.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.tables import BY_NAME
from pipeline.engines import Embedded, Engine, write_table
from pipeline.ingest.account import Account, by_table, rejects
from pipeline.ingest.consent import asserted, from_ledger
from pipeline.ingest.mapping import Consent, Mapping, read_mapping
from pipeline.ingest.plan import examine, need_columns, plan
from pipeline.ingest.rows import Bounds, Canon, Verdict
from pipeline.ingest.settle import ORIGIN, settle
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, read_key, read_shard_key
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, whole_folder, write_json
from saakh.errors import EmptyInputError

# Instalments may fall due years after `as_of`; from 2100 on, a date is a slip of the pen.
DUE_BEFORE = datetime(2100, 1, 1, tzinfo=UTC)
SHARDS = "shards.parquet"


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Read the files the mapping names, write the canonical tables, the rejects and the account."""
    with timed("ingest") as summary:
        mapping = read_mapping(params.ingest.mapping)
        pseudonyms = Pseudonyms(read_key(params.ingest), read_shard_key(params.ingest))
        accounts = [Account(arrival) for arrival in plan(mapping, params.ingest.source)]
        agreed, told = from_ledger(mapping.ledger, params.ingest.source, bounds(params), pseudonyms)
        with whole_folder(ws.root / "ingest") as out:
            _stage(out / "staged", accounts, mapping, pseudonyms, bounds(params), tell)
            if not any(account.rows_in for account in accounts):
                raise EmptyInputError(f"the files in {params.ingest.source} that the mapping names hold no row")
            with closing(Embedded(params.threads, params.memory_gb)) as engine:
                _settle(engine, out, accounts, tell)
                tables = by_table(accounts)
                made = _asserted(engine, out, mapping.consent, params, pseudonyms) if mapping.consent else agreed
                if made is not None:
                    tables["consents"] = _write_consents(out, made)
                slots = pseudonyms.slots()
                write_table(out / SHARDS, slots.filter(pc.is_in(slots["person_id"], _people(engine, out))))
            write_table(out / "rejects.parquet", rejects(accounts))
            write_json(out / "ingest.json", _report(params, mapping, accounts, tables) | told)
        return _summed(summary, mapping, tables)


def bounds(params: Params) -> Bounds:
    """The times outside which a row is rejected."""
    latest = params.as_of + timedelta(days=params.ingest.days_after_as_of_max)
    return Bounds(params.ingest.earliest, latest, DUE_BEFORE)


def _stage(
    folder: Path, accounts: Sequence[Account], mapping: Mapping, pseudonyms: Pseudonyms, limits: Bounds, tell: Tell
) -> None:
    """Convert every file batch by batch into one unsorted file a table, each row with its origin."""
    folder.mkdir()
    with ExitStack() as stack:
        writers: dict[str, pq.ParquetWriter] = {}
        for number, account in enumerate(accounts):
            canon = Canon(mapping, account.arrival.source, pseudonyms, limits)
            name = canon.table.name
            if name not in writers:
                writers[name] = stack.enter_context(_writer(folder / f"{name}.parquet", canon.schema))
            for verdict in _verdicts(account, canon):
                writers[name].write_table(_with_origin(verdict, number))
                tell(f"read {name}", account.rows_in, None)


def _writer(path: Path, fields: pa.Schema) -> pq.ParquetWriter:
    """A writer for rows that are read once, at once: fast before small."""
    texts = [f.name for f in fields if pa.types.is_dictionary(f.type) or pa.types.is_string(f.type)]
    staged = pa.schema([*fields, *ORIGIN])
    return pq.ParquetWriter(path, staged, compression="none", use_dictionary=texts, write_statistics=False)


def _verdicts(account: Account, canon: Canon) -> Iterator[Verdict]:
    arrival = account.arrival
    for rows in arrival.file.rows(arrival.source.read):
        examine(arrival, canon.mapping)
        verdict = canon.judge(rows)
        account.add(verdict)
        yield verdict
    need_columns(arrival)


def _with_origin(verdict: Verdict, number: int) -> pa.Table:
    origin = pa.repeat(pa.scalar(number, ORIGIN[0].type), len(verdict.lines)), pa.array(verdict.lines)
    return reduce(lambda t, c: t.append_column(*c), zip(ORIGIN, origin, strict=True), verdict.kept)


def _settle(engine: Engine, out: Path, accounts: Sequence[Account], tell: Tell) -> None:
    """Sort each table, drop repeated rows, and charge them to the files they came from."""
    staged = sorted((out / "staged").glob("*.parquet"))
    for done, path in enumerate(staged):
        tell("sort", done, len(staged))
        _, duplicates = settle(engine, path, BY_NAME[path.stem], out / path.name)
        files, lines = (duplicates.column(f.name).to_numpy() for f in ORIGIN)
        for number in np.unique(files):
            accounts[number].add_duplicates(lines[files == number])
    shutil.rmtree(out / "staged")


def _asserted(engine: Engine, out: Path, consent: Consent, params: Params, pseudonyms: Pseudonyms) -> pa.Table:
    """The consents of everyone seen, from the earliest time a row may carry, so that every event kept is covered."""
    return asserted(_people(engine, out).to_pylist(), consent, params.ingest.earliest, pseudonyms)


def _people(engine: Engine, out: Path) -> pa.Array:
    """Everyone in the tables, in order; who is but in rejected rows is not."""
    tables = [engine.read(path).select("person_id") for path in sorted(out.glob("*.parquet"))]
    people = engine.arrow(reduce(lambda a, b: a.union(b), tables).distinct(), ["person_id"])
    return people["person_id"].combine_chunks()


def _write_consents(out: Path, table: pa.Table) -> dict[str, Any]:
    """Write consents.parquet; its account has no rejects, since its rows were made here."""
    rows = write_table(out / "consents.parquet", table)
    return {"rows_in": rows, "rows_kept": rows, "rejected": {}, "clock_repaired": 0, "receipt_raised": 0}


def _report(
    params: Params, mapping: Mapping, accounts: Sequence[Account], tables: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "mapping": params.ingest.mapping.name,
        "mapping_sha256": digest(params.ingest.mapping),
        "consent": _basis(mapping),
        "rows_in": sum(account.rows_in for account in accounts),
        "rows_kept": sum(account.rows_in - account.rejected.total() for account in accounts),
        "rows_rejected": sum(account.rejected.total() for account in accounts),
        "tables": tables,
        "files": [account.as_dict() for account in accounts],
    }


def _basis(mapping: Mapping) -> dict[str, Any]:
    if mapping.consent is None:
        return {"basis": "artefacts"}
    return mapping.consent.model_dump(mode="json")


def _summed(summary: Summary, mapping: Mapping, tables: dict[str, dict[str, Any]]) -> Summary:
    read = {name: t for name, t in tables.items() if mapping.consents_from_source or name != "consents"}
    summary.rows_in = sum(t["rows_in"] for t in read.values())
    summary.rows_out = sum(t["rows_kept"] for t in read.values())
    summary.counts = {"tables": len(tables), "clock_repaired": sum(t["clock_repaired"] for t in read.values())}
    for t in read.values():
        for rule, count in t["rejected"].items():
            name = f"rejected: {rule}"
            summary.counts[name] = summary.counts.get(name, 0) + count
    origin = "rows of the source" if mapping.consents_from_source else "artefacts of a ledger"
    summary.facts = {"consent": "asserted by the source" if mapping.consent else origin}
    return summary

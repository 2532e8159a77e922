"""Derived rows that need not be derived again: of people not one of whose rows has changed, which digests tell.

Most features are measured person by person: whoever's rows, application and consents are the same has the same ones.
Those of the graph of all people are measured anew for everybody.
What is put aside holds nobody who is erased; and it is used only where the log says that the last derive ran with these
parameters on these files.
"""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import audit, derive
from pipeline.audit.log import walk
from pipeline.audit.records import Stage
from pipeline.engines import Engine, open_engine, read_table, write_table
from pipeline.graph.columns import graph_columns
from pipeline.params import Params
from pipeline.question import Question, asked
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, write_json

PERSON, KEY = "person_id", derive.KEY
PRINT = (PERSON, "table", "rows", "mixed")


def keep(params: Params, ws: Workspace, leave_out: Collection[str], folder: Path) -> bool:
    """Put aside what was derived of everybody but these people; False when it could not be used again anyway."""
    if params.engine != "duckdb" or not _is_as_recorded(params, ws):  # digests of rows differ between engines
        return False
    with closing(open_engine(params)) as engine:
        question = asked(params, ws, engine)
        cohort = _cohort(engine, ws)
        others = cohort.filter(pc.invert(pc.is_in(cohort[PERSON], _names(leave_out))))
        gone = _late(engine, cohort, question, leave_out)
        account = read_json(ws.need("derive", "derive.json"))
        late = {name: count - gone.get(name, 0) for name, count in account["events_too_late"].items()}
        write_table(folder / "prints.parquet", _prints(engine, question, others[PERSON]))
        write_table(folder / "cohort.parquet", others)
        for name in ("features", "coverage"):
            rows = read_table(ws.need("derive", f"{name}.parquet"))
            write_table(folder / f"{name}.parquet", rows.filter(pc.is_in(rows[KEY], others[KEY].combine_chunks())))
        specs = read_json(ws.need("derive", "specs.json"))
        write_json(folder / "kept.json", {"purpose": question.purpose, "late": late, "specs": specs})
    return True


def derive_again(params: Params, ws: Workspace, folder: Path, tell: Tell = quiet) -> Summary | None:
    """Derive, taking from `folder` what is unchanged; None when that is not certain, and all is to be derived."""
    if not (folder / "kept.json").exists():
        return None
    with timed("derive") as summary, closing(open_engine(params)) as engine:
        question, kept = asked(params, ws, engine), read_json(folder / "kept.json")
        specs = [spec.as_dict() for spec in question.specs]
        cohort = _cohort(engine, ws)
        if (question.purpose, specs) != (kept["purpose"], kept["specs"]) or not _is_same(
            engine, question, cohort, folder
        ):
            return None
        put = Put(engine, cohort, question, params.memory_gb, tell, folder)
        graph = graph_columns(engine, cohort, question, params)
        account = derive._write(ws, put, question, graph, params.policy)
        summary.rows_in = account["events_seen"] + sum(account["events_too_late"].values())
        summary.rows_out = account["applications"]
        features = len(question.features) + len(question.graph)
        summary.counts = {"features": features, "columns": account["columns"]}
        summary.counts |= {"events seen": account["events_seen"], "applications derived anew": put.fresh}
    return summary


class Put(derive.Batches):
    """What was put aside and what is derived anew, put together batch by batch as derive does it."""

    def __init__(
        self, engine: Engine, cohort: pa.Table, question: Question, memory_gb: float, tell: Tell, folder: Path
    ) -> None:
        super().__init__(engine, cohort, question, memory_gb, tell)
        self._matrix, self._covered = (read_table(folder / f"{name}.parquet") for name in ("features", "coverage"))
        self._matrix = self._matrix.drop_columns([c for feature in question.graph for c in feature.columns])
        self.too_late = dict(read_json(folder / "kept.json")["late"])
        self._rest = cohort.filter(pc.invert(pc.is_in(cohort[KEY], self._matrix[KEY].combine_chunks())))

    @property
    def fresh(self) -> int:
        """How many applications are derived anew."""
        return len(self._rest)

    def __iter__(self) -> Iterator[pa.Table]:
        if self.fresh:
            found = derive.measure(self.engine, self._rest, _about(self.question, self._rest), self.tell)
            self._matrix = pa.concat_tables([self._matrix, found.matrix.cast(self._matrix.schema)])
            self._covered = pa.concat_tables([self._covered, found.coverage.cast(self._covered.schema)])
            for name, count in found.too_late.items():
                self.too_late[name] = self.too_late.get(name, 0) + count
        sources = self._covered["source"].unique()
        for part in self._parts():
            self.coverage.append(_in_order(self._covered, part[KEY].combine_chunks(), sources))
            yield self._matrix.take(pc.index_in(part[KEY].combine_chunks(), self._matrix[KEY].combine_chunks()))


def _in_order(coverage: pa.Table, applications: pa.Array, sources: pa.Array) -> pa.Table:
    """The rows of these applications, source by source in the order of `sources`, each in that of the applications."""
    rows = coverage.filter(pc.is_in(coverage[KEY], applications))
    source, application = pc.index_in(rows["source"], sources), pc.index_in(rows[KEY], applications)
    return rows.take(pc.sort_indices(pc.add(pc.multiply(source.cast("int64"), len(applications)), application)))


def _is_as_recorded(params: Params, ws: Workspace) -> bool:
    """Whether the log's last word on derive is of these parameters, policies, inputs and outputs, and this version."""
    last = next((r.entry for r in reversed([r for r, _ in walk(audit.path_of(ws))]) if _is_derive(r.entry)), None)
    if not isinstance(last, Stage) or not (ws.root / "derive").is_dir():
        return False
    now = hashlib.sha256(params.model_dump_json().encode()).hexdigest()
    files = {name: audit.POLICIES / f"{name}.yaml" for name in last.policies}
    policies = {name: digest(file) if file.is_file() else None for name, file in files.items()}
    trees = {**last.inputs, "derive": last.tree}
    return (
        (last.params, dict(last.policies), last.version) == (now, policies, version("saakh-pipeline"))
        and all((ws.root / name).is_dir() for name in trees)
        and trees == {name: audit.tree(ws.root / name) for name in trees}
    )


def _is_derive(entry: object) -> bool:
    return isinstance(entry, Stage) and entry.stage == "derive"


def _is_same(engine: Engine, question: Question, cohort: pa.Table, folder: Path) -> bool:
    """Whether everybody put aside is in the cohort, asked the same, with the same rows."""
    known, prints = read_table(folder / "cohort.parquet"), read_table(folder / "prints.parquet")
    there = cohort.filter(pc.is_in(cohort[PERSON], known[PERSON].combine_chunks()))
    return bool(there.equals(known) and _prints(engine, question, known[PERSON]).equals(prints))


def _prints(engine: Engine, question: Question, people: pa.ChunkedArray) -> pa.Table:
    """For each of these people and each table, how many rows there are, and a digest of them whatever their order."""
    found = []
    for name, rows in {**question.events, "consents": question.consents}.items():
        row = ibis.struct({column: rows[column] for column in rows.columns if column != PERSON}).hash()
        mixed = rows.group_by(PERSON).aggregate(rows=rows.count(), mixed=row.bit_xor())
        table = engine.arrow(mixed.mutate(table=ibis.literal(name)).select(*PRINT), [PERSON])
        found.append(table.filter(pc.is_in(table[PERSON], people.combine_chunks())))
    return pa.concat_tables(found).combine_chunks()


def _late(engine: Engine, cohort: pa.Table, question: Question, people: Collection[str]) -> dict[str, int]:
    """How many events of these people came too late to be seen, by table."""
    rows = cohort.filter(pc.is_in(cohort[PERSON], _names(people)))
    if not len(rows):
        return {}
    few = tuple(f for f in question.features if f.table.state)  # the cheapest of features that all tables are read for
    return dict(derive.measure(engine, rows, replace(_about(question, rows), features=few)).too_late)


def _about(question: Question, rows: pa.Table) -> Question:
    """The question about the people of these rows alone."""
    names = rows[PERSON].unique().to_pylist()

    def theirs(rows: ir.Table) -> ir.Table:
        return rows.filter(rows[PERSON].isin(names))

    return replace(question, events={name: theirs(rows) for name, rows in question.events.items()})


def _cohort(engine: Engine, ws: Workspace) -> pa.Table:
    """The cohort as derive asks about it, in its order."""
    rows = engine.read(ws.need("cohort", "cohort.parquet"), derive.COHORT).select(derive.COHORT)
    return engine.arrow(rows, [PERSON, KEY])


def _names(people: Collection[str]) -> pa.Array:
    return pa.array(sorted(people), pa.string())

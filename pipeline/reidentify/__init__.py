"""Re-identify: how many people a few known values would single out in the tables, and how many share each record.

Only what consent opens and the past of an application holds is looked at, as features see it. What comes out are shares
of a sample with intervals, no value and no person.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from features.columns import Table
from features.tables import BY_NAME
from pipeline.asof import visible
from pipeline.engines import Engine, open_engine
from pipeline.gate import openings
from pipeline.params import Params
from pipeline.policy import barred_tables, bounds_for, read_policies
from pipeline.question import refuse_other_policies
from pipeline.reidentify.anonymity import K_LEAST, classes, k_anonymity
from pipeline.reidentify.traces import RECORDS, TRACES, Record, Trace
from pipeline.reidentify.unicity import Points, unicity
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, write_json

FILE = "reidentify.json"
ASKING = ("application_id", "person_id", "snapshot_at", "asked_at")


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Measure unicity and k of every table that is there; write `reidentify/reidentify.json`."""
    with timed("reidentify") as summary, closing(open_engine(params)) as engine:
        seen = _Seen(params, ws, engine)
        traces = [trace for trace in TRACES if seen.sees(trace.table, trace.columns)]
        found: dict[str, Any] = {"purpose": seen.purpose, "confidence": params.evaluate.confidence, "k": K_LEAST}
        found |= {"inputs": inputs(ws), "unicity": [], "records": []}
        for done, trace in enumerate(traces):
            tell(trace.name, done, len(traces))
            found["unicity"].append(_unicity(seen, trace))
        found["records"] = [_record(seen, record) for record in RECORDS if seen.sees(record.table, ())]
        write_json(ws.stage("reidentify") / FILE, found)
        summary.facts = dict(_told(found)) | {"written": str(ws.root / "reidentify" / FILE)}
    return summary


def inputs(ws: Workspace) -> dict[str, str]:
    """What the figures rest on: the account of ingest, which names every file by its digest, and the cohort."""
    return {name: digest(ws.need(name, f"{name}.json")) for name in ("ingest", "cohort")}


def fresh(ws: Workspace) -> dict[str, Any] | None:
    """The figures, when there are some and they are of the tables that lie there now."""
    path = ws.root / "reidentify" / FILE
    if not path.exists():
        return None
    found: dict[str, Any] = read_json(path)
    return found if found["inputs"] == inputs(ws) else None


class _Seen:
    """The rows that features may see of a run, table by table."""

    def __init__(self, params: Params, ws: Workspace, engine: Engine) -> None:
        said = read_json(ws.need("cohort", "cohort.json"))
        refuse_other_policies(params, said, "cohort")
        policies = read_policies(params.policy)
        self.params, self.ws, self.engine, self.purpose = params, ws, engine, str(said["purpose"])
        self.barred = {*barred_tables(policies), *(name for policy in policies for name in policy.barred.columns)}
        self.cohort = engine.read(ws.need("cohort", "cohort.parquet"), ASKING).select(ASKING)
        consents, bounds = engine.canonical(ws, BY_NAME["consents"]), bounds_for(policies, self.purpose)
        opened = openings(self.cohort.drop("snapshot_at"), consents, self.purpose, bounds)
        self.opened = engine.keep(opened, "reidentify_opened")

    def sees(self, table: Table, columns: Sequence[str]) -> bool:
        """Whether a table was ingested, and no policy bars it or one of these columns of it."""
        named = {table.name, *(f"{table.name}.{name}" for name in columns)}
        return not named & self.barred and self.engine.find(self.ws, table) is not None

    def rows(self, table: Table) -> ir.Table:
        """What any application may see of a table, each row once an application."""
        return visible(self.cohort, self.opened, self.engine.canonical(self.ws, table), table)


def _unicity(seen: _Seen, trace: Trace) -> dict[str, Any]:
    """The unicity of one trace."""
    asked, engine = seen.params.reidentify, seen.engine
    rows = seen.rows(trace.table)
    values = trace.values(rows)
    pairs = rows.select("person_id", **values).drop_null(list(values)).distinct()
    numbered = pairs.select(
        point=ibis.dense_rank().over(order_by=list(values)), who=ibis.dense_rank().over(order_by="person_id")
    )
    held = engine.arrow(numbered, ["point", "who"])
    points = Points(*(held[name].to_numpy().astype(np.int64) for name in ("point", "who")))
    told = unicity(points, asked.known, asked.people, seen.params.evaluate.confidence, seen.params.seed)
    return {"name": trace.name, "table": trace.table.name, "point": trace.point, **told}


def _record(seen: _Seen, record: Record) -> dict[str, Any]:
    """How many people share each record of a state table, by everybody's latest row."""
    columns = [name for name in record.columns if seen.sees(record.table, [name])]
    rows = seen.rows(record.table)
    order = [rows.event_at.desc(), rows.available_at.desc(), *(rows[name] for name in columns)]
    latest = rows.mutate(place=ibis.row_number().over(group_by="person_id", order_by=order))
    held = seen.engine.arrow(latest.filter(latest.place == 0).select("person_id", *columns), ["person_id"])
    return {"name": record.name, "table": record.table.name, "columns": columns, **_shared(held, columns)}


def _shared(held: pa.Table, columns: Sequence[str]) -> dict[str, Any]:
    sizes = np.bincount(classes(held, columns)) if held.num_rows else np.zeros(0, np.int64)
    people = int(sizes.sum())
    below, alone = int(sizes[sizes < K_LEAST].sum()), int((sizes == 1).sum())
    shares = {"share_below": below / people, "share_alone": alone / people} if people else {}
    return {"people": people, "classes": len(sizes), "k": k_anonymity(held, columns), **shares}


def _told(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures in short, to print."""
    lines = []
    for row in found["unicity"]:
        last = row["by_known"][-1]
        drawn = f"of {row['sampled']:,} people drawn"
        said = "nobody has so many" if last["share"] is None else f"{last['share']:.0%} {drawn}"
        lines.append((f"singled out by {last['known']} of {row['name']}", said))
    lines += [(f"k of {row['name']}", f"{row['k']:,}, of {row['people']:,} people") for row in found["records"]]
    return lines

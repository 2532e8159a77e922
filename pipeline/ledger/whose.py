"""Whose consents are asked about: a person or an application, named by a raw id or by its pseudonym.

What is shown afterwards is the pseudonym. A raw id needs the key; a pseudonym that the tables hold does not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis.expr.types as ir

from features.tables import applications, consents
from pipeline.engines import Engine
from pipeline.ledger.terms import identifier
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.workspace import Workspace
from saakh.errors import ConsentError

_PSEUDONYM = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Application:
    """An application: whose it is, when it was made, and its snapshot, in whole seconds, rounded down."""

    name: str
    person: str
    applied_at: datetime

    @property
    def snapshot_at(self) -> datetime:
        """What happened from this moment on is not seen."""
        return self.applied_at.replace(microsecond=0)


def consents_of(engine: Engine, ws: Workspace, person: str) -> list[dict[str, Any]]:
    """The rows of the canonical consents of one person, by pseudonym."""
    table = engine.read(ws.need("ingest", "consents.parquet"), consents.by_name)
    return engine.arrow(table.filter(table.person_id == person), consents.key).to_pylist()


def person(engine: Engine, ws: Workspace, given: str, params: Params) -> str:
    """The pseudonym of a person who has a consent or an application; a `ConsentError` when nobody has it."""
    held = engine.read(ws.need("ingest", "consents.parquet"), consents.by_name)
    applied = _applications(engine, ws)
    return _found(engine, (held, applied), "person_id", "person", given, params)


def application(engine: Engine, ws: Workspace, given: str, params: Params) -> Application:
    """The application of that id or pseudonym; a `ConsentError` when there is none."""
    rows = _applications(engine, ws)
    name = _found(engine, (rows,), "application_id", "application", given, params)
    row = engine.arrow(rows.filter(rows.application_id == name), applications.key).to_pylist()[0]
    return Application(name, row["person_id"], row["applied_at"])


def _applications(engine: Engine, ws: Workspace) -> ir.Table:
    return engine.read(ws.need("ingest", "applications.parquet"), applications.by_name)


def _found(engine: Engine, tables: Sequence[ir.Table], column: str, domain: str, given: str, params: Params) -> str:
    if _PSEUDONYM.fullmatch(given) and _holds(engine, tables, column, given):
        return given
    name = Pseudonyms(read_key(params.ingest)).one(domain, identifier(given))
    if not _holds(engine, tables, column, name):
        raise ConsentError(
            f"no {domain} of that id is in the ingested tables (under this key its pseudonym would be {name}); "
            "give an id as the source writes it, or a pseudonym"
        )
    return name


def _holds(engine: Engine, tables: Sequence[ir.Table], column: str, name: str) -> bool:
    return any(engine.count(table.filter(table[column] == name).count()) for table in tables)

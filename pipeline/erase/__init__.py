"""Erase people: from raw drops, tables, features, models, reports, runs and copies; what depended on them is made anew.

Afterwards everything is what it would be had their rows never existed. Rows of others that name them keep a tombstone,
which says no more than that there is somebody. An erasure that was stopped is finished by the next call.
"""

import secrets
from dataclasses import replace
from datetime import date

from pipeline import audit
from pipeline.audit.records import ERASURES
from pipeline.erase import journal, stores
from pipeline.erase.find import Found
from pipeline.erase.journal import Journal
from pipeline.erase.outlived import outlived
from pipeline.erase.planned import Asked, House, Plan, planned, refuse_unfit
from pipeline.erase.remove import refuse_unwritable
from pipeline.erase.work import Done, Hear, Work
from pipeline.params import Params
from pipeline.retention.errors import ErasureError
from pipeline.retention.keys import read_store_key
from pipeline.summary import Tell, quiet
from pipeline.workspace import Workspace

__all__ = ["Asked", "Done", "ErasureError", "erase", "look", "look_outlived", "outlive"]


def look(params: Params, ws: Workspace, asked: Asked) -> Plan:
    """What erasing these people would do, in counts; nothing is changed."""
    _refuse_other_reasons(asked)
    return planned(House(params, ws), asked)


def erase(params: Params, ws: Workspace, asked: Asked, tell: Tell = quiet, hear: Hear | None = None) -> list[Done]:
    """Finish the erasure that was stopped, if one was; then erase these people. `hear` hears of each stage made anew.

    Raises:
        ErasureError: somebody named is nowhere, a place cannot be written, something still names them.
    """
    audit.ready(params, ws)
    _refuse_other_reasons(asked)
    house = House(params, ws)
    with journal.alone(ws):
        begun = journal.read(ws)
        if begun and asked.is_removal:
            begun = begun.model_copy(update={"stages": ()})
        if not asked.people and not begun:
            raise ErasureError("nobody is named, and no erasure was stopped that could be finished; name people")
        done = set(begun.people) if begun else set()
        left = tuple(given for given in asked.people if not house.meant(given) & done)
        finished = [Work(house, begun, None, tell, hear, {*asked.people} - {*left}).carry_out()] if begun else []
        if left:
            plan = planned(house, replace(asked, people=left))
            refuse_unwritable(plan.found.marks)
            stores.refuse_runs_elsewhere(ws)
            if asked.hold:
                read_store_key(params)
            journal.write(ws, plan.journal)
            finished.append(Work(house, plan.journal, plan.found, tell, hear, plan.found.raw).carry_out())
    return finished


def look_outlived(params: Params, ws: Workspace, day: date) -> Found:
    """The rows that have outlived their data life by this day; nothing is changed."""
    house = House(params, ws)
    refuse_unfit(house)
    return outlived(params, ws, house.pseudonyms, day)


def outlive(params: Params, ws: Workspace, day: date, tell: Tell = quiet, hear: Hear | None = None) -> list[Done]:
    """Finish what was stopped, then remove every row that has outlived its data life by this day.

    What they fed is made anew. Where there is no such row, nothing is done.
    """
    audit.ready(params, ws)
    house = House(params, ws)
    with journal.alone(ws):
        begun = journal.read(ws)
        finished = [Work(house, begun, None, tell, hear, set()).carry_out()] if begun else []
        found = look_outlived(params, ws, day)
        if found.marks:
            refuse_unwritable(found.marks)
            stores.refuse_runs_elsewhere(ws)
            plan = Journal(
                token=secrets.token_hex(16),
                why="purpose_ended",
                affected=tuple(sorted(found.people)),
                removed={name: rows for name, rows in sorted(found.rows.items()) if rows},
                folders=(*stores.made(ws), *stores.beside(ws)),
                stages=tuple(stores.made(ws)),
                superseded=tuple(stores.superseded(ws)),
                outlived_by=day.isoformat(),
            )
            journal.write(ws, plan)
            finished.append(Work(house, plan, found, tell, hear, set()).carry_out())
    return finished


def _refuse_other_reasons(asked: Asked) -> None:
    if asked.why not in ERASURES:
        raise ErasureError(f"no such reason to erase (--why); there are {', '.join(ERASURES)}")

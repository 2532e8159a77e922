"""Keep sealed copies until their day, open them for their purpose alone, and then destroy them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline import audit
from pipeline.audit.heads import read_signer
from pipeline.erase.journal import Hold, alone
from pipeline.erase.receipt import Destroyed, write_receipt
from pipeline.params import Params
from pipeline.policy import read_policies, retention_of
from pipeline.retention.errors import ErasureError
from pipeline.retention.keys import read_store_key
from pipeline.retention.sealed import PURPOSES, AnyHeader, Store, store_of
from pipeline.workspace import Workspace, whole


@dataclass(frozen=True)
class Looked:
    """What a look through the sealed store came to: copies destroyed, copies kept, the receipt if there were any."""

    destroyed: tuple[str, ...]
    kept: tuple[AnyHeader, ...]
    receipt: Path | None


def today() -> date:
    """By the wall clock in UTC, for a duty to destroy does not wait for a parameter."""
    return datetime.now(UTC).date()


def copies(params: Params, ws: Workspace) -> list[AnyHeader]:
    """The headers of all sealed copies, each borne out by its key, the next to be destroyed first."""
    return _store(params, ws).headers() if _are_copies(ws) else []


def due(params: Params, ws: Workspace, day: date) -> list[AnyHeader]:
    """The copies that are to be destroyed by this day."""
    return [header for header in copies(params, ws) if _is_due(header, day)]


def run(params: Params, ws: Workspace, as_of: date | None = None) -> Looked:
    """Destroy every sealed copy whose day has come; what was begun and stopped is finished and recorded.

    Keys are destroyed first, then the log is told, then the files go: so that none is destroyed unrecorded. Where
    there is no copy there is nothing to record, and no key is needed.
    """
    audit.ready(params, ws)
    day = as_of or today()
    if not _are_copies(ws):
        return Looked((), (), None)
    store = _store(params, ws)
    with alone(ws):
        held = store.headers()
        for header in held:
            if _is_due(header, day):
                store.shred(header.id)
        kept = tuple(header for header in held if not _is_due(header, day))
        gone = tuple(store.shredded())
        receipt = Destroyed(at=_now(), as_of=day.isoformat(), copies=gone, kept=len(kept))
        path = write_receipt(ws, receipt, read_signer(params.audit))
        audit.retained(params, ws, len(gone), len(kept), path)
        for name in gone:
            store.remove(name)
    return Looked(gone, kept, path)


def open_copy(params: Params, ws: Workspace, name: str, purpose: str, out: Path) -> None:
    """Write what a sealed copy holds, a zip, readable by its owner alone; the log says that it left the store."""
    audit.ready(params, ws)
    if out.exists():
        raise ErasureError(f"{out} is there already; name a new file")
    body = _store(params, ws).open(name, purpose, today())
    with whole(out, 0o600) as temporary:
        temporary.write_bytes(body)
    try:
        audit.exported(params, ws, out)
    except BaseException:
        out.unlink()
        raise


def hold_for(params: Params, purpose: str | None, until: date | None) -> Hold | None:
    """What is to be kept of people who are erased now: as asked, and no less than the run's policies ask."""
    if (purpose is None) != (until is None):
        raise ErasureError("a legal hold needs both: what it is for (--hold) and when it ends (--until)")
    if purpose is not None and purpose not in PURPOSES:
        raise ErasureError(f"no such purpose of a legal hold; there are {', '.join(PURPOSES)}")
    if until is not None and until <= today():
        raise ErasureError(f"a legal hold until {until} has ended already; name a day to come, or none")
    law = retention_of(read_policies(params.policy)).hold
    by_law = today() + timedelta(days=law.days) if law else None
    if by_law is None and until is None:
        return None
    ends = max(day for day in (until, by_law) if day is not None)
    return Hold(purpose=purpose or PURPOSES[0], destroy_by=ends.isoformat())


def _store(params: Params, ws: Workspace) -> Store:
    return store_of(ws, read_store_key(params))


def _are_copies(ws: Workspace) -> bool:
    return any((ws.root / "sealed").glob("*.sealed"))


def _is_due(header: AnyHeader, day: date) -> bool:
    return date.fromisoformat(header.destroy_by) <= day


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

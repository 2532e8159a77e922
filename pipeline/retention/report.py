"""What `saakh retention` does and prints: sealed copies listed, opened, destroyed; rows past their life removed."""

from datetime import date
from pathlib import Path

from rich.text import Text

from pipeline.console import out, progress
from pipeline.erase import look_outlived, outlive
from pipeline.erase.report import lines, show_done, show_stage, told_when_stopped
from pipeline.params import Params
from pipeline.retention.enforce import copies, due, open_copy, run, today
from pipeline.retention.sealed import AnyHeader, VersionHeader
from pipeline.workspace import Workspace


def list_copies(params: Params) -> None:
    """Print each sealed copy: when it goes, what it is kept for, whose it is (a digest), its id."""
    held = copies(params, Workspace(params.workspace))
    for header in held:
        out.print(Text(_line(header)), soft_wrap=True)
    out.print(f"{len(held):,} sealed copies.")


def enforce(params: Params, as_of: date | None, *, is_dry: bool = False) -> None:
    """Destroy the copies whose day has come, remove the rows that have outlived their data life, and say how many.

    Dry, say only how many that would be.
    """
    ws, day = Workspace(params.workspace), as_of or today()
    if is_dry:
        _show_due(params, ws, day)
        return
    looked = run(params, ws, day)
    for name in looked.destroyed:
        out.print(Text(f"destroyed {name}"))
    out.print(f"{len(looked.destroyed):,} sealed copies destroyed, {len(looked.kept):,} kept.")
    if looked.kept:
        out.print(f"The next is to be destroyed by {looked.kept[0].destroy_by}.")
    if looked.receipt:
        out.print(f"Receipt: {looked.receipt}", soft_wrap=True)
    if _has_rows(ws):
        with told_when_stopped(ws), progress("retention") as tell:
            finished = outlive(params, ws, day, tell, show_stage)
        for done in finished:
            show_done(done)
        if not finished:
            out.print(f"No row has outlived its data life by {day}.")


def open_for(params: Params, name: str, purpose: str, to: Path) -> None:
    """Write what a sealed copy holds, and say that this was recorded."""
    open_copy(params, Workspace(params.workspace), name, purpose, to)
    out.print(f"Wrote {to}, readable by you alone; the audit log says so. Remove it when its purpose is served.")


def _show_due(params: Params, ws: Workspace, day: date) -> None:
    """Say what a run by this day would destroy and remove."""
    out.print(f"{len(due(params, ws, day)):,} sealed copies would be destroyed by {day}. Nothing was changed.")
    if _has_rows(ws):
        found = look_outlived(params, ws, day)
        lines("rows that have outlived their data life", {name: rows for name, rows in found.rows.items() if rows})


def _has_rows(ws: Workspace) -> bool:
    return (ws.root / "ingest" / "consents.parquet").exists()


def _line(header: AnyHeader) -> str:
    whose = f"version {header.version[:16]}…" if isinstance(header, VersionHeader) else f"person {header.person[:16]}…"
    policies = " ".join(header.policies)
    return f"{header.destroy_by}  {header.purpose}  {header.id}  {whose}  {policies}"

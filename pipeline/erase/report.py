"""What `saakh erase` does and prints: counts of where people are, of what went, and what was made anew."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.text import Text

from pipeline.audit.heads import UNSIGNED, public_of, read_public, read_signer
from pipeline.console import err, out, progress, show
from pipeline.erase import Asked, Done, erase, look
from pipeline.erase.journal import place
from pipeline.erase.planned import Plan
from pipeline.erase.receipt import Erased, read_receipt
from pipeline.params import Params
from pipeline.retention.enforce import hold_for
from pipeline.summary import Summary
from pipeline.workspace import Workspace
from saakh.errors import MissingInputError, SaakhError


def erase_people(
    params: Params,
    people: Sequence[str],
    numbers: Sequence[str] = (),
    why: str = "request",
    hold: str | None = None,
    until: date | None = None,
    *,
    is_dry: bool = False,
    is_anew: bool = False,
    is_removal: bool = False,
) -> None:
    """Erase people and say what that came to; dry, say only what it would come to."""
    ws = Workspace(params.workspace)
    asked = Asked(tuple(people), tuple(numbers), why, hold_for(params, hold, until), is_anew, is_removal)
    if is_dry:
        _show_plan(look(params, ws, asked))
        return
    with told_when_stopped(ws), progress("erase") as tell:
        finished = erase(params, ws, asked, tell, show_stage)
    for done in finished:
        show_done(done)


@contextmanager
def told_when_stopped(ws: Workspace) -> Iterator[None]:
    """Say of an erasure that stops half-way how it is finished."""
    try:
        yield
    except SaakhError:
        if place(ws).exists():
            err.print(
                "The erasure is not finished. Mend what follows, then run `saakh erase` again, which goes on; with "
                "--only-remove it ends without making anything anew."
            )
        raise


def show_receipt(params: Params, path: Path, key: str | None = None) -> None:
    """Verify a receipt and print what it says."""
    if not path.is_file():
        raise MissingInputError(f"no receipt at {path}")
    trusted = (read_public(key),) if key else (public_of(read_signer(params.audit)),)
    receipt = read_receipt(path, trusted)
    whose = "unsigned: no key is configured" if receipt.key is UNSIGNED else f"signed by {receipt.key}"
    out.print(Text(receipt.model_dump_json(indent=1)), Text(f"{path}: {whose}"), sep="\n", soft_wrap=True)


def show_stage(summary: Summary) -> None:
    """One line for a stage that was made anew."""
    show(summary, in_full=False)


def _show_plan(plan: Plan) -> None:
    said, found = plan.journal, plan.found
    out.print(f"{_people(len(said.people))}, found under {len(said.names):,} names. Nothing was changed.")
    files = sum(bool(mark.theirs) for mark in found.marks.values())
    lines(f"rows that would go, from {files:,} raw files and every table", said.removed)
    if said.replaced:
        lines("fields of others that name them, and would get a tombstone", {"fields": said.replaced})
    lines("rows in the workspace", plan.held.rows)
    gone = [name for name in said.folders if name not in said.stages]
    for title, names in (("made anew", said.stages), ("removed, and not made anew", gone)):
        if names:
            out.print(f"{title}: {', '.join(names)}")
    if said.superseded:
        out.print(f"models and scorecards that learned from them: {len(said.superseded)}")
    if said.hold:
        out.print(f"a sealed copy of each would be kept for {said.hold.purpose} until {said.hold.destroy_by}")


def show_done(done: Done) -> None:
    """Say what went, what else is to be done, and where the receipt is."""
    said = done.receipt
    if isinstance(said, Erased):
        out.print(f"{_people(len(said.people))} erased; looked for afterwards in {said.searched:,} files, in vain.")
    else:
        out.print(f"Rows of {_people(said.people)} had outlived their data life by {said.day}.")
    lines("rows removed", said.removed)
    if isinstance(said, Erased) and said.replaced:
        out.print(f"{said.replaced:,} fields of others that named them hold a tombstone now.")
    out.print(f"{said.runs_removed:,} runs of MLflow and {said.copies_removed:,} copies of DVC removed.")
    if isinstance(said, Erased) and said.sealed_until:
        out.print(f"Sealed copies are kept until {said.sealed_until}; `saakh retention run` destroys them then.")
    for share in done.shared:
        what = f"{share.what} {share.artefact[:16]}… is superseded, and {share.recipient} was given it at {share.at}"
        out.print(Text(f"{what}: tell them."), soft_wrap=True)
    if done.remotes:
        out.print(f"DVC remotes ({', '.join(done.remotes)}) may hold copies: run `dvc gc --workspace --cloud`.")
    signed = "unsigned, for no key is configured" if said.key is UNSIGNED else "signed"
    out.print(f"Receipt, {signed}: {done.path}", soft_wrap=True)


def lines(title: str, counts: dict[str, int]) -> None:
    """Counts under a title, a line each."""
    out.print(f"{title}:" if counts else f"{title}: none")
    for name, count in counts.items():
        out.print(Text(f"  {count:>11,}  {name}", style="dim"))


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"

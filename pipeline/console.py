"""What a person sees while a command works: a progress line, a summary a stage, one message when it fails."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from pipeline.summary import Summary, Tell
from saakh.errors import SaakhError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def progress(stage: str) -> Iterator[Tell]:
    """A progress line that goes away when the block ends; gives the `Tell` that moves it."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(stage, total=None)

        def tell(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=f"{stage}: {what}" if what != stage else stage, completed=done, total=total)

        yield tell


def show(summary: Summary, *, in_full: bool = True) -> None:
    """One line a stage: rows in, rows out, seconds; in full, also its facts and what it counted, one a line."""
    has_rows = summary.rows_in or summary.rows_out
    line = Text.assemble(
        (f"{summary.stage:<9}", "bold cyan"),
        f"{summary.rows_in:>11,} → {summary.rows_out:>9,} rows" if has_rows else "",
        (f"{summary.seconds:>7.1f} s", "dim"),
    )
    out.print(line)
    if in_full:
        facts = summary.facts | {name: f"{count:,}" for name, count in summary.counts.items()}
        for name, value in facts.items():
            out.print(Text(f"          {name}: {value}", style="dim"), soft_wrap=True)


def show_error(error: Exception) -> None:
    """The failure as one message, named by its kind; of one nobody foresaw, where it happened and no message."""
    if isinstance(error, OSError):
        place = error.filename2 or error.filename or "a file"
        said = f"{place}: {error.strerror}; see that the place is of the right kind, may be used, and has room"
    elif isinstance(error, SaakhError):
        said = str(error)
    else:
        # A library's message may quote a row.
        err.print("".join(traceback.format_tb(error.__traceback__)), markup=False, soft_wrap=True, end="")
        said = "not foreseen; its message is withheld, for it may repeat a person's data. Please report the lines above"
    err.print(Text.assemble((f"{type(error).__name__}: ", "bold red"), said), soft_wrap=True)

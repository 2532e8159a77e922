"""What a stage says when it is done: rows in, rows out, seconds, and what it counted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Tell = Callable[[str, int, int | None], None]
"""How long work reports: what is being done, how much is done, how much there is (None: unknown)."""


def quiet(what: str, done: int, total: int | None) -> None:
    """A `Tell` for those who do not listen."""


@dataclass
class Summary:
    """A stage's account of itself. `counts` are named tallies (reasons, tables); `facts` are short lines to print."""

    stage: str
    rows_in: int = 0
    rows_out: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


@contextmanager
def timed(stage: str) -> Iterator[Summary]:
    """A summary that knows how long its block took."""
    summary, start = Summary(stage), time.perf_counter()
    try:
        yield summary
    finally:
        summary.seconds = time.perf_counter() - start

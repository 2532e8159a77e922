"""What the cohort explorer needs to know of scored applications: when they were made, and what sources showed."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Floats, Times
from pipeline.engines import read_table
from pipeline.sample import CATEGORY, KEY, positions
from pipeline.workspace import Workspace

STATUSES = ("seen", "silent", "refused")
SEEN, SILENT, REFUSED = range(3)
SHOWS = ("present", "silent", "closed")


@dataclass(frozen=True)
class Availability:
    """What one category of consent shows of each application: a place in `STATUSES`; its sources that arrived."""

    category: str
    sources: tuple[str, ...]
    status: Codes


@dataclass(frozen=True)
class Judged:
    """For every scored application its month and what it shows; of people trained on, who came again, the later loans.

    `month` has the precision of months, `available` a status per application, both in the order of the keys asked for.
    """

    month: Times
    available: tuple[Availability, ...]
    returning_month: Times
    returning_log_odds: Floats


def nobody() -> Judged:
    """Of no application."""
    never = np.empty(0, dtype="datetime64[M]")
    return Judged(never, (), never, np.empty(0))


def read_judged(ws: Workspace, application: pa.Array) -> Judged:
    """Months and availability of these applications, and the returning ones that metrics of all comers hold too."""
    cohort = read_table(ws.need("cohort", "cohort.parquet"), [KEY, "applied_at"])
    returning = read_table(ws.need("train", "returning.parquet"), [KEY, "log_odds"])

    def month(of: pa.Array) -> Times:
        rows = cohort.take(positions(cohort, of, "cohort"))
        return np.asarray(rows["applied_at"].to_numpy().astype("datetime64[M]"))

    return Judged(
        month=month(application),
        available=availability(ws, application),
        returning_month=month(returning[KEY].combine_chunks()),
        returning_log_odds=returning["log_odds"].to_numpy(),
    )


def availability(ws: Workspace, application: pa.Array) -> tuple[Availability, ...]:
    """Each category of consent with a source that arrived and was read.

    Refused is a category of which a source is closed, as the model takes it; seen one of which a source shows an event
    before the application; silent any other.
    """
    coverage = read_table(ws.need("derive", "coverage.parquet"), [KEY, "source", "status"])
    coverage = coverage.filter(pc.is_in(coverage["status"], pa.array(SHOWS)))
    sources: dict[str, list[str]] = {}
    for source in sorted(set(coverage["source"].to_pylist())):
        sources.setdefault(CATEGORY.get(source, source), []).append(source)
    return tuple(_available(coverage, application, name, tuple(held)) for name, held in sorted(sources.items()))


def _available(coverage: pa.Table, application: pa.Array, category: str, sources: tuple[str, ...]) -> Availability:
    held = coverage.filter(pc.is_in(coverage["source"], pa.array(sources)))
    status = np.full(len(application), SILENT)
    for shows, code in (("present", SEEN), ("closed", REFUSED)):  # the last word is the refusal's
        keys = held.filter(pc.equal(held["status"], shows))[KEY].combine_chunks()
        status[pc.is_in(application, keys).to_numpy(zero_copy_only=False)] = code
    return Availability(category, sources, status)

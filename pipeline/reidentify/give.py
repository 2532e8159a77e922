"""Giving a table out: what people agreed to share, under the recipient's own pseudonyms, and no record of fewer than k.

Every column given is taken as known to somebody, but for the pseudonyms of person and application, which are the
recipient's and known to nobody else. They tie rows together, though: what must be alike is then all those rows say.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from features.columns import Column, Kind, Sensitivity, Table
from features.tables import BY_NAME
from pipeline import audit
from pipeline.asof import covered
from pipeline.engines import open_engine, refuse_nan
from pipeline.gate import openings
from pipeline.ingest.mapping_parts import unknown
from pipeline.params import Params
from pipeline.policy import bounds_for, read_policies
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.reidentify.anonymity import K_LEAST, classes, k_anonymity
from pipeline.reidentify.unicity import coded, unicity
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, whole
from saakh.errors import ConfigError, ConsentError, ContractError

SHARE = "share"
_UNITS = {"day": "D", "week": "W", "month": "M", "year": "Y"}
_LINKS = ("application_id", "person_id")
_WHO = "_who"

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a table's columns for a recipient, how coarse, and where to.

    `steps` are the widths that numbers are rounded down to, by column; `k` is how many people must share a record;
    `thin` leaves out the records that fewer share instead of stopping.
    """

    table: Table
    columns: tuple[str, ...]
    recipient: str
    why: str
    out: Path
    times: str = "month"
    steps: Mapping[str, int] = field(default_factory=dict)
    k: int = K_LEAST
    thin: bool = False

    @property
    def chosen(self) -> list[Column]:
        """The columns' declarations."""
        return [self.table.column(name) for name in self.columns]

    @property
    def links(self) -> list[str]:
        """The pseudonyms given that tie rows together, the narrower first."""
        return [name for name in _LINKS if name in self.columns]

    @property
    def said(self) -> list[str]:
        """The columns that somebody might know."""
        return [name for name in self.columns if name not in _LINKS]


def wanted(
    table: str,
    columns: Sequence[str],
    to: str,
    why: str,
    out: Path,
    times: str,
    steps: Sequence[str],
    k: int,
    thin: bool,
) -> Wanted:
    """What is asked for, from the words of a command; a `ConfigError` lists what there is."""
    if table not in BY_NAME:
        raise ConfigError(unknown("table", table, BY_NAME))
    if times not in _UNITS:
        raise ConfigError(unknown("unit of time", times, _UNITS))
    declared, named = BY_NAME[table], tuple(name.strip() for name in columns)
    for name in named:
        if name not in declared.by_name:
            raise ConfigError(unknown(f"column of {table}", name, declared.by_name))
    widths = {}
    for said in steps:
        name, _, width = said.partition("=")
        if name not in named or not width.isdecimal():
            raise ConfigError(
                "a step is written column=width, as in amount_minor=100000, for a column that is given out"
            )
        widths[name] = int(width)
    return Wanted(declared, named, to, why, out, times, widths, k, thin)


def export_table(params: Params, ws: Workspace, wanted: Wanted, tell: Tell = quiet) -> Summary:
    """Write the table and enter it in the sharing register; both or neither.

    Errors: what may not be given out at all (ConfigError), nobody who agreed to share (ConsentError), records that
    fewer than k people share (ContractError).
    """
    with timed("export-table") as summary:
        check(params, wanted)
        audit.ready(params, ws)
        tell("consented rows", 0, 3)
        rows = consented(params, ws, wanted)
        tell("records alike", 1, 3)
        given, people = alike(rows, wanted)
        tell("write", 2, 3)
        renamed = recoded(given.drop_columns([_WHO]), wanted, Pseudonyms(read_key(params.ingest)))
        with whole(wanted.out, mode=0o600) as temporary:
            _write(temporary, renamed, wanted.out.suffix)
            audit.share(params, ws, wanted.recipient, "table", temporary, wanted.why, people)
        summary.rows_in, summary.rows_out = rows.num_rows, given.num_rows
        summary.counts = {"people": people, "rows left out": rows.num_rows - given.num_rows}
        told = {"k": f"{smallest(given, wanted):,}", **_unicity(given, wanted, params)}
        summary.facts = told | {"written": str(wanted.out)}
    return summary


def check(params: Params, wanted: Wanted) -> None:
    """Refuse what may not be given out under any consent, and options that do not fit."""
    table = wanted.table
    if table.time is None:
        raise ConfigError(f"{table.name} has no time that a consent could cover, so it is not given out")
    if not wanted.columns or len(set(wanted.columns)) < len(wanted.columns):
        raise ConfigError("name the columns to give out, each once")
    if wanted.k < K_LEAST:
        raise ConfigError(f"k is at least {K_LEAST}, not {wanted.k}")
    if wanted.out.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"{wanted.out} must end in .csv or .parquet")
    for column in wanted.chosen:
        if column.sensitivity is not Sensitivity.ORDINARY:
            raise ConfigError(f"{table.name}.{column.name} is {column.sensitivity}: it leaves the house in no table")
    for name, step in wanted.steps.items():
        if name not in wanted.columns or table.column(name).kind not in (Kind.INTEGER, Kind.NUMBER) or step < 1:
            raise ConfigError(f"a step is a whole number above 0 for a number that is given out; not {name}={step}")
    asked = {table.name, *(f"{table.name}.{name}" for name in wanted.columns)}
    for policy in read_policies(params.policy):
        if barred := asked & {*policy.barred.tables, *policy.barred.columns}:
            raise ConfigError(f"the policy {policy.name} bars {', '.join(sorted(barred))}, so that is not given out")


def consented(params: Params, ws: Workspace, wanted: Wanted) -> pa.Table:
    """The rows whose owners agreed, by `as_of`, that their data of this kind be shared; coarse, in a fixed order."""
    table, as_of = wanted.table, ibis.literal(params.as_of.astimezone(UTC).replace(tzinfo=None)).cast("timestamp(6)")
    bounds = bounds_for(read_policies(params.policy), SHARE)
    with closing(open_engine(params)) as engine:
        events, consents = engine.canonical(ws, table), engine.canonical(ws, BY_NAME["consents"])
        people = events.select("person_id").distinct()
        asking = people.mutate(application_id=people.person_id, asked_at=as_of)
        opened = openings(asking, consents, SHARE, bounds)
        opened = opened.filter(opened.category == table.category.value)
        opened = opened.select("data_from", "data_to", **{_WHO: opened.application_id})
        dated = events.mutate(**{"_at": events[str(table.time)]}).join(opened, events.person_id == opened[_WHO])
        agreed = dated.rename(event_at="_at") if "event_at" not in table.by_name else dated
        agreed = agreed.filter(covered(agreed))
        coarse = agreed.select(_WHO, **{c.name: _coarse(agreed[c.name], c, wanted) for c in wanted.chosen})
        rows = engine.arrow(coarse, [*wanted.columns, _WHO])
    if not rows.num_rows:
        raise ConsentError(
            f"nobody in {table.name} agreed, within {params.policies}, that {table.category} be shared; there is "
            "nothing to give out"
        )
    return rows


def _coarse(value: ir.Value, column: Column, wanted: Wanted) -> ir.Value:
    """A time to the start of its day, week, month or year; a number to the step below it."""
    if column.kind is Kind.TIMESTAMP:
        return value.truncate(_UNITS[wanted.times])
    step = wanted.steps.get(column.name, 1)
    return (value / step).floor().cast("int64") * step if step > 1 else value


def alike(rows: pa.Table, wanted: Wanted) -> tuple[pa.Table, int]:
    """The rows of records that at least k people share, and how many people these are."""
    record, who = _records(rows, wanted)
    pairs = np.unique(np.column_stack([record, who]), axis=0)
    sizes = np.bincount(pairs[:, 0])
    thin = sizes[record] < wanted.k
    kept = rows.filter(pa.array(~thin))
    try_this = "give coarser times (--times) or numbers (--step), fewer columns, or no pseudonym of the person"
    if thin.any() and not wanted.thin:
        few, people = (len(np.unique(held)) for held in (who[thin], who))
        raise ContractError(
            f"this would not be {wanted.k}-anonymous: {_few(few)} of {people:,} people have records that fewer than "
            f"{wanted.k} share; {try_this}, or leave such records out (--thin)"
        )
    if not kept.num_rows:
        raise ContractError(f"no record is shared by {wanted.k} people; {try_this}")
    if (k := smallest(kept, wanted)) < wanted.k:
        raise ContractError(f"the table would be {k}-anonymous, short of {wanted.k}; {try_this}")
    return kept, len(np.unique(who[~thin]))


def smallest(rows: pa.Table, wanted: Wanted) -> int:
    """The k of a table: the fewest people who share a record."""
    record, who = _records(rows, wanted)
    pairs = np.unique(np.column_stack([record, who]), axis=0)
    return k_anonymity(pa.table({"record": pairs[:, 0]}), ["record"])


def _records(rows: pa.Table, wanted: Wanted) -> tuple[Numbers, Numbers]:
    """For each row, the number of its record and of its person.

    Without a pseudonym that ties rows together, a record is what a row says; with one, what all rows tied say together.
    """
    record = classes(rows, wanted.said)
    for link in wanted.links:
        record = _tied(record, classes(rows, [link]))
    return record, classes(rows, [_WHO])


def _tied(said: Numbers, unit: Numbers) -> Numbers:
    """For each row, the number of what all rows of its unit say; units that say the same have the same number."""
    order = np.lexsort((said, unit))
    parts = np.split(said[order], np.flatnonzero(np.diff(unit[order])) + 1)
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(part.tobytes(), len(numbers)) for part in parts], np.int64)[unit]


def recoded(rows: pa.Table, wanted: Wanted, house: Pseudonyms) -> pa.Table:
    """The rows under the recipient's pseudonyms, put in the order of these, which is not the house's."""
    theirs = house.for_recipient(wanted.recipient)
    for place, column in enumerate(wanted.chosen):
        if column.kind is Kind.PSEUDONYM:
            coded_column = theirs.column(column.domain, rows[column.name].combine_chunks())
            rows = rows.set_column(place, column.name, coded_column.cast(pa.string()))
    return rows.sort_by([(name, "ascending") for name in wanted.columns])


def _unicity(rows: pa.Table, wanted: Wanted, params: Params) -> dict[str, str]:
    """How many people four of their rows would single out, where rows are tied together."""
    if not wanted.links:
        return {}
    asked = params.reidentify
    points = coded(classes(rows, wanted.links[-1:]), classes(rows, wanted.said))
    last = unicity(points, asked.known, asked.people, params.evaluate.confidence, params.seed)["by_known"][-1]
    said = "nobody has so many" if last["share"] is None else f"{last['share']:.0%}"
    return {f"singled out by {asked.known} rows": said}


def _write(path: Path, rows: pa.Table, suffix: str) -> None:
    refuse_nan(rows, path)
    if suffix == ".parquet":
        pq.write_table(rows, path, compression="zstd")
        return
    told = [pc.strftime(c, format="%Y-%m-%d") if pa.types.is_timestamp(c.type) else c for c in rows.columns]
    pacsv.write_csv(pa.table(told, names=rows.column_names), path)


def _few(count: int) -> str:
    return f"{count:,}" if count >= K_LEAST or not count else f"fewer than {K_LEAST}"

"""Scored applications as books to search on and to judge on."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Flags
from models.metrics import probability
from pipeline.decide import MONTH_DAYS
from pipeline.engines import read_table
from pipeline.optimise.book import Book
from pipeline.params import Params
from pipeline.sample import KEY
from pipeline.workspace import Workspace
from saakh.errors import ContractError, EmptyInputError


def read_books(params: Params, ws: Workspace) -> tuple[tuple[Book, Flags], tuple[Book, Flags]]:
    """Applications scored out of fold, and those out of time, each with its outcomes."""
    scores = read_table(ws.need("train", "scores.parquet"))
    cohort = read_table(ws.need("cohort", "cohort.parquet"))
    place = pc.index_in(scores[KEY].combine_chunks(), cohort[KEY].combine_chunks())
    if place.null_count:
        raise ContractError(f"{place.null_count} scored applications are not in the cohort; run `saakh train`")
    table = cohort.take(place).append_column("log_odds", scores["log_odds"])
    table = table.append_column("is_bad", scores["is_bad"]).append_column("split", scores["split"])
    known = pc.and_(pc.is_valid(table["amount_minor"]), pc.is_valid(table["tenor_days"]))
    table = table.filter(pc.and_(known, pc.is_valid(table["log_odds"])))
    group = _groups(params, ws, table)
    is_later = pc.equal(table["split"], "out_of_time").to_numpy()
    if is_later.all() or not is_later.any():
        raise EmptyInputError("optimise needs scored applications on both sides of the split, with amount and tenor")
    return _book(table, group, ~is_later), _book(table, group, is_later)


def _book(table: pa.Table, group: Codes | None, rows: Flags) -> tuple[Book, Flags]:
    part = table.filter(pa.array(rows))
    months = np.maximum(1, np.rint(part["tenor_days"].to_numpy() / MONTH_DAYS)).astype(np.int64)
    pd = probability(part["log_odds"].to_numpy())
    book = Book(pd, part["amount_minor"].to_numpy(), months, None if group is None else group[rows])
    return book, part["is_bad"].to_numpy(zero_copy_only=False)


def _groups(params: Params, ws: Workspace, table: pa.Table) -> Codes | None:
    """Each application's group, −1 where it is not known or not open to this purpose by consent."""
    column = params.optimise.groups
    if column is None:
        return None
    people = read_table(ws.need("ingest", "people.parquet")).sort_by("available_at")
    last = dict(zip(people["person_id"].to_pylist(), people[column].to_pylist(), strict=True))
    coverage = read_table(ws.need("derive", "coverage.parquet"))
    seen = pc.and_(pc.equal(coverage["source"], "people"), pc.equal(coverage["status"], "present"))
    agreed = set(coverage.filter(seen)[KEY].to_pylist())
    named = [
        last.get(person) if key in agreed else None
        for key, person in zip(table[KEY].to_pylist(), table["person_id"].to_pylist(), strict=True)
    ]
    codes = {name: k for k, name in enumerate(sorted({n for n in named if n is not None}))}
    return np.array([codes.get(name, -1) if name is not None else -1 for name in named], np.int64)

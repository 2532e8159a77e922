"""Sums over groups of people for the report's cohort explorer: an audit may know groups, the report sees sums alone."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Flags
from pipeline.bundle import Bundle
from pipeline.explain.cells import Table, is_small, single
from pipeline.explain.cohorts import Rows, View, base_tables, rows_of, tables_of, told
from pipeline.explain.evidence import gather
from pipeline.export import build
from pipeline.fairness.groups import Grouping
from pipeline.fairness.measured import Scores
from pipeline.pages import words
from pipeline.params import Params
from pipeline.sample import Sample
from pipeline.workspace import Workspace, digest, read_json
from saakh import archive
from saakh.scorecard import Scorecard


def cohorts(
    params: Params, ws: Workspace, sample: Sample, scores: Scores, known: Sequence[Grouping]
) -> dict[str, Any] | None:
    """The groups of those judged out of time as the explorer shows them; None before `evaluate` judged this model."""
    path = ws.root / "evaluate" / "metrics.json"
    if not path.exists() or read_json(path)["model_sha256"] != digest(ws.need("train", "model.txt")):
        return None
    evidence = gather(params, ws)
    rows = rows_of(evidence, Scorecard.from_members(archive.unpack(build(Bundle.from_workspace(ws, params)))))
    late = np.array(evidence.keys)[evidence.is_out_of_time]
    place = pc.index_in(pa.array(late, pa.string()), sample.application).to_numpy()
    base = base_tables(rows)
    views = [view_of(each, sample, scores, place) for each in known] if base else []
    found = [told(rows, view, some) for view, some in safe(rows, base, views)]
    return rows.frame | {"views": [view for view in found if view is not None]}


def safe(rows: Rows, base: Sequence[Table], views: Sequence[View]) -> Iterator[tuple[View, tuple[Table, ...]]]:
    """The views that can be told beside each other, with their tables.

    Whoever shows nothing of one attribute mostly shows nothing of another, so that tables of both tell of the same
    applications. Where the two differ by a few, these are told of by the difference, and the second view is left out.
    """
    kept: list[View] = []
    for view in views:
        unlike = [(_unknown(view) & ~_unknown(one)).sum() for one in kept]
        unlike += [(_unknown(one) & ~_unknown(view)).sum() for one in kept]
        if not is_small(np.array(unlike, dtype=np.int64)).any():
            kept.append(view)
    found = [tables_of(rows, base, view) for view in kept]
    for i, view in enumerate(kept):
        same = [j for j, one in enumerate(kept) if j != i and (_unknown(one) == _unknown(view)).all()]
        found[i] = tables_of(rows, base, view, [table for j in same for table in found[j]])
        yield view, found[i]


def _unknown(view: View) -> Flags:
    """The applications of the last status."""
    return np.asarray(view.status == len(view.statuses) - 1)


def view_of(by: Grouping, sample: Sample, scores: Scores, place: np.ndarray) -> View:
    """The groups of one attribute, of the loans at `place` in the sample.

    A group of fewer than ten people cannot be chosen, nor one of whom a few others, who came again, are among all later
    loans that the audit tells of: both count among those of whom nothing is known.
    """
    again = scores.later.copy()
    again[place] = False
    group, unknown = by.code[place], len(by.names)
    names: list[str | None] = [*by.names, None]
    status = np.where(group < 0, unknown, group)
    for g in range(unknown):
        people = len(np.unique(sample.person[place][group == g]))
        if is_small(np.array([people, (again & (by.code == g)).sum()])).any():
            status = np.where(status == g, unknown, status)
    return View("group", by.attribute, words(by.attribute), tuple(names), status, (single(len(names)),))

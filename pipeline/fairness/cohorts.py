"""Sums over groups of people for the report's cohort explorer: an audit may know the groups, the report sees sums alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.bundle import Bundle
from pipeline.explain.cells import is_small, single
from pipeline.explain.cohorts import View, base_tables, rows_of, told
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
    views = [told(rows, base, view_of(each, sample, scores, place)) for each in known] if base else []
    return rows.frame | {"views": [view for view in views if view is not None]}


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

"""The cohort explorer: sums over groups of applications judged out of time, from which the page reckons two cohorts.

No row of an applicant is in it. Which sums are told is a matter of `cells`; what is summed, of this module. Sums are
whole numbers (points in ten-thousandths, probabilities in billionths), so that they are the same in any order, and what
the page adds up is what the parts hold.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from markupsafe import Markup

from models.arrays import Codes, Flags
from pipeline.explain.cells import STATUS, Parts, Table, axes, is_small, single, tables, whole
from pipeline.explain.evidence import Evidence
from pipeline.explain.judged import REFUSED, SEEN, SILENT, STATUSES
from pipeline.pages import month, words
from saakh.scale import Scale, probabilities
from saakh.scorecard import Scorecard
from saakh.spec import FAMILIES

POINT, PROBABILITY = 10_000, 1_000_000_000
"""By what points and probabilities are multiplied before they are rounded and added up."""
TOLD_APART: tuple[Parts, ...] = (
    single(len(STATUSES)),
    ((SEEN, SILENT), (REFUSED,)),
    ((SEEN,), (SILENT, REFUSED)),
)
"""How what a source shows is divided: as finely as numbers allow."""


@dataclass(frozen=True)
class Rows:
    """The applications judged out of time: where each lies in the grid, and what is added up of it.

    `figures` has shape (rows, columns), whole numbers; `columns` names them as kind and key. `bands` and `months` are
    the parts that can be chosen, the safest band and the first month first.
    """

    figures: Codes
    columns: tuple[tuple[str, str], ...]
    band: Codes
    month: Codes
    bands: tuple[dict[str, Any], ...]
    months: tuple[str, ...]

    @property
    def frame(self) -> dict[str, Any]:
        """What sums of other rows must share to be shown beside these."""
        return {"columns": [list(c) for c in self.columns], "bands": list(self.bands), "months": list(self.months)}

    def counts(self, status: Codes, statuses: int) -> Codes:
        """Applications by band, month and status."""
        out = np.zeros((len(self.bands), len(self.months), statuses), dtype=np.int64)
        np.add.at(out, (self.band, self.month, status), 1)
        return out


@dataclass(frozen=True)
class View:
    """One way to tell applications apart: what a category of sources shows, or a protected attribute's groups.

    `status` is the place in `statuses` of each application judged out of time; a status without a name cannot be
    chosen. `divisions` of the statuses are tried in turn.
    """

    kind: str
    name: str
    label: str
    statuses: tuple[str | None, ...]
    status: Codes
    divisions: tuple[Parts, ...]


def explorer(evidence: Evidence, scorecard: Scorecard) -> dict[str, Any] | None:
    """What the page's script reads; None where too few were judged out of time to tell anything."""
    rows = rows_of(evidence, scorecard)
    base = base_tables(rows)
    if not base:
        return None
    found: dict[str, Any] = rows.frame | {"views": [], "tables": [summed(rows, table, None) for table in base]}
    for view in available(evidence):
        add(found, told(rows, view, tables_of(rows, base, view)))
    tail = NormalDist().inv_cdf((1 + evidence.stages["evaluate"]["confidence"]) / 2)
    texts = {code.code: code.text for code in scorecard.manifest.reasons.codes}
    return found | {"groups": _groups(found, evidence), "cut": _cut(rows), "tail": tail, "texts": texts}


def _cut(rows: Rows) -> int:
    """The band from which on the share that is approved is nearest to a half; the lowest has no cut-off."""
    shares = np.cumsum(np.bincount(rows.band, minlength=len(rows.bands)))[:-1] / len(rows.band)
    return int(np.argmin(np.abs(shares - 0.5))) if len(shares) else 0


def as_script(found: dict[str, Any]) -> Markup:
    """The explorer's sums as JSON that is safe within a script element."""
    return Markup(json.dumps(found, separators=(",", ":")).replace("<", "\\u003c"))  # noqa: S704


def rows_of(evidence: Evidence, scorecard: Scorecard) -> Rows:
    """The applications judged out of time, with months and bands that hold few joined to a neighbour."""
    judged, late = evidence.judged, np.flatnonzero(evidence.is_out_of_time)
    export = evidence.params.export
    scale = Scale(export.base_points, export.base_odds, export.pdo)

    def place(log_odds: np.ndarray) -> Codes:
        points = scale.offset - scale.factor * log_odds
        return np.asarray(len(export.bands) - np.searchsorted(export.bands, points, side="right"))

    band, when = place(evidence.found.log_odds[late]), judged.month[late]
    months, at = np.unique(np.concatenate([when, judged.returning_month]), return_inverse=True)
    counts, returning = (np.zeros((len(export.bands) + 1, len(months)), dtype=np.int64) for _ in range(2))
    np.add.at(counts, (band, at[: len(late)]), 1)
    np.add.at(returning, (place(judged.returning_log_odds), at[len(late) :]), 1)
    by_band, by_month = axes(counts, returning)
    columns, figures = _figures(evidence, scorecard, late, scale)
    return Rows(
        figures=figures,
        columns=columns,
        band=Table((by_band, whole(1), whole(1))).labels[0][band],
        month=Table((by_month, whole(1), whole(1))).labels[0][at[: len(late)]],
        bands=tuple(_band(part, export.bands) for part in by_band),
        months=tuple(_months([str(months[place]) for place in part]) for part in by_month),
    )


def _band(part: Sequence[int], cutoffs: Sequence[float]) -> dict[str, Any]:
    """A band's name, and the points it begins at: None for the lowest."""
    names, starts = [chr(ord("A") + place) for place in part], [*reversed(cutoffs), None]
    return {"name": " to ".join(dict.fromkeys((names[0], names[-1]))), "from": starts[part[-1]]}


def _months(names: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((month(names[0]), month(names[-1]))))


def _figures(
    evidence: Evidence, card: Scorecard, late: Codes, scale: Scale
) -> tuple[tuple[tuple[str, str], ...], Codes]:
    """What is added up of each application, by kind and key."""
    points, log_odds = evidence.found.points(evidence.factor)[late], evidence.found.log_odds[late]
    columns: list[tuple[str, str]] = [("sum", name) for name in ("rows", "bads", "pd", "points")]
    held = [
        np.ones(len(late)),
        evidence.is_bad[late],
        probabilities(log_odds) * PROBABILITY,
        (scale.offset - scale.factor * log_odds) * POINT,
    ]
    for kind, key in (("family", "family"), ("category", "category"), ("code", "reason_code")):
        of = [str(getattr(spec, key)) for spec in evidence.specs]
        for name in FAMILIES if kind == "family" else sorted(set(of)):
            columns.append((kind, name))
            held.append(points[:, [one == name for one in of]].sum(axis=1) * POINT)
    reasons = card.reasons_many(evidence.inputs[late], [evidence.refused[row] for row in late.tolist()])
    given = [{reason.code for reason in some} for some in reasons]
    for name in sorted({spec.reason_code for spec in evidence.specs}):
        columns.append(("reason", name))
        held.append(np.array([name in some for some in given], dtype=bool))
    return tuple(columns), np.stack([np.rint(each).astype(np.int64) for each in held], axis=1)


def base_tables(rows: Rows) -> tuple[Table, ...]:
    """The tables of all applications judged out of time, whatever they show; nothing where they are too few."""
    counts = rows.counts(np.zeros(len(rows.figures), dtype=np.int64), 1)
    return tables(counts, (whole(1),)) if counts.any() else ()


def available(evidence: Evidence) -> list[View]:
    """A view for each category of consent, but those whose refusals the count of all who refused would tell."""
    late, found = evidence.is_out_of_time, []
    every = [each.status[late] == REFUSED for each in evidence.judged.available]
    refused: Flags = np.any(every, axis=0) if every else np.zeros(0, dtype=bool)
    for each, here in zip(evidence.judged.available, every, strict=True):
        families = dict.fromkeys(words(s.family) for s in evidence.specs if s.category == each.category)
        label = f"{words(each.category)}: {', '.join(words(source) for source in each.sources)}"
        label += f" (read for {', '.join(sorted(families))})" if families else ""
        if not is_small(np.array([(refused & ~here).sum()])).any():
            found.append(View("category", each.category, label, STATUSES, each.status[late], TOLD_APART))
    return found


def told(rows: Rows, view: View, found: Sequence[Table]) -> dict[str, Any] | None:
    """A view with the tables that can be told of it, or None where these tell nothing apart."""
    if not found:
        return None
    there = np.bincount(view.status, minlength=len(view.statuses))
    held = [[place for place in part if there[place]] for part in found[0].parts[STATUS]]
    parts = [_status([view.statuses[place] for place in part]) for part in held]
    if not any(parts) or sum(map(bool, held)) < 2:
        return None
    named = {"kind": view.kind, "name": view.name, "label": view.label, "statuses": parts}
    return named | {"tables": [summed(rows, table, view) for table in found]}


def tables_of(rows: Rows, base: Sequence[Table], view: View, elsewhere: Sequence[Table] = ()) -> tuple[Table, ...]:
    """The tables that can be told of a view, beside those of everybody and of views that share its last status."""
    return tables(rows.counts(view.status, len(view.statuses)), view.divisions, base, elsewhere)


def _status(names: Sequence[str | None]) -> str | None:
    """What a part of the statuses is called; None for one that is empty, or that cannot be chosen."""
    named = [name for name in names if name is not None]
    return " or ".join(named) if named and len(named) == len(names) else None


def summed(rows: Rows, table: Table, view: View | None) -> dict[str, Any]:
    """A table's sums: its division of each axis, and for each part that holds anybody its place and its figures."""
    status = np.zeros(len(rows.figures), dtype=np.int64) if view is None else view.status
    labels = [of[at] for of, at in zip(table.labels, (rows.band, rows.month, status), strict=True)]
    size = tuple(map(len, table.parts))
    cell = np.ravel_multi_index(labels, size)
    sums = np.zeros((int(np.prod(size)), rows.figures.shape[1]), dtype=np.int64)
    np.add.at(sums, cell, rows.figures)
    there = np.flatnonzero(sums[:, 0])
    return {
        "bands": table.labels[0].tolist(),
        "months": table.labels[1].tolist(),
        "size": list(size),
        "at": there.tolist(),
        "sums": sums[there].tolist(),
    }


def add(found: dict[str, Any], view: dict[str, Any] | None) -> None:
    """A view beside those that are there; its tables name it by its number."""
    if view is None:
        return
    of = len(found["views"])
    found["tables"] += [table | {"view": of} for table in view["tables"]]
    found["views"].append({key: value for key, value in view.items() if key != "tables"})


def _groups(found: dict[str, Any], evidence: Evidence) -> str:
    """The groups that the fairness audit tells of, added; returns how that went."""
    audit = evidence.audits.get("fairness") or {}
    cohorts = audit.get("cohorts")
    if cohorts is None:
        return "not measured"
    if any(cohorts[key] != found[key] for key in ("columns", "bands", "months")):
        return "stale"
    for view in cohorts["views"]:
        add(found, view)
    return "told" if cohorts["views"] else "too few"

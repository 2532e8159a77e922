"""Every applicant of a run, packed small enough for the restricted page to carry: what a search for a pseudonym shows.

Numbers are packed as they are displayed (points in tenths), and put out by the page's script as they are, so that what
is read is what the scorecard says, to the last digit shown.
"""

import base64
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from pipeline.explain.evidence import Evidence
from pipeline.pages import short
from saakh.reasons import Reason
from saakh.scorecard import Scorecard

STEPS_SHOWN = 12
CHUNK = 4_096  # applicants explained at a time: a row holds a number for every input


@dataclass
class Packed:
    """Columns of numbers, by name: applicants one after the other, from the lowest score to the highest.

    `steps`, `reasons` and `unseen` are ragged: the columns `step_count`, `reason_count` and `unseen_count` say how many
    belong to each applicant, or to each reason.
    """

    keys: list[str] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)
    columns: dict[str, "array[int]"] = field(default_factory=dict)

    def add(self, name: str, *values: int) -> None:
        """Append to a column."""
        self.columns.setdefault(name, array("q")).extend(values)

    def text(self, text: str) -> int:
        """The number of a text, kept once."""
        return self.texts.setdefault(text, len(self.texts))


def shown_as(value: float, digits: int) -> int:
    """A number as it is displayed, without its point: 4.25 with one digit is 42."""
    return int(f"{value:.{digits}f}".replace(".", ""))


def packed(evidence: Evidence, scorecard: Scorecard) -> dict[str, Markup]:
    """What the page's script reads, safe within a script element: words as JSON, keys as lines, numbers as Base64."""
    found, described = Packed(), {s.name: s.description.rstrip(".") for s in evidence.specs}
    for row, key, explained in _explained(evidence, scorecard):
        found.keys.append(key)
        _pack(found, evidence, row, explained, described)
    body, layout, at = bytearray(), {}, 0
    for name, values in found.columns.items():
        kind = _kind(values)
        layout[name] = [kind, at, len(values)]
        part = np.frombuffer(values, np.int64).astype(f"<{kind}").tobytes()
        body += part + b"\0" * (-len(part) % 4)
        at = len(body)
    words = {
        "layout": layout,
        "base": shown_as(scorecard.baseline, 1),
        "inputs": [[s.name, s.description, s.unit] for s in evidence.specs],
        "texts": list(found.texts),
    }
    safe = json.dumps(words, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    coded = base64.b64encode(bytes(body)).decode()
    return {"words": Markup(safe), "pseudonyms": Markup("\n".join(found.keys)), "numbers": Markup(coded)}  # noqa: S704


def _kind(values: "array[int]") -> str:
    """The narrowest numbers that hold a column."""
    low, high = min(values, default=0), max(values, default=0)
    if low < 0:
        return "i4"
    return "u1" if high < 1 << 8 else "u2" if high < 1 << 16 else "u4"


@dataclass(frozen=True)
class _Explained:
    """One applicant as the scorecard explains it; `x` are the inputs it used, `points` their contributions."""

    score: float
    pd: float
    log_odds: float
    band: str
    x: np.ndarray
    points: np.ndarray
    largest: np.ndarray
    reasons: tuple[Reason, ...]


def _explained(evidence: Evidence, card: Scorecard) -> Iterator[tuple[int, str, _Explained]]:
    """Every applicant, from the lowest score to the highest, ties by pseudonym; only a chunk is explained at a time."""
    by_name = np.argsort([s.name for s in evidence.specs])
    order = sorted(range(len(evidence.keys)), key=lambda i: (-evidence.found.log_odds[i], evidence.keys[i]))
    for start in range(0, len(order), CHUNK):
        rows = np.array(order[start : start + CHUNK])
        x, lacking = evidence.inputs[rows], [evidence.refused[row] for row in rows]
        scores, points = card.score_many(x, lacking), card.explain_many(x, lacking)
        reasons = card.reasons_many(x, lacking)
        for i, names in enumerate(lacking):
            x[i, [s.category in names for s in card.manifest.features]] = np.nan
        first = by_name[np.argsort(-np.abs(points[:, by_name]), axis=1, kind="stable")[:, :STEPS_SHOWN]]
        for i, row in enumerate(rows.tolist()):
            told = (float(scores.points[i]), float(scores.pd[i]), float(scores.log_odds[i]), str(scores.band[i]))
            yield row, evidence.keys[row], _Explained(*told, x[i], points[i], first[i], reasons[i])


def _pack(found: Packed, evidence: Evidence, row: int, it: _Explained, described: dict[str, str]) -> None:
    found.add("score", shown_as(it.score, 1))
    found.add("pd", shown_as(100 * it.pd, 2))
    found.add("log_odds", shown_as(it.log_odds, 4))
    found.add("band", found.text(it.band))
    found.add("fate", 2 * bool(evidence.is_out_of_time[row]) + bool(evidence.is_bad[row]))
    shown = [i for i in it.largest.tolist() if it.points[i]]
    found.add("step_count", len(shown))
    found.add("step_input", *shown)
    found.add("step_points", *(shown_as(it.points[i], 1) for i in shown))
    found.add("step_value", *(found.text(short(float(it.x[i]))) for i in shown))
    found.add("rest", shown_as(float(it.points.sum() - it.points[shown].sum()), 1))
    found.add("reason_count", len(it.reasons))
    for reason in it.reasons:
        unseen = dict.fromkeys(described[name] for name in reason.unknown)
        found.add("reason_text", found.text(reason.text))
        found.add("reason_points", shown_as(reason.points, 1))
        found.add("unseen_count", len(unseen))
        found.add("unseen", *(found.text(text) for text in unseen))

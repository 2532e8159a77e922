"""What moved before any outcome is known: scores, approvals, reasons, groups, inputs, missing values and coverage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.stats import norm

from models.arrays import Codes, Flags, Floats
from pipeline.monitor import cells
from pipeline.monitor.alarms import Question, budget
from pipeline.monitor.sides import STATUSES, Side
from pipeline.monitor.stability import (
    Shift,
    banded,
    by_name,
    counts,
    edges,
    mean_p,
    share_p,
    shift,
    worth,
)
from pipeline.pages import percent, signed, words
from pipeline.sections import Monitor
from saakh import Scorecard

AIR_SCREEN = 0.8
"""The adverse impact ratio below which a closer look is due: a screen, not a verdict."""
NO_REASON = "none"


@dataclass
class Found:
    """What a part of the report shows, and what it asked."""

    shown: dict[str, Any]
    tests: list[Question] = field(default_factory=list)


@dataclass(frozen=True)
class Compared:
    """Two samples, how many independent rows each is worth, and the parameters."""

    before: Side
    after: Side
    asked: Monitor

    @property
    def n(self) -> float:
        """What the reference is worth."""
        return worth(self.before.person)

    @property
    def m(self) -> float:
        """What the batch is worth."""
        return worth(self.after.person)

    @property
    def rows(self) -> int:
        """How many rows the smaller sample is worth."""
        return int(min(self.n, self.m))

    def shift(self, expected: Codes, actual: Codes, alarm: float) -> Shift:
        """The index of two sets of counts against its limit."""
        return shift(expected, actual, self.n, self.m, alarm, self.asked.psi_tolerated)


def score(two: Compared, card: Scorecard) -> Found:
    """The distribution of scores in bands of equal size in the reference, and the mean."""
    cuts = edges(two.before.points, two.rows)
    before, after = (counts(banded(side.points, cuts) - 1, len(cuts) + 1) for side in (two.before, two.after))
    alarm = budget(two.asked.alarm_share, "score", 2)
    found = two.shift(before, after, alarm)
    means = [float(side.points.mean()) for side in (two.before, two.after)]
    moved = means[1] - means[0]
    far = abs(moved) >= two.asked.act_points
    tolerated = two.asked.points_tolerated
    p = mean_p(two.before.points, two.after.points, two.n, two.m, tolerated)
    names = _spans(cuts)
    shown = {
        **_index(found),
        "bands": _bands(names, before, after),
        "mean_points": {"reference": means[0], "batch": means[1], "change": moved, "p": p},
        "by_band": _score_bands(two, card),
    }
    said = f"scores are distributed otherwise: PSI {found.psi:.3f}, limit {found.limit:.3f}"
    return Found(
        shown,
        [
            Question("score", "distribution", found.p, found.psi >= two.asked.act_psi or far, said),
            Question("score", "mean", p, far, f"the mean score moved by {signed(moved)} points"),
        ],
    )


def approval(two: Compared) -> Found:
    """The share that is approved: by decisions where both sides have them, else by a score."""
    before, after, by = approved(two)
    shares = float(before.mean()), float(after.mean())
    p = share_p(*shares, two.n, two.m, two.asked.share_tolerated)
    change = shares[1] - shares[0]
    told = [told_share(flags) for flags in (before, after)]
    shown = {"by": by, "reference": told[0], "batch": told[1], "p": p}
    said = f"approvals went from {percent(shares[0])} to {percent(shares[1])}"
    return Found(shown, [Question("approval", "share", p, abs(change) >= two.asked.act_share, said)])


def approved(two: Compared) -> tuple[Flags, Flags, str]:
    """Who is approved on either side, and by what."""
    if all((side.decided != "").all() for side in (two.before, two.after)):
        return two.before.decided == "offer", two.after.decided == "offer", "decisions"
    cut = two.asked.cutoff_points
    by = "median of the reference" if cut is None else f"{cut:g} points"
    cut = float(np.median(two.before.points)) if cut is None else cut
    return two.before.points >= cut, two.after.points >= cut, by


def reasons(two: Compared, card: Scorecard) -> Found:
    """How often each reason is an applicant's principal one."""
    texts = {"": "no reason", **{code.code: code.text for code in card.manifest.reasons.codes}}
    names = list(texts)
    before, after = (by_name(names, side.reason.tolist()) for side in (two.before, two.after))
    order = np.argsort(-before, kind="stable")
    found = two.shift(before[order], after[order], budget(two.asked.alarm_share, "reasons", 1))
    listed = _bands([names[i] or NO_REASON for i in order], before[order], after[order])
    for row in listed:
        row["text"] = texts["" if row["name"] == NO_REASON else row["name"]]
    rows = [row for row in listed if row["reference"] != 0 or row["batch"] != 0]
    said = f"applicants are told other reasons: PSI {found.psi:.3f}, limit {found.limit:.3f}"
    return Found({**_index(found), "codes": rows}, [Question("reasons", "frequencies", found.p, False, said)])


def fairness(two: Compared) -> Found | None:
    """Approval by group, the ratio to the most approved group, and how that ratio moved; None without a group."""
    names = sorted({*two.before.group.tolist(), *two.after.group.tolist()} - {""})
    before, after, by = approved(two)
    sides = [_rates(two.before.group, before, names), _rates(two.after.group, after, names)]
    flags = ((two.before.group, before), (two.after.group, after))
    kept = [name for name in names if all(told_share(own[group == name]) is not None for group, own in flags)]
    if len(kept) < 2:
        return None
    best = max(kept, key=lambda name: sides[0][name][1])
    rows, tests = [], []
    for name in kept:
        then, now = (side[name][1] for side in sides)
        ratios = [side[name][1] / side[best][1] if side[best][1] else None for side in sides]
        p = 1.0 if name == best else _ratio_p(sides[0][name], sides[0][best], sides[1][name], sides[1][best])
        fell = ratios[0] is not None and ratios[1] is not None and ratios[1] < ratios[0]
        rows.append(
            {"group": name, "reference": then, "batch": now, "ratio_before": ratios[0], "ratio_now": ratios[1], "p": p}
        )
        if name != best:
            grave = fell and ratios[1] is not None and ratios[1] < AIR_SCREEN
            now_said = "–" if ratios[1] is None else f"{ratios[1]:.2f}"
            said = f"approval of {words(name)} against {words(best)} is now at a ratio of {now_said}"
            tests.append(Question("fairness", name, p, bool(grave), said))
    return Found({"by": by, "most_approved": best, "groups": rows}, tests)


def inputs(two: Compared, card: Scorecard) -> Found:
    """For each input, the CSI of its values, and in points what the change did to the mean score.

    In points: Σ (actual − expected share) · mean contribution of the band in the reference, missing being a band. An
    input whose change moves no points is shown and raises no alarm, unless it is unstable by the convention: people who
    come back have been customers for longer, and that is no fault.
    """
    alarm = budget(two.asked.alarm_share, "inputs", len(card.features))
    shown, tests = [], []
    for i, spec in enumerate(card.manifest.features):
        cuts = edges(two.before.x[:, i], two.rows)
        before, after = (banded(side.x[:, i], cuts) for side in (two.before, two.after))
        expected, actual = counts(before, len(cuts) + 2), counts(after, len(cuts) + 2)
        found = two.shift(expected, actual, alarm)
        points = csi_points(before, after, two.before.contributions[:, i], two.after.contributions[:, i])
        grave = abs(points) >= two.asked.act_points
        shown.append({"name": spec.name, "family": spec.family, **_index(found), "csi_points": points})
        said = f"input {spec.name} changed (CSI {found.psi:.3f}, limit {found.limit:.3f}): {signed(points)} points"
        matters = abs(points) >= two.asked.input_points_tolerated or found.psi >= two.asked.act_psi
        tests.append(Question("inputs", spec.name, found.p if matters else 1.0, grave, said))
    shown.sort(key=lambda row: (-row["psi"] / row["limit"], row["name"]))
    return Found({"features": shown, "csi_points_total": sum(row["csi_points"] for row in shown)}, tests)


def csi_points(before: Codes, after: Codes, was: Floats, now: Floats) -> float:
    """What the change of shares does to the mean score; a band nobody was in before counts with what it adds now."""
    size = int(max(before.max(), after.max())) + 1
    e, a = counts(before, size), counts(after, size)
    held = np.bincount(before, weights=was, minlength=size) / np.maximum(e, 1)
    fresh = np.bincount(after, weights=now, minlength=size) / np.maximum(a, 1)
    return float(((a / a.sum() - e / e.sum()) * np.where(e > 0, held, fresh)).sum())


def missing(two: Compared, card: Scorecard) -> Found:
    """How often each input has no value."""
    shown, tests, moved = [], [], []
    for i, name in enumerate(card.features):
        before, after = (np.isnan(side.x[:, i]) for side in (two.before, two.after))
        shares = float(before.mean()), float(after.mean())
        p = share_p(*shares, two.n, two.m, two.asked.share_tolerated)
        shown.append({"name": name, "reference": told_share(before), "batch": told_share(after), "p": p})
        moved.append(abs(shares[1] - shares[0]))
        said = f"input {name} is missing in {percent(shares[1], 0)} of applications, before in {percent(shares[0], 0)}"
        tests.append(Question("missing", name, p, abs(shares[1] - shares[0]) >= two.asked.act_gap, said))
    order = sorted(range(len(shown)), key=lambda i: (tests[i].p, -moved[i], tests[i].name))
    return Found({"features": [shown[i] for i in order]}, tests)


def coverage(two: Compared) -> Found:
    """What each source shows: present, silent, closed, absent, barred."""
    sources = sorted({*two.before.status, *two.after.status})
    shown, tests = [], []
    for source in sources:
        held = [side.status.get(source, np.full(len(side), "absent")) for side in (two.before, two.after)]
        before, after = (by_name(STATUSES, [s or "absent" for s in codes.tolist()]) for codes in held)
        found = two.shift(before, after, budget(two.asked.alarm_share, "coverage", len(sources)))
        shares = before[0] / before.sum(), after[0] / after.sum()
        parts = {"reference": cells.told(_named(before)), "batch": cells.told(_named(after))}
        shown.append({"source": source, **_index(found), **parts})
        said = (
            f"{words(source)} is present in {percent(shares[1], 0)} of applications, before in {percent(shares[0], 0)}"
        )
        grave = abs(shares[1] - shares[0]) >= two.asked.act_gap
        tests.append(Question("coverage", source, found.p, grave, said))
    return Found({"sources": shown}, tests)


def _index(found: Shift) -> dict[str, Any]:
    return {"psi": found.psi, "limit": found.limit, "p": found.p, "bands_compared": found.bands}


def _named(numbers: Codes) -> dict[str, int]:
    return dict(zip(STATUSES, numbers.tolist(), strict=True))


def told_share(flags: Flags) -> float | None:
    """A share, unless it or the rest stands for a few applications."""
    count = int(flags.sum())
    told = cells.told({"is": count, "is not": len(flags) - count})
    return cells.share(told["is"], len(flags))


def _bands(names: Sequence[str], before: Codes, after: Codes) -> list[dict[str, Any]]:
    """Counts of the bands of both sides, each with its share."""
    sides = [cells.told(dict(zip(names, numbers.tolist(), strict=True))) for numbers in (before, after)]
    totals = int(before.sum()), int(after.sum())
    return [
        {
            "name": name,
            **{"reference": sides[0][name], "batch": sides[1][name]},
            "reference_share": cells.share(sides[0][name], totals[0]),
            "batch_share": cells.share(sides[1][name], totals[1]),
        }
        for name in names
    ]


def _spans(cuts: Floats) -> list[str]:
    """The bands of points in words."""
    if not len(cuts):
        return ["all"]
    said = [f"{cut:.0f}" for cut in cuts]
    whole = len(set(said)) == len(said)
    said = said if whole else [f"{cut:.2f}" for cut in cuts]
    inner = [f"{low} to {high}" for low, high in pairwise(said)]
    return [f"under {said[0]}", *inner, f"{said[-1]} and over"]


def _score_bands(two: Compared, card: Scorecard) -> list[dict[str, Any]]:
    """The scorecard's own bands, safest first."""
    rising = sorted(card.manifest.bands, key=lambda b: -np.inf if b.from_points is None else b.from_points)
    cuts = np.array([b.from_points for b in rising if b.from_points is not None])
    sides = [counts(banded(side.points, cuts) - 1, len(rising)) for side in (two.before, two.after)]
    return _bands([b.name for b in rising], *sides)[::-1]


def _rates(group: np.ndarray, approved: Flags, names: Sequence[str]) -> dict[str, tuple[int, float]]:
    """How many there are of each group, and which share is approved."""
    found = {}
    for name in names:
        rows = group == name
        found[name] = int(rows.sum()), float(approved[rows].mean()) if rows.any() else 0.0
    return found


def _ratio_p(one: tuple[int, float], best: tuple[int, float], now: tuple[int, float], top: tuple[int, float]) -> float:
    """How likely the logarithms of two ratios of shares differ so much by chance."""
    if min(rate for _, rate in (one, best, now, top)) <= 0:
        return 1.0
    spread = sum((1 - rate) / (rows * rate) for rows, rate in (one, best, now, top))
    gap = np.log(now[1] / top[1]) - np.log(one[1] / best[1])
    return min(1.0, 2 * float(norm.sf(abs(gap) / max(np.sqrt(spread), 1e-12))))

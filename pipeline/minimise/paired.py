"""What one set of scores loses against another on the same loans, and how sure that is: people are drawn, not loans."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from models.arrays import Codes, Flags, Floats
from models.discrimination import Estimate
from models.resampling import interval, resampled


@dataclass(frozen=True)
class Areas:
    """Areas under the ROC curve of several scores of the same loans, and what each person adds to them.

    `value` has one entry a score. `parts` (people × scores) says how each area moves, to first order, when a person
    with all of their loans is there once more (Efron's infinitesimal jackknife; DeLong et al. 1988 for areas): their
    squares add up to the variance, and differences of columns are the parts of differences.
    """

    value: Floats
    parts: Floats


def areas(scores: Floats, bad: Flags, fold: Codes, who: Codes) -> Areas:
    """Areas of scores (loans × scores): bad and good loans are compared within a fold, folds weighted by their pairs.

    `who` numbers people from 0.
    """
    value, rows = np.zeros(scores.shape[1]), np.zeros(scores.shape)
    pairs = {f: int(bad[fold == f].sum()) * int((~bad[fold == f]).sum()) for f in np.unique(fold).tolist()}
    whole = sum(pairs.values())
    for f, weight in ((f, count / whole) for f, count in pairs.items() if count):
        here = fold == f
        placed, is_bad = _placements(scores[here], bad[here]), bad[here]
        found = placed[is_bad].mean(axis=0)
        value += weight * found
        size = np.where(is_bad, is_bad.sum(), (~is_bad).sum())[:, None]
        rows[here] = weight * (placed - found) / size
    return Areas(value, _by_person(rows, who))


def area(scores: Floats, bad: Flags, fold: Codes) -> Floats:
    """The areas alone."""
    return areas(scores, bad, fold, np.arange(len(bad))).value


def mean_of(repeats: list[Areas]) -> Areas:
    """The mean over repeats with other folds: of the areas, and of each person's part in them."""
    return Areas(
        np.mean([r.value for r in repeats], axis=0),
        np.mean([r.parts for r in repeats], axis=0),
    )


def errors(found: Areas, against: int) -> Floats:
    """The standard error, by person, of what each score loses against one of them."""
    people = len(found.parts)
    moved = found.parts[:, [against]] - found.parts
    return np.asarray(np.sqrt((moved**2).sum(axis=0) * people / (people - 1)))


def losses(found: Areas, against: int, confidence: float, resamples: int, seed: int) -> list[Estimate]:
    """What each score loses against one of them, with its bootstrap interval over people."""
    value = found.value[against] - found.value
    drawn = redrawn(found.parts[:, [against]] - found.parts, resamples, seed)
    return [interval(float(v), v + drawn[:, i], confidence) for i, v in enumerate(value)]


def redrawn(parts: Floats, resamples: int, seed: int) -> Floats:
    """How far figures move when people are drawn with replacement, resamples × figures."""
    # einsum adds in one fixed order; a matrix product would not, for every number of threads
    return resampled(lambda times: np.einsum("sp,pr->sr", times - 1, parts), np.arange(len(parts)), resamples, seed)


def _placements(scores: Floats, bad: Flags) -> Floats:
    """For a bad loan the share of good ones ranked below, for a good one that of bad ones ranked above (ties half)."""
    ranks = rankdata(scores, axis=0)
    placed = np.empty(scores.shape)
    placed[bad] = (ranks[bad] - rankdata(scores[bad], axis=0)) / (~bad).sum()
    placed[~bad] = 1 - (ranks[~bad] - rankdata(scores[~bad], axis=0)) / bad.sum()
    return placed


def _by_person(rows: Floats, who: Codes) -> Floats:
    order = np.argsort(who, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(who[order]) != 0])
    return np.asarray(np.add.reduceat(rows[order], first, axis=0))

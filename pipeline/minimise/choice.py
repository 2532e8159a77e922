"""Which request to recommend: the one that gives least away and, by its own error, still loses too little to matter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.arrays import Codes, Floats
from pipeline.minimise.paired import Areas, areas, errors, mean_of, redrawn
from pipeline.minimise.privacy import Request, burden, requests
from pipeline.minimise.quick import best_penalty, out_of_fold
from pipeline.minimise.ranks import apart
from pipeline.minimise.study import Study

THIN = 0.7
"""Columns of a category this near are represented by the first: a ridge regression shares out what they say anyway."""


@dataclass(frozen=True)
class Search:
    """Every request, its area out of fold by the quick learner, its loss against all categories, and that one's error.

    `requests` ends with the one for all categories; `columns` counts what the quick learner read.
    """

    requests: tuple[Request, ...]
    areas: Areas
    loss: Floats
    error: Floats
    columns: int
    penalty: float


def search(study: Study, repeats: int, tell: Callable[[int], None]) -> Search:
    """Learn quickly from every request; `tell` hears of each repeat done."""
    asked = requests(set(study.categories))
    columns = representatives(study)
    category = np.array(study.categories)[columns]
    reads = np.array([np.isin(category, request) for request in asked])
    ranks, found = study.ranks[:, columns], []
    penalty = best_penalty(ranks, study.bad, study.folds(0))
    for repeat in range(repeats):
        fold = study.folds(repeat)
        found.append(areas(out_of_fold(ranks, study.bad, fold, reads, penalty), study.bad, fold, study.who))
        tell(repeat + 1)
    mean = mean_of(found)
    whole = len(asked) - 1
    return Search(tuple(asked), mean, mean.value[whole] - mean.value, errors(mean, whole), len(columns), penalty)


def representatives(study: Study) -> Codes:
    """Of every category, the columns that do not nearly repeat an earlier one of it."""
    near = study.near
    found = [apart(near, study.columns_of([category]), THIN) for category in sorted(set(study.categories))]
    return np.sort(np.concatenate(found))


def ladder(found: Search, loss_max: float, standard_errors: float) -> list[int]:
    """The requests that may be recommended, best first: least given away, then fewest categories, then least lost."""
    price = _price(found, found.loss, loss_max, standard_errors)
    return [int(k) for k in np.argsort(price, kind="stable") if np.isfinite(price[k])]


def kept_again(found: Search, loss_max: float, standard_errors: float, resamples: int, seed: int) -> dict[str, float]:
    """For each category, how often it is in the request chosen anew when other people might have come."""
    moved = redrawn(found.areas.parts[:, [-1]] - found.areas.parts, resamples, seed)
    chosen = np.argmin(_price(found, found.loss + moved, loss_max, standard_errors), axis=1)
    times = np.bincount(chosen, minlength=len(found.requests))
    everything = found.requests[-1]
    return {c: float(sum(times[k] for k, r in enumerate(found.requests) if c in r) / resamples) for c in everything}


def frontier(found: Search) -> list[int]:
    """For each burden, the request that loses least, as long as it loses less than any lighter one."""
    order = sorted(range(len(found.requests)), key=lambda k: (burden(found.requests[k]), float(found.loss[k])))
    kept: list[int] = []
    for k in order:
        if not kept or found.loss[k] < found.loss[kept[-1]]:
            kept.append(k)
    return kept


def _price(found: Search, loss: Floats, loss_max: float, standard_errors: float) -> Floats:
    """What is to be made small, infinite for what loses too much; losses, under 1, tell apart what is equal else."""
    size = np.array([100 * burden(request) + len(request) for request in found.requests], dtype=np.float64)
    return np.asarray(np.where(loss + standard_errors * found.error <= loss_max, size + loss, np.inf))

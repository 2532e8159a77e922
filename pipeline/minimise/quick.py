"""A quick stand-in for the booster: ridge regressions on ranks, for hundreds of requests at once.

The same data without a category must be learned from anew for every request. A booster takes seconds for that, and
its own chance moves an area by more than a small category is worth. A ridge regression has no chance in it, and those
of all requests share their sums: leaving columns out is a small equation beside the whole one.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from models.arrays import Codes, Flags, Floats
from pipeline.minimise.paired import area
from pipeline.minimise.ranks import LEVELS

PENALTIES = (3_000, 10_000, 30_000, 100_000)
"""Rows without any effect that a fit is mixed with: what it takes to tell something from hundreds of weak columns."""
DIGITS = 9
"""Scores are rounded, so that rows that are alike score alike to the last digit."""


def out_of_fold(ranks: Floats, bad: Flags, fold: Codes, requests: Flags, penalty: float) -> Floats:
    """Each row's score by regressions that did not see its fold, rows × requests; more is riskier.

    Args:
        ranks: rows × columns, whole numbers (`levels`).
        bad: what is to be told.
        fold: for each row.
        requests: requests × columns, which columns each may read.
        penalty: in rows.
    """
    scores = np.empty((len(bad), len(requests)))
    with threadpool_limits(1, "blas"):  # so that the last digits do not depend on how many threads there are
        for held in (fold == f for f in np.unique(fold)):
            scores[held] = ranks[held] @ slopes(ranks[~held], bad[~held], requests, penalty)
    return np.round(scores, DIGITS)


def slopes(ranks: Floats, bad: Flags, requests: Flags, penalty: float) -> Floats:
    """Ridge slopes of a column on being bad, columns × requests, 0 where a request may not read the column.

    With few columns left out, they are solved for instead of those kept: the slopes of all columns, less what forcing
    the left-out ones to 0 takes along.
    """
    # sums of whole numbers first, which are exact in any order
    total, is_bad = ranks.sum(axis=0), bad.astype(np.float64)
    moments = ranks.T @ ranks - np.outer(total, total) / len(bad)
    moments[np.diag_indices_from(moments)] += penalty * LEVELS**2 / 3
    pull = ranks.T @ is_bad - total * is_bad.sum() / len(bad)
    inverse = cho_solve(cho_factor(moments), np.eye(len(pull)))
    whole = inverse @ pull
    found = np.zeros((len(pull), len(requests)))
    for k, reads in enumerate(requests):
        kept, out = np.flatnonzero(reads), np.flatnonzero(~reads)
        if len(out) < len(kept):
            found[kept, k] = whole[kept] - inverse[np.ix_(kept, out)] @ _solved(inverse, out, whole)
        elif len(kept):
            found[kept, k] = _solved(moments, kept, pull)
    return found


def _solved(matrix: Floats, columns: Codes, right: Floats) -> Floats:
    if not len(columns):
        return np.zeros(0)
    return np.asarray(cho_solve(cho_factor(matrix[np.ix_(columns, columns)]), right[columns]), dtype=np.float64)


def best_penalty(ranks: Floats, bad: Flags, fold: Codes) -> float:
    """The penalty under which all columns together rank best out of fold."""
    whole = np.ones((1, ranks.shape[1]), dtype=bool)
    areas = [area(out_of_fold(ranks, bad, fold, whole, p), bad, fold)[0] for p in PENALTIES]
    return float(PENALTIES[int(np.argmax(areas))])

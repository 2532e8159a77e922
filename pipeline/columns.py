"""Which features a model is offered: never chosen by an outcome, so that out-of-fold figures stay honest."""

from collections.abc import Sequence

import numpy as np

from models.alike import alike
from models.arrays import Codes, Floats, Times, columns_of
from models.boosting import uninformative
from models.psi import psi
from pipeline.params import Params
from saakh.errors import ContractError
from saakh.spec import FeatureSpec

BANDS = 10


class NoColumnError(ContractError):
    """Nothing is left to learn from."""


def columns(
    params: Params, specs: Sequence[FeatureSpec], x: Floats, applied: Times, rows: Codes | None = None
) -> tuple[dict[str, str], dict[str, str], list[int]]:
    """Features dropped and set aside, with the reason, and the columns kept; `applied` are the times of the rows.

    Where `rows` of `x` are named, these alone are looked at.
    """
    asked = params.train
    dropped = uninformative(x, [s.name for s in specs], rows)
    aside = {s.name: f"the category {s.category} is left out" for s in specs if s.category in asked.without}
    kept = [i for i, s in enumerate(specs) if s.name not in dropped and s.name not in aside]
    if asked.drift_max is not None:
        moved = dict(zip(kept, drift(x, applied, rows, kept), strict=True))
        aside |= {specs[i].name: f"drifts: PSI {moved[i]:.2f}" for i in kept if moved[i] > asked.drift_max}
        kept = [i for i in kept if moved[i] <= asked.drift_max]
    if not kept:
        why = "; see derive/coverage.parquet" if not aside else ", or set aside by train.without or train.drift_max"
        raise NoColumnError(f"all {len(specs)} features are null or constant in development{why}")
    repeats = alike(x, asked.alike_max, asked.inputs_max, rows, kept)
    aside |= {specs[kept[j]].name: f"says the same as {specs[kept[i]].name}" for j, i in repeats.items()}
    return dropped, aside, [i for j, i in enumerate(kept) if j not in repeats]


def drift(x: Floats, applied: Times, rows: Codes | None = None, kept: Sequence[int] | None = None) -> list[float]:
    """How far each column moves from the earlier half of the rows to the later (PSI), missing values in a band."""
    later = applied > np.sort(applied)[(len(applied) - 1) // 2]
    return [_moved(column[~later], column[later]) for column in columns_of(x, rows, kept)]


def _moved(before: Floats, after: Floats) -> float:
    known = before[~np.isnan(before)]
    if not len(known) or not len(after):
        return 0.0
    cuts = np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS))

    def counts(values: Floats) -> Floats:
        band = np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values, side="left"))
        return np.asarray(np.bincount(band, minlength=len(cuts) + 2), dtype=np.float64)

    return psi(counts(before), counts(after))

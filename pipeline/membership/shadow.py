"""One shadow model: learned from some people alone, as `train` learns, and asked about everybody's loans."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from models.arrays import Codes, Flags, Floats
from models.refusals import Refusals
from models.splits import Split
from pipeline import train
from pipeline.params import Params
from pipeline.sample import Sample
from saakh.errors import LeakageError
from saakh.spec import FeatureSpec

MONTHS_ON = 13
"""How long after the last loan the loans to be scored are put."""


class Learned(Protocol):
    """What a fit must tell: its split, and the log-odds of bad of each loan, by the final model on later ones."""

    @property
    def split(self) -> Split:
        """Which loans were learned from."""

    @property
    def log_odds(self) -> Floats:
        """One a loan."""


Fit = Callable[[Params, Sequence[FeatureSpec], Sample], Learned]


def seen(params: Params, specs: Sequence[FeatureSpec], sample: Sample, taught: Flags, fit: Fit = train.learn) -> Floats:
    """Log-odds of every loan by the final model of a training on the loans `taught` (all of a person's, or none).

    `train` scores what it learned from out of fold, and by its final model what came later. So every loan is put into
    the sample once more, at a time after all of them, and the split is asked for just there.
    """
    rows = np.flatnonzero(taught)
    both = taken(sample, np.r_[rows, np.arange(len(taught))])
    applied = both.applied.copy()
    applied[len(rows) :] = (applied.max().astype("datetime64[M]") + MONTHS_ON).astype(applied.dtype)
    fresh = int((~taught).sum())
    split = {"out_of_time_share": fresh / (len(rows) + fresh), "gap_days": 0}
    asked = params.model_copy(update={"train": params.train.model_copy(update=split)})
    learned = fit(asked, specs, replace(both, applied=applied))
    if not np.array_equal(np.flatnonzero(learned.split.development), np.arange(len(rows))):
        raise LeakageError("a shadow model learned from other loans than it was to: the split was moved")
    return learned.log_odds[len(rows) :]


def taken(sample: Sample, rows: Codes) -> Sample:
    """These loans of a sample, whatever it knows of each."""
    loans = len(sample.bad)
    changed: dict[str, Any] = {}
    for field in fields(sample):
        value = getattr(sample, field.name)
        if isinstance(value, Refusals):
            changed[field.name] = value.rows(rows)
        elif isinstance(value, np.ndarray) and len(value) == loans:
            changed[field.name] = value[rows]
        elif isinstance(value, (pa.Array, pa.ChunkedArray)) and len(value) == loans:
            changed[field.name] = value.take(pa.array(rows))
    return replace(sample, **changed)

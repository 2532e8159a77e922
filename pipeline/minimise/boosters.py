"""The model's own booster, learned anew from fewer columns, again and again over other folds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.arrays import Floats
from models.discrimination import Estimate
from pipeline.minimise.paired import Areas, areas, errors, losses, mean_of
from pipeline.minimise.study import Study

Columns = tuple[int, ...]


@dataclass(frozen=True)
class Loss:
    """What some columns lose against others: the estimate, its error by person, and its spread over repeats."""

    estimate: Estimate
    error: float
    spread: float


NOTHING = Loss(Estimate(0.0), 0.0, 0.0)


@dataclass
class Boosters:
    """Boosters by the columns they may read, each learned once for every repeat."""

    study: Study
    repeats: int
    _scores: dict[Columns, list[Floats]] = field(default_factory=dict)

    def of(self, request: Iterable[str]) -> Columns:
        """The columns that a consent request opens."""
        return tuple(self.study.columns_of(request).tolist())

    def scores(self, columns: Columns) -> list[Floats]:
        """The out-of-fold log-odds, one array a repeat; all the same without a column to read."""
        if columns not in self._scores:
            flat = np.zeros(len(self.study.bad))
            self._scores[columns] = [
                self.study.boosted(columns, repeat).out_of_fold if columns else flat for repeat in range(self.repeats)
            ]
        return self._scores[columns]

    def areas(self, sets: Sequence[Columns]) -> list[Areas]:
        """The areas of these sets of columns, one entry a repeat."""
        scores = [self.scores(columns) for columns in sets]
        folds = [self.study.folds(repeat) for repeat in range(self.repeats)]
        return [
            areas(np.stack([of[repeat] for of in scores], axis=1), self.study.bad, fold, self.study.who)
            for repeat, fold in enumerate(folds)
        ]

    def area(self, columns: Columns) -> float:
        """The mean area over the repeats."""
        return float(mean_of(self.areas([columns])).value[0])

    def losses(self, sets: Sequence[Columns], against: Columns) -> list[Loss]:
        """What each set loses against another, over the same folds."""
        found = self.areas([*sets, against])
        mean, last = mean_of(found), len(sets)
        how = self.study.params.evaluate
        said = losses(mean, last, how.confidence, how.resamples, self.study.params.seed)
        spread = np.std([one.value[last] - one.value for one in found], axis=0, ddof=1)
        return [Loss(*three) for three in zip(said, errors(mean, last).tolist(), spread.tolist(), strict=True)][:last]

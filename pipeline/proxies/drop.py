"""Which features to do without, so that what is left tells little: those first that give most away and earn least."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.arrays import Codes, Floats
from pipeline.minimise.paired import Areas, areas, mean_of
from pipeline.minimise.quick import best_penalty, out_of_fold
from pipeline.minimise.ranks import apart, bundles
from pipeline.minimise.study import Study
from pipeline.proxies.giveaway import Giveaway, by_bundle, gains, giveaway
from pipeline.summary import Tell

QUICK_ALIKE = 0.7
COVERED = 0.3
"""What is dropped at once gives away so much of what all together do; then the rest is looked at anew."""
COVERED_LEAST = 0.03
"""A drop that costs too much is halved, down to this; then nothing affordable is left that would tell much."""


@dataclass(frozen=True)
class Step:
    """One drop: for which target, which bundles, how well the rest tells it, and what the model has lost so far."""

    target: str
    bundles: tuple[str, ...]
    auc: float
    loss: float


@dataclass
class Dropping:
    """What is still in, and what has been dropped in which steps."""

    study: Study
    bundle: list[str]
    repeats: int
    dropped: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        everything = self.columns()
        self.penalty = best_penalty(self.study.ranks[:, self._thin(everything)], self.study.bad, self.study.folds(0))
        self.whole = self._quick(everything)
        own = apart(self.study.near, everything, self.study.params.train.alike_max)
        self.worth = by_bundle(gains(self.study.boosted(everything, 0).text), own, self.bundle)

    def columns(self, without: Sequence[str] = ()) -> Codes:
        """The columns still in, less those of some bundles more."""
        out = {*self.dropped, *without}
        return np.array([i for i, name in enumerate(self.bundle) if name not in out], dtype=np.int64)

    def loss(self, without: Sequence[str] = ()) -> float:
        """What the model's area loses by all that is dropped and these, by the quick learner."""
        columns = self.columns(without)
        return float(self.whole.value[0] - self._quick(columns).value[0]) if len(columns) else float("inf")

    def tells(self, target: Floats) -> Giveaway:
        """How well what is still in tells a target."""
        kept = apart(self.study.near, self.columns(), self.study.params.train.alike_max)
        return giveaway(self.study, target, kept)

    def worst(self, found: Giveaway, share: float) -> tuple[str, ...]:
        """The fewest bundles, from the worst on, that together give away a share of it all."""
        ranked = self.ranked(found)
        given = np.cumsum([given for _, given in ranked])
        return tuple(name for name, _ in ranked[: int(np.searchsorted(given, share)) + 1])

    def ranked(self, found: Giveaway) -> list[tuple[str, float]]:
        """The bundles that give something away, with their share: first what gives much for what it is worth."""
        shares = self.shares(found, self.columns())
        even = 1 / len(set(self.bundle))
        price = {name: share / (self.worth.get(name, 0.0) + even) for name, share in shares.items() if share > 0}
        return [(name, shares[name]) for name in sorted(price, key=lambda name: (-price[name], name))]

    def shares(self, found: Giveaway, columns: Codes) -> dict[str, float]:
        """What each bundle gives away of all that these columns, which were learned from, do."""
        kept = apart(self.study.near, columns, self.study.params.train.alike_max)
        return by_bundle(found.gain, kept, self.bundle)

    def _quick(self, columns: Codes) -> Areas:
        thin, study = self._thin(columns), self.study
        ranks, reads, found = study.ranks[:, thin], np.ones((1, len(thin)), dtype=bool), []
        for repeat in range(self.repeats):
            fold = study.folds(repeat)
            scores = out_of_fold(ranks, study.bad, fold, reads, self.penalty)
            found.append(areas(scores, study.bad, fold, study.who))
        return mean_of(found)

    def _thin(self, columns: Codes) -> Codes:
        return apart(self.study.near, columns, QUICK_ALIKE)


def drop(
    study: Study, bundle: list[str], targets: Mapping[str, Floats], before: Mapping[str, float], tell: Tell
) -> Dropping:
    """Drop bundles target by target, the easiest first, until each is at the goal or a drop would cost too much.

    Args:
        study: the loans.
        bundle: the bundle of features each column belongs to.
        targets: values (1, 0, NaN) by name.
        before: how well all columns tell each target.
        tell: hears of each target.
    """
    asked = study.params.proxies
    doing = Dropping(study, bundle, asked.repeats)
    above = sorted((name for name in targets if before[name] > asked.goal_auc), key=lambda name: (before[name], name))
    for done, name in enumerate(above):
        tell(f"dropping what tells {name}", done, len(above))
        found, share = doing.tells(targets[name]), COVERED
        while area_of(found) > asked.goal_auc and share >= COVERED_LEAST:
            batch = doing.worst(found, share)
            loss = doing.loss(batch)
            if loss > asked.loss_auc_max:
                share /= 2
                continue
            doing.dropped.extend(batch)
            found = doing.tells(targets[name])
            doing.steps.append(Step(name, batch, area_of(found), loss))
    return doing


def area_of(found: Giveaway) -> float:
    """The area, or a coin's where there is none."""
    return 0.5 if found.auc.value is None else found.auc.value


def bundled(study: Study, features: Sequence[str]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """For each column the bundle it belongs to, and each bundle's features: those that say the same go together."""
    found = bundles(study.near, features, study.params.train.alike_max)
    leader = {feature: name for name, members in found.items() for feature in members}
    return [leader[feature] for feature in features], found

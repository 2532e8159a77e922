"""The default model: small trees grown on shards of the people, averaged, and blended with a logistic regression.

Log-odds is what is averaged, blended and calibrated, so contributions add up exactly. How many rounds, which penalty
and how much of each part are chosen by the log-loss of scores that did not see their row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np

from models import calibration, linear
from models.arrays import Codes, Flags, Floats
from models.boosting import Grown, Inputs, Settings, refuse_one_class
from models.lightgbm_text import merged, on_grid, parse, restricted
from models.metrics import surprise
from models.model_text import rest_of, with_rest
from models.refusals import Keys, Refusals, filled, withheld
from models.shards import Growing, Shard, beside
from saakh.additive import BLOCK_ROWS, Additive
from saakh.linear import Linear
from saakh.lookup import Lookup
from saakh.scale import Calibration
from saakh.trees import Trees

NOTHING: Mapping[str, Grown] = MappingProxyType({})
STAGES = 12
"""At how many numbers of rounds, evenly spread, the out-of-fold loss is looked at."""
WEIGHTS = np.arange(1, 21) / 20
"""How much of the trees may go into the blend, in twentieths: never nothing, so that a scorecard always holds some."""
PRIOR_WRONG = 4.0
"""By how many standard errors a weaker penalty must be better, out of fold, than the prior's."""
TREES_EARN = 2.0
"""By how many standard errors more of the trees must be better, out of fold, than less."""


@dataclass(frozen=True)
class DefaultModel:
    """A fitted model: `additive` are its trees and its linear part as the runtime holds them, `text` is all of it."""

    names: tuple[str, ...]
    additive: Additive
    calibration: Calibration
    text: str

    @classmethod
    def of_text(cls, text: str) -> Self:
        """The model in a text; an `ArtifactError` names what a scorecard cannot hold."""
        model = parse(text)
        linear, calibration = rest_of(text, len(model.features))
        return cls(model.features, Additive(model.trees, linear, len(model.features)), calibration, text)

    def log_odds(self, x: Floats, refusals: Refusals) -> Floats:
        """Log-odds of bad [rows]; what was refused contributes 0, whatever `x` holds there."""
        out, x = np.empty(len(x)), withheld(x, refusals)
        for some, inputs in refusals.groups():
            out[some] = self.additive.log_odds(x[some], inputs)
        return calibration.calibrated(out, self.calibration)

    def contributions(self, x: Floats, refusals: Refusals) -> Floats:
        """What each input adds to the log-odds [rows, features]; with `base` they add up to them."""
        out, x = np.empty(x.shape), withheld(x, refusals)
        for some, inputs in refusals.groups():
            out[some] = self.additive.effects_of(x[some], inputs)
        return out * self.calibration.slope

    @property
    def base(self) -> float:
        """Log-odds of bad averaged over the training rows."""
        return float(self.additive.mean * self.calibration.slope + self.calibration.intercept)


@dataclass(frozen=True)
class Choices:
    """What was chosen out of fold: rounds a shard, part of the trees, λ of the logistic, kind of calibration."""

    rounds: int
    tree_weight: float
    penalty: float
    calibrator: str


@dataclass(frozen=True)
class Rows:
    """The rows a model is learned from, in a fixed order: `x` [rows, features] with NaN where missing.

    `fold` and `shard` keep a person in one; `key` draws donors for what was refused.
    """

    x: Floats
    bad: Flags
    person: Codes
    fold: Codes
    shard: Codes
    key: Keys
    refusals: Refusals


@dataclass(frozen=True)
class Fitted:
    """A model with what it was chosen by: `out_of_fold` are calibrated log-odds of models that did not see the row.

    `places` are the columns of the rows that the model reads, in its order; `grown` are the shards by digest.
    """

    model: DefaultModel
    places: tuple[int, ...]
    choices: Choices
    out_of_fold: Floats
    losses: Mapping[str, float]
    grown: Mapping[str, Grown]


def shards_for(rows: int, bads: int) -> int:
    """Into how many shards people go: as many as leave each 2,500 loans and 200 bad ones, five at most."""
    return int(np.clip(min(rows // 2_500, bads // 200), 1, 5))


def fit(
    rows: Rows,
    inputs: Inputs,
    settings: Settings,
    threads: int,
    known: Mapping[str, Grown] = NOTHING,
    growing: Growing | None = None,
    prior: float = linear.PRIOR,
) -> Fitted:
    """Learn from the rows; the bytes that come out depend on neither threads, machine load nor where shards are grown.

    A shard whose digest is `known` is not grown again: after an erasure, only the shard the person was in is. `growing`
    grows the others, by default side by side on the threads. `prior` is the linear part's penalty for each column.
    """
    refuse_one_class(rows.bad, rows.fold)
    folds = int(rows.fold.max()) + 1
    x = withheld(rows.x, rows.refusals)
    by_digest = _grown(x, rows, folds, inputs, settings, growing or beside(threads), known)
    grown = list(by_digest.values())
    stages = np.unique(np.linspace(0, settings.rounds_max, STAGES + 1)[1:].round().astype(int))
    said = staged(grown, x, rows, stages)
    penalty, straight, fitted, scaling = _straight(x, rows, inputs, prior)
    rounds, weight = _blend(said, straight, rows, stages)
    blended = weight * said[:, np.flatnonzero(stages == rounds)[0]] + (1 - weight) * straight
    calibrator, how = calibration.chosen(blended, rows.bad, rows.person, rows.fold)
    text = on_grid(merged([shard.text for shard in grown], rounds, weight / len(grown)))
    model, places = _only_read(text, linear.as_part(fitted, scaling, 1 - weight), how, inputs)
    out_of_fold = calibration.calibrated(blended, how)
    found = {"trees": said[:, -1], "linear": straight, "blend": blended, "calibrated": out_of_fold}
    return Fitted(
        model=model,
        places=places,
        choices=Choices(rounds, weight, penalty, calibrator),
        out_of_fold=out_of_fold,
        losses={name: float(surprise(score, rows.bad).mean()) for name, score in found.items()},
        grown=by_digest,
    )


def _grown(
    x: Floats, rows: Rows, folds: int, inputs: Inputs, settings: Settings, growing: Growing, known: Mapping[str, Grown]
) -> dict[str, Grown]:
    """The trees of each shard by digest; a shard's own work is done on one thread, wherever that is."""
    numbers = np.unique(rows.shard).tolist()

    def shard(number: int) -> Shard:  # made when asked for: together they are a second copy of all rows
        of = np.flatnonzero(rows.shard == number)
        taught = filled(x[of], rows.refusals.rows(of), rows.fold[of], rows.key[of])
        return Shard(taught, rows.bad[of], rows.fold[of], folds, inputs, settings)

    digests = {number: shard(number).digest for number in numbers}
    missing = [number for number in numbers if digests[number] not in known]
    found = dict(zip(missing, growing(shard, missing), strict=True))
    return {digest: found.get(number) or known[digest] for number, digest in digests.items()}


def staged(grown: Sequence[Grown], x: Floats, rows: Rows, stages: Codes) -> Floats:
    """Mean log-odds of the shards' trees after each number of rounds [rows, stages], by trees that did not see the row.

    Averaging the shards before looking lets them stop where their mean is best, which is later than where each is.
    """
    out = np.empty((len(x), len(stages)))
    for fold in range(int(rows.fold.max()) + 1):
        held = np.flatnonzero(rows.fold == fold)
        trees = [parse(shard.without[fold]).trees for shard in grown]
        out[held] = _staged(trees, x[held], rows.refusals.rows(held), stages)
    return out


def _staged(shards: Sequence[Trees], x: Floats, refusals: Refusals, stages: Codes) -> Floats:
    lookup = Lookup(Trees.joined(shards), x.shape[1])
    rounds = np.concatenate([np.arange(1, len(trees.splits) + 1) for trees in shards])
    order = np.argsort(rounds, kind="stable")
    starts = np.searchsorted(rounds[order], np.concatenate(([1], stages[:-1] + 1)))
    there = starts < len(order)  # where every shard ran out of splits, later stages add nothing
    out = np.zeros((len(x), len(stages)))
    for some, inputs in refusals.groups():
        answers = lookup.answers(inputs)
        for start in range(0, len(some), BLOCK_ROWS):
            block = some[start : start + BLOCK_ROWS]
            said = answers.each(lookup.patterns(x[block]))[:, order]
            out[np.ix_(block, np.flatnonzero(there))] = np.add.reduceat(said, starts[there], axis=1)
    return np.asarray(np.cumsum(out, axis=1) / len(shards))


def _straight(x: Floats, rows: Rows, inputs: Inputs, prior: float) -> tuple[float, Floats, Floats, linear.Scaling]:
    """The penalty, its out-of-fold log-odds, and the fit on all rows with its scaling.

    A strong penalty keeps which inputs count steady, and makes scores too close together: they are stretched to fit
    what was held out. A weaker one is taken if it is better out of fold beyond noise.
    """
    penalties = linear.penalties_for(x.shape[1], prior)
    said = np.empty((len(x), len(penalties)))
    for fold in np.unique(rows.fold):
        held, others = np.flatnonzero(rows.fold == fold), np.flatnonzero(rows.fold != fold)
        scaling, found = _fitted(x, others, rows.bad, inputs, penalties)
        z = scaling(x, held)
        said[held] = np.stack([linear.log_odds(z, fitted) for fitted in found], axis=1)
    middle = said.mean(axis=0)
    out = [calibration.held_out(calibration.logit, score, rows.bad, rows.fold) for score in (said - middle).T]
    loss = [surprise(score, rows.bad) for score in out]
    best = int(np.argmin([some.mean() for some in loss]))
    if calibration.errors(loss[0] - loss[best], rows.person) <= PRIOR_WRONG:
        best = 0
    scaling, found = _fitted(x, np.arange(len(x)), rows.bad, inputs, penalties[: best + 1])
    stretch = calibration.logit(said[:, best] - middle[best], rows.bad)
    return penalties[best], out[best], linear.stretched(found[-1], float(middle[best]), stretch), scaling


def _fitted(
    x: Floats, some: Codes, bad: Flags, inputs: Inputs, penalties: Sequence[float]
) -> tuple[linear.Scaling, list[Floats]]:
    scaling, z = linear.scaled(x, some)
    return scaling, linear.fits(z, bad[some], inputs.monotone, penalties, linear.ridge(z, inputs.monotone))


def _blend(said: Floats, straight: Floats, rows: Rows, stages: Codes) -> tuple[int, float]:
    """Rounds and part of the trees: the least part, then the fewest rounds, not worse out of fold beyond noise."""
    loss = np.array([[surprise(w * trees + (1 - w) * straight, rows.bad).mean() for trees in said.T] for w in WEIGHTS])

    def each(weight: int, stage: int) -> Floats:
        return surprise(WEIGHTS[weight] * said[:, stage] + (1 - WEIGHTS[weight]) * straight, rows.bad)

    best = each(*divmod(int(loss.argmin()), len(stages)))

    def will_do(weight: int, stage: int) -> bool:
        return calibration.errors(each(weight, stage) - best, rows.person) <= TREES_EARN

    weight = next(k for k, stage in enumerate(loss.argmin(axis=1)) if will_do(k, int(stage)))
    stage = next(number for number in range(len(stages)) if will_do(weight, number))
    return int(stages[stage]), float(WEIGHTS[weight])


def _only_read(text: str, straight: Linear, how: Calibration, inputs: Inputs) -> tuple[DefaultModel, tuple[int, ...]]:
    """The model with the inputs that a tree or the linear part reads, and their places among all."""
    read = np.union1d(parse(text).trees.feature, straight.feature).astype(int)
    if not len(read):
        read = np.array([0])  # nothing to learn: the model is a constant, of one input
    names = tuple(inputs.names[i] for i in read)
    text = restricted(text, names)
    moved = {name: getattr(straight, name) for name in ("center", "scale", "coefficient", "mean")}
    part = Linear.of(len(read), straight.intercept, feature=np.searchsorted(read, straight.feature), **moved)
    model = DefaultModel(names, Additive(parse(text).trees, part, len(read)), how, with_rest(text, part, how))
    return model, tuple(read.tolist())

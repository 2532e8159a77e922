"""Could somebody who holds the model tell who taught it? The likelihood-ratio attack (LiRA) of Carlini and others 2022.

Many *shadow* models are learned, each from a random half of the people, a person's loans all in or all out. Every
shadow is attacked in its turn with what the others tell: how sure models are of a person's outcomes when they learned
from that person, and when they did not. Halves come in pairs, one the other's rest, and a shadow is attacked without
its pair: each side is then known from as many models, and a model that keeps nothing is told at 0.5 exactly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from models.arrays import Codes, Flags, Floats
from models.discrimination import Estimate
from models.resampling import interval, resampled

FIGURES = ("auc", "tpr")
FALSE_ALARMS = 0.001
"""The share of people wrongly named at which the share rightly named is told."""
SPREAD_LEAST = 1e-6
"""Log-odds: models that agree to the last digit must not make a division by nothing."""


@dataclass(frozen=True)
class Known:
    """What the other shadows tell of a loan, a row a shadow attacked: means and spreads of sureness, in and out."""

    mean_in: Floats
    mean_out: Floats
    spread_in: Floats
    spread_out: Floats


def halves(people: int, shadows: int, seed: int) -> Flags:
    """Who teaches which shadow (shadows × people): a random half of them, then its rest, and so on."""
    rng = np.random.default_rng(seed)
    first = np.stack([rng.permutation(people) < people // 2 for _ in range(shadows // 2)])
    return np.stack([first, ~first], axis=1).reshape(2 * len(first), people)


def sureness(log_odds: Floats, bad: Flags) -> Floats:
    """The log-odds that a model gives to what happened: what the attack calls logit-scaled confidence."""
    return np.where(bad, log_odds, -log_odds)


def known(sure: Floats, taught: Flags) -> Known:
    """What is known of each loan without the pair that is attacked (`sure` and `taught` are shadows × loans)."""
    centred = sure - sure.mean(axis=0)
    found = []
    for side in (taught, ~taught):
        of_pair = np.where(side[::2], centred[::2], centred[1::2])  # one of a pair is on this side
        of_pair = np.repeat(of_pair, 2, axis=0)
        others = len(sure) // 2 - 1
        mean = ((centred * side).sum(axis=0) - of_pair) / others
        squares = (centred**2 * side).sum(axis=0) - of_pair**2
        variance = np.maximum(squares - others * mean**2, 0) / max(others - 1, 1)
        found.append((mean + sure.mean(axis=0), np.maximum(np.sqrt(variance), SPREAD_LEAST)))
    (mean_in, spread_in), (mean_out, spread_out) = found
    return Known(mean_in, mean_out, spread_in, spread_out)


def attacks(sure: Floats, taught: Flags, who: Codes) -> dict[str, Floats]:
    """How much each shadow looks as if it knew each person (shadows × people), by four attacks.

    `online` is the likelihood ratio of Gaussians in and out; `online, one spread` takes both as equally wide, which
    wins where shadows are few; `offline` asks only whether the model is surer than those that never saw the person;
    `loss` uses no shadow. Likelihood ratios of a person's loans add up; the others are averaged.
    """
    of, loans = known(sure, taught), np.bincount(who)
    shared = np.sqrt((of.spread_in**2 + of.spread_out**2) / 2)
    ratios = {
        "online": _log_density(sure, of.mean_in, of.spread_in) - _log_density(sure, of.mean_out, of.spread_out),
        "online, one spread": _log_density(sure, of.mean_in, shared) - _log_density(sure, of.mean_out, shared),
    }
    means = {"offline": (sure - of.mean_out) / of.spread_out, "loss": sure}
    added = {name: _by_person(score, who) for name, score in (ratios | means).items()}
    return {name: score if name in ratios else score / loans for name, score in added.items()}


@dataclass(frozen=True)
class Strongest:
    """The attack that tells most by one figure, what it tells, and that figure of all of them."""

    attack: str
    estimate: Estimate
    by_attack: dict[str, float]


def told(
    scores: Mapping[str, Floats], taught: Flags, *, confidence: float, resamples: int, seed: int
) -> dict[str, Strongest]:
    """The strongest attack by area under its ROC curve (`auc`), and by the share named at few false alarms (`tpr`).

    `scores` and `taught` are shadows × people. Intervals draw people, each with what every shadow says of them.
    """
    people = taught.shape[1]
    who = np.broadcast_to(np.arange(people), taught.shape).ravel()
    curves = {name: Curve.of(score.ravel(), taught.ravel(), who) for name, score in scores.items()}
    plain = {name: curve.figures(np.ones((1, people)))[0] for name, curve in curves.items()}
    found = {}
    for i, figure in enumerate(FIGURES):
        by_attack = {name: float(values[i]) for name, values in plain.items()}
        best = max(by_attack, key=lambda name: (by_attack[name], name))
        drawn = resampled(curves[best].figures, np.arange(people), resamples, seed)[:, i]
        found[figure] = Strongest(best, interval(by_attack[best], drawn, confidence), by_attack)
    return found


@dataclass(frozen=True)
class Curve:
    """Scores from the highest down: whether each is of a member, whose it is, and where a tie ends."""

    member: Flags
    who: Codes
    last: Codes

    @classmethod
    def of(cls, score: Floats, member: Flags, who: Codes) -> "Curve":
        """The curve of these scores, in any order."""
        order = np.argsort(-score, kind="stable")
        last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
        return cls(member[order], who[order], last)

    def figures(self, weights: Floats) -> Floats:
        """The area and the share named at `FALSE_ALARMS`, for each weighting of people (samples × people)."""
        return np.array(list(self._each(weights)))

    def _each(self, weights: Floats) -> Iterator[tuple[float, float]]:
        for weight in weights:
            here = weight[self.who]
            hits = np.append(0.0, np.cumsum(here * self.member)[self.last])
            alarms = np.append(0.0, np.cumsum(here * ~self.member)[self.last])
            if hits[-1] == 0 or alarms[-1] == 0:
                yield np.nan, np.nan
                continue
            hits, alarms = hits / hits[-1], alarms / alarms[-1]
            area = float((np.diff(alarms) * (hits[1:] + hits[:-1]) / 2).sum())
            yield area, float(hits[np.searchsorted(alarms, FALSE_ALARMS, side="right") - 1])


def _log_density(value: Floats, mean: Floats, spread: Floats) -> Floats:
    return np.asarray(-np.log(spread) - ((value - mean) / spread) ** 2 / 2, dtype=np.float64)


def _by_person(score: Floats, who: Codes) -> Floats:
    people = int(who.max()) + 1
    return np.stack([np.bincount(who, row, people) for row in score])

"""What loans turned out to be, month by month: calibration and ranking as labels mature, and the first instalments.

A month has a shock of its own that no model foresees, so that months scatter about their expectation by more than
chance; how much is taken from the reference's own months, and at least `vintage_sd`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import nbinom, norm

from models.arrays import Codes, Flags, Floats, Times
from models.discrimination import Estimate, auc, gini
from models.metrics import observed_expected, probability
from pipeline.monitor import cells
from pipeline.monitor.alarms import Question
from pipeline.monitor.book import months_on_book
from pipeline.monitor.drift import Found
from pipeline.monitor.sides import BAD, UNKNOWN, Side, Sides
from pipeline.pages import month as spoken
from pipeline.params import Params

EXPECTED_MIN = 5.0
"""Fewer expected bad loans say nothing about a month."""
CURVE_MONTHS = 6
GROWN = 0.95
"""A month's loans are shown at an age that nearly all have reached: the oldest alone are others than the rest."""
GINI_FALL = 0.5
"""The share of the reference's Gini below which a ranking that fell beyond chance is to be acted on."""
STEPS = 25
GRAVE_CHANCE = 0.025


@dataclass(frozen=True)
class Ratio:
    """Events of some loans against those expected: how many, and the variance of their number under the model."""

    rows: int
    observed: float
    expected: float
    variance: float

    @classmethod
    def of(cls, happened: Flags, chance: Floats) -> "Ratio":
        """From what happened to each loan, and how likely it was."""
        return cls(len(happened), float(happened.sum()), float(chance.sum()), float((chance * (1 - chance)).sum()))

    @property
    def is_enough(self) -> bool:
        """Whether a test of it means something."""
        return self.expected >= EXPECTED_MIN

    @property
    def log(self) -> float:
        """The logarithm of observed over expected; none observed counts as half a one."""
        return log(max(self.observed, 0.5) / self.expected)

    @property
    def noise(self) -> float:
        """The variance of that logarithm by chance alone."""
        return self.variance / self.expected**2

    @property
    def value(self) -> float:
        """Observed over expected."""
        return self.observed / self.expected

    def surpasses(self, times: float, spread: float) -> bool:
        """Whether more than so many for each one expected is beyond doubt at 97.5 %, the scatter of months included."""
        least = Ratio(self.rows, self.observed, self.expected * times, self.variance)
        return least.chances(spread)[0] < GRAVE_CHANCE

    def chances(self, spread: float) -> tuple[float, float]:
        """How likely so many or more are, and so few or fewer, when months scatter by `spread` besides.

        The number is Poisson about a mean that is gamma distributed, hence negative binomial.
        """
        shape = 1 / max(spread**2, 1e-6)
        number = nbinom(shape, shape / (shape + self.expected))
        return float(number.sf(self.observed - 1)), float(number.cdf(self.observed))


def between(months: Sequence[Ratio], least: float) -> float:
    """By how much the logarithms of months differ beyond chance (DerSimonian and Laird 1986), and at least `least`."""
    known = [m for m in months if m.is_enough]
    if len(known) < 3:
        return least
    weight, value = np.array([1 / m.noise for m in known]), np.array([m.log for m in known])
    mean = (weight * value).sum() / weight.sum()
    excess = (weight * (value - mean) ** 2).sum() - (len(known) - 1)
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    return max(least, sqrt(max(excess / scale, 0.0)))


def calibration(params: Params, sides: Sides) -> Found | None:
    """Bad loans observed for each one expected, by month, where labels have matured; None where none has."""
    known = sides.batch.outcome != UNKNOWN
    if not known.any():
        return None
    past = _ratios(sides.reference, sides.reference.outcome != UNKNOWN)
    spread = between(list(past.values()), params.monitor.vintage_sd)
    months = _ratios(sides.batch, known)
    rows = [
        _vintage(params, side, held, month, ratio)
        for side, held, found in ((sides.reference, "reference", past), (sides.batch, "batch", months))
        for month, ratio in found.items()
        if not (held == "reference" and month in months)
    ]
    tests = [
        _level(params, "calibration", str(month), ratio, spread) for month, ratio in months.items() if ratio.is_enough
    ]
    whole = Ratio.of(sides.batch.outcome[known] == BAD, probability(sides.batch.log_odds[known]))
    if len(months) > 1 and whole.is_enough:
        tests.append(_level(params, "calibration", "all months", whole, spread / sqrt(len(months))))
    return Found({"spread": spread, "by_vintage": rows, "matured": int(known.sum())}, tests)


def _ratios(side: Side, rows: Flags) -> dict[Any, Ratio]:
    months, pd, bad = side.vintage, probability(side.log_odds), side.outcome == BAD
    return {m: Ratio.of(bad[rows & (months == m)], pd[rows & (months == m)]) for m in np.unique(months[rows])}


def _vintage(params: Params, side: Side, held: str, month: Times, ratio: Ratio) -> dict[str, Any]:
    """A month's figures with intervals; none where it is small."""
    told: dict[str, Any] = {"month": str(month), "side": held, "rows": ratio.rows}
    if not cells.enough(ratio.rows):
        return told | {"rows": None, "observed": None, "expected": None, "observed_expected": None, "gini": None}
    rows = (side.outcome != UNKNOWN) & (side.vintage == month)
    loans = side.log_odds[rows], side.outcome[rows] == BAD, side.person[rows]
    asked = params.evaluate
    how: dict[str, Any] = {"confidence": asked.confidence, "resamples": asked.resamples, "seed": params.seed}
    rates = {"observed": ratio.observed / ratio.rows, "expected": ratio.expected / ratio.rows}
    figures = {"observed_expected": observed_expected(*loans, **how), "gini": gini(auc(*loans, asked.confidence))}
    return told | rates | {name: asdict(estimate) for name, estimate in figures.items()}


def _level(params: Params, area: str, name: str, ratio: Ratio, spread: float, *, both: bool = True) -> Question:
    many, few = ratio.chances(spread)
    p = min(1.0, 2 * min(many, few)) if both else many
    what = "bad loans" if area == "calibration" else "first instalments missed"
    when = name if name == "all months" else spoken(name)
    said = f"{when}: {ratio.value:.2f} {what} for each one expected, of {cells_said(ratio.rows)}"
    return Question(area, name, p, ratio.surpasses(params.monitor.act_ratio, spread), said)


def cells_said(rows: int) -> str:
    """How many loans, in words."""
    return f"{rows:,} loans" if cells.enough(rows) else "few loans"


def ranking(params: Params, sides: Sides) -> Found | None:
    """Whether the score ranks the batch's loans as well as it did the reference's; None where nothing has matured."""
    areas = [_area(params, side) for side in (sides.reference, sides.batch)]
    if any(area.value is None or area.low is None for area in areas):
        return None
    reach = 2 * float(norm.ppf(0.5 + params.evaluate.confidence / 2))
    places = [(float(logit(a.value)), float(logit(a.high) - logit(a.low)) / reach) for a in areas]
    (was, its), (now, own) = places
    p = float(norm.sf((was - now) / sqrt(its**2 + own**2)))
    before, after = (gini(area) for area in areas)
    grave = (after.value or 0.0) < GINI_FALL * (before.value or 0.0)
    said = f"the Gini fell from {before.value:.2f} to {after.value:.2f}"
    return Found(
        {"reference": asdict(before), "batch": asdict(after), "p": p}, [Question("ranking", "Gini", p, grave, said)]
    )


def _area(params: Params, side: Side) -> Estimate:
    known = side.outcome != UNKNOWN
    if not known.any():
        return Estimate(None)
    return auc(side.log_odds[known], side.outcome[known] == BAD, side.person[known], params.evaluate.confidence)


def early(params: Params, sides: Sides) -> Found | None:
    """First instalments missed by month, against what loans of the same score did in the reference."""
    days = params.monitor.early_dpd_days
    asked, missed = sides.reference.book.first_instalment(days)
    if not asked.any() or missed[asked].all() or not missed[asked].any():
        return None
    slope = _logistic(sides.reference.log_odds[asked], missed[asked])
    past = _missed(sides.reference, asked, missed, slope)
    spread = between(list(past.values()), params.monitor.vintage_sd)
    of_batch, of_those = sides.batch.book.first_instalment(days)
    of_batch &= ~sides.batch.among(sides.reference)
    months = _missed(sides.batch, of_batch, of_those, slope)
    rows = [
        _shown(held, month, ratio)
        for held, found in (("reference", past), ("batch", months))
        for month, ratio in found.items()
    ]
    tests = [
        _level(params, "early", str(month), ratio, spread, both=False)
        for month, ratio in months.items()
        if ratio.is_enough
    ]
    return Found({"days": days, "spread": spread, "by_vintage": rows}, tests)


def _missed(side: Side, asked: Flags, missed: Flags, slope: tuple[float, float]) -> dict[Any, Ratio]:
    chance, months = expit(slope[0] + slope[1] * side.log_odds), side.vintage
    return {m: Ratio.of(missed[asked & (months == m)], chance[asked & (months == m)]) for m in np.unique(months[asked])}


def _shown(held: str, month: Times, ratio: Ratio) -> dict[str, Any]:
    told = {"month": str(month), "side": held}
    if not cells.enough(ratio.rows):
        return told | {"rows": None, "observed": None, "expected": None, "ratio": None}
    rates = {"observed": ratio.observed / ratio.rows, "expected": ratio.expected / ratio.rows}
    return told | {"rows": ratio.rows, **rates, "ratio": ratio.observed / ratio.expected}


def _logistic(x: Floats, happened: Flags) -> tuple[float, float]:
    """Intercept and slope of a logistic regression, by Newton's method."""
    design, y = np.stack([np.ones_like(x), x], axis=1), happened.astype(np.float64)
    beta = np.array([float(logit(np.clip(y.mean(), 1e-4, 1 - 1e-4))), 0.0])
    for _ in range(STEPS):
        p = expit(design @ beta)
        information = design.T @ (design * (p * (1 - p))[:, None]) + 1e-6 * np.eye(2)
        beta = beta + np.linalg.solve(information, design.T @ (y - p))
    return float(beta[0]), float(beta[1])


def curves(params: Params, sides: Sides) -> dict[str, Any] | None:
    """By month, the share of loans that had ever been so many days past due, by their age; None without instalments."""
    days = params.label.dpd_days
    told = []
    for held, side in (("reference", sides.reference), ("batch", sides.batch)):
        if not side.book.is_known:
            continue
        grown = {k: months_on_book(side.book, days, k) for k in range(1, CURVE_MONTHS + 1)}
        for month in np.unique(side.vintage):
            shares = [_reached(grown[k], side.book.lent & (side.vintage == month)) for k in grown]
            if any(share is not None for share in shares):
                told.append({"month": str(month), "side": held, "shares": shares})
    named = {row["month"] for row in told if row["side"] == "batch"}
    kept = [row for row in told if row["side"] == "batch" or row["month"] not in named]
    return {"days": days, "months_on_book": list(range(1, CURVE_MONTHS + 1)), "vintages": kept} if kept else None


def _reached(grown: tuple[Flags, Floats], lent: Flags) -> float | None:
    """The share at one age of a month's loans; None where they are few, or not nearly all are that old."""
    old, hit = grown
    held: Codes = np.flatnonzero(old & lent)
    if not cells.enough(len(held)) or len(held) < GROWN * lent.sum():
        return None
    return float(hit[held].mean())

"""How a score treats groups of people: who is approved at a cut-off, who is wrongly refused, and whether PDs are true.

All figures of all groups come from sums over loans, so that one drawing of people gives every interval, and ratios of
groups keep theirs. Adverse impact ratio: approval of a group over that of the most approved group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from models.arrays import Codes, Flags, Floats
from models.discrimination import Estimate
from models.metrics import probability
from models.resampling import interval, resampled

SMALLEST = 10
"""A rate of fewer loans, or of loans of fewer people, is withheld."""
WHOLE = ("loans", "bads", "expected")
AT_CUT = ("approved", "bads_refused", "goods_refused")


@dataclass(frozen=True)
class Loans:
    """Scored loans of one side; approved at a cut-off are log-odds of bad up to it."""

    log_odds: Floats
    bad: Flags
    person: Codes

    def of(self, rows: Flags) -> "Loans":
        """Some of them."""
        return Loans(self.log_odds[rows], self.bad[rows], self.person[rows])


@dataclass(frozen=True)
class AtCut:
    """A group at one cut-off: approved, its ratio to the most approved group, and how often refusing it is right."""

    approval: Estimate
    impact_ratio: Estimate
    bads_refused: Estimate
    goods_refused: Estimate


@dataclass(frozen=True)
class Group:
    """A group's size, its bad loans for each one predicted, and its figures at each cut-off; none where too small."""

    people: int
    loans: int
    observed_expected: Estimate
    at: tuple[AtCut, ...]


def groups(
    loans: Loans,
    code: Codes,
    count: int,
    cuts: Sequence[float],
    *,
    confidence: float,
    resamples: int,
    seed: int,
) -> list[Group | None]:
    """The figures of groups 0 to `count` − 1; None for a group of fewer than ten people."""
    people = [len(np.unique(loans.person[code == g])) for g in range(count)]
    shown = [g for g in range(count) if people[g] >= SMALLEST]
    if not shown:
        return [None] * count
    inside = np.isin(code, shown)
    loans, code = loans.of(inside), code[inside]
    columns = _columns(loans, code, shown, cuts)
    plain = _figures(_sums(columns, np.ones((1, len(code)))), None)[0]
    best = np.argmax(plain[:, 1 : 1 + len(cuts)], axis=0)
    drawn = resampled(lambda w: _flat(_figures(_sums(columns, w), best)), loans.person, resamples, seed)
    drawn = drawn.reshape(len(drawn), len(shown), -1)
    sizes = _sums(columns, np.ones((1, len(code))))[0]
    value = _figures(_sums(columns, np.ones((1, len(code)))), best)[0]
    found: list[Group | None] = [None] * count
    for i, g in enumerate(shown):
        found[g] = _group(people[g], sizes[i], value[i], drawn[:, i], len(cuts), best == i, confidence)
    return found


def gaps(approved: Flags, code: Codes, count: int, weights: Floats) -> Floats:
    """How far groups are from being approved alike: one less the lowest approval over the highest, mean over cut-offs.

    `approved` is loans × cut-offs, `code` the group of each (0 to `count` − 1, others are passed over), `weights`
    samples × loans.
    """
    rates = []
    for g in range(count):
        here = code == g
        size = weights[:, here].sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates.append(np.einsum("sr,rc->sc", weights[:, here], approved[here].astype(np.float64)) / size)
    rate = np.stack(rates)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((1 - rate.min(axis=0) / rate.max(axis=0)).mean(axis=1), dtype=np.float64)


def _columns(loans: Loans, code: Codes, shown: Sequence[int], cuts: Sequence[float]) -> Floats:
    """What is summed: for each group shown, loans, bad ones and PDs, then at each cut-off approved and refused."""
    refused = loans.log_odds[:, None] > np.asarray(cuts)[None, :]
    bad, pd = loans.bad[:, None], probability(loans.log_odds)[:, None]
    parts = [np.ones_like(pd), bad, pd, ~refused, refused & bad, refused & ~bad]
    every = np.concatenate([part.astype(np.float64) for part in parts], axis=1)
    return np.stack([every * (code == g)[:, None] for g in shown], axis=1).reshape(len(code), -1, every.shape[1])


def _sums(columns: Floats, weights: Floats) -> Floats:
    """Samples × groups × what is summed; einsum adds in one fixed order, for every number of threads."""
    return np.asarray(np.einsum("sr,rgc->sgc", weights, columns), dtype=np.float64)


def _figures(sums: Floats, best: Codes | None) -> Floats:
    """Observed/expected, then approvals, impact ratios, bad refused and good refused, each for every cut-off."""
    rows, bads, expected = (sums[:, :, i : i + 1] for i in range(len(WHOLE)))
    approved, bad_out, good_out = np.split(sums[:, :, len(WHOLE) :], len(AT_CUT), axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        approval = approved / rows
        highest = approval if best is None else approval[:, best, np.arange(approval.shape[2])][:, None, :]
        parts = [bads / expected, approval, approval / highest, bad_out / bads, good_out / (rows - bads)]
        return np.concatenate(parts, axis=2)


def _flat(figures: Floats) -> Floats:
    return figures.reshape(len(figures), -1)


def _group(
    people: int, sizes: Floats, value: Floats, drawn: Floats, cuts: int, is_best: Flags, confidence: float
) -> Group:
    loans, bads = int(sizes[0]), int(sizes[1])
    of = {"approval": loans, "impact_ratio": 0, "bads_refused": bads, "goods_refused": loans - bads}

    def figure(name: str, cut: int) -> Estimate:
        at = 1 + list(of).index(name) * cuts + cut
        if name == "impact_ratio":
            return Estimate(1.0) if is_best[cut] else interval(float(value[at]), drawn[:, at], confidence)
        return _share(float(value[at]), drawn[:, at], of[name], confidence)

    at = tuple(AtCut(**{name: figure(name, cut) for name in of}) for cut in range(cuts))
    true = interval(float(value[0]), drawn[:, 0], confidence) if sizes[1] else Estimate(float(value[0]))
    return Group(people, loans, true, at)


def _share(value: float, drawn: Floats, loans: int, confidence: float) -> Estimate:
    """A share with its bootstrap interval; Wilson's where no drawing moves it, as when all are approved."""
    if loans < SMALLEST:
        return Estimate(None)
    found = interval(value, drawn, confidence)
    if found.low is None:
        wilson = binomtest(round(value * loans), loans).proportion_ci(confidence, method="wilson")
        return Estimate(value, float(wilson.low), float(wilson.high))
    return found

"""The counterfactual: the smallest change in what an applicant can change that reaches the next band.

What is changed are *measures*, each over all its windows at once: who tops up more evenly does so in the last week and
in the last quarter, so the windows of one measure move together, each by the same step on its own scale. A step is a
distance on the bent scale of the linear part (`saakh.linear.transformed`): quartile ranges near the middle, logarithmic
far from it. Values stay within the usual range, whole where the unit counts, and never move for the worse.

The fewest measures are changed, up to three, and of these choices the one of the least sum of steps is taken. The
search is exhaustive over the steps in `STEPS`: single changes and pairs are reckoned exactly, triples by a bound that
can only be too hopeful, and whatever is returned was scored again by the model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Literal

import numpy as np

from saakh.linear import transformed
from saakh.spec import FeatureSpec
from saakh.trees import Array

if TYPE_CHECKING:
    from saakh.scorecard import Scorecard

STEPS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
MEASURES_MOST = 3
WHOLE_UNITS = frozenset({"count", "0 or 1", "level"})
SCORED_TOGETHER = 256
ROUNDING = 1e-6
"""Points by which a bound may fall short of a score through rounding."""
CLEARLY = 1e-9
"""Points by which a band must be reached, so that no other way of adding up falls short of it."""
Outcome = Literal["found", "none", "best"]


@dataclass(frozen=True, slots=True)
class Change:
    """One input's part in a counterfactual: its value now and then."""

    feature: str
    description: str
    unit: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The smallest change that reaches the next band, scored by the model itself.

    `outcome`: `found`; `none`: no change of up to three measures within what is usual reaches it; `best`: there is no
    band above. `band` is the one reached, which may lie beyond the next; under `none` the one that is not, under `best`
    the applicant's own. `points` is the score after the change, `measures` what is changed and `steps` by how much in
    all. `changes` holds each input that moves.
    """

    outcome: Outcome
    band: str
    points: float
    measures: tuple[str, ...] = ()
    steps: float = 0.0
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, eq=False)
class Moves:
    """Every single change: the measure [m] and the step [m] of each, and the inputs it leads to [m, features]."""

    measure: Array
    step: Array
    x: Array
    names: tuple[str, ...]


def search(card: "Scorecard", x: Array, withheld: frozenset[int]) -> Counterfactual:
    """The counterfactual of inputs [features], missing or withheld as NaN."""
    now = _points(card, x[None], withheld)[0]
    above = [b for b in reversed(card.manifest.bands) if b.from_points is not None and b.from_points > now]
    if not above:
        return Counterfactual("best", card.manifest.bands[0].name, now)
    need = float(above[0].from_points or 0.0)
    moves = moves_of(card, x)
    for chosen in _candidates(card, x, withheld, moves, need - now):
        after = joined(x, moves, chosen)
        points = _points(card, after, withheld)
        reached = np.flatnonzero(points >= need + CLEARLY)
        if len(reached):
            best = int(reached[0])
            return _told(card, x, after[best], float(points[best]), moves, chosen[best])
    return Counterfactual("none", above[0].name, now)


def moves_of(card: "Scorecard", x: Array) -> Moves:
    """The single changes open to an applicant, measure by measure, each by its steps from the least."""
    by_measure: dict[str, list[int]] = {}
    for i, spec in enumerate(card.manifest.features):
        if spec.actionable and card.manifest.input_policy[i].usual and not np.isnan(x[i]):
            by_measure.setdefault(spec.measure, []).append(i)
    measure, step, found = [], [], []
    for number, inputs in enumerate(by_measure.values()):
        for way in _ways(card.manifest.features[inputs[0]]):
            at = x
            for size in STEPS:
                after = _moved(card, x, inputs, way, size)
                if not (after[inputs] == at[inputs]).all():  # a step that rounds to the one before changes nothing
                    measure.append(number)
                    step.append(size)
                    found.append(after)
                    at = after
    rows = np.array(found).reshape(-1, len(x))
    return Moves(np.array(measure, int), np.array(step, float), rows, tuple(by_measure))


def joined(x: Array, moves: Moves, chosen: Array) -> Array:
    """The inputs after several changes at once: `chosen` [rows, changes] are numbers of moves."""
    out = np.repeat(x[None], len(chosen), axis=0)
    for column in chosen.T:
        after = moves.x[column]
        out = np.where((after != x) & ~np.isnan(after), after, out)
    return out


def _ways(spec: FeatureSpec) -> tuple[int, ...]:
    """Which way the measure may move: against its declared risk; where none is declared, either."""
    return (-spec.risk,) if spec.risk else (-1, 1)


def _moved(card: "Scorecard", x: Array, inputs: Sequence[int], way: int, size: float) -> Array:
    """The inputs with these moved by a step, within the usual range; one that is beyond it already stays."""
    after = x.copy()
    for i in inputs:
        usual = card.manifest.input_policy[i].usual
        if usual is None or (x[i] >= usual[1] if way > 0 else x[i] <= usual[0]):
            continue
        center, scale = scale_of(card, i, usual)
        bent = transformed(np.array([x[i]]), np.array([center]), np.array([scale]))[0]
        value = center + scale * float(np.sinh(bent + way * size))
        if card.manifest.features[i].unit in WHOLE_UNITS:
            value = float(np.ceil(value - ROUNDING) if way > 0 else np.floor(value + ROUNDING))
        after[i] = min(max(value, usual[0]), usual[1])
    return after


def scale_of(card: "Scorecard", i: int, usual: tuple[float, float]) -> tuple[float, float]:
    """The centre and the unit an input's steps are measured in: the linear part's, else of its usual range."""
    linear = card.model.linear
    place = int(np.searchsorted(linear.feature, i))
    if place < len(linear.feature) and linear.feature[place] == i:
        return float(linear.center[place]), float(linear.scale[place])
    return (usual[0] + usual[1]) / 2, (usual[1] - usual[0]) / 2 or 1.0


def _candidates(card: "Scorecard", x: Array, withheld: frozenset[int], moves: Moves, need: float) -> Iterator[Array]:
    """Blocks [rows, changes] of what may reach `need` more points: the fewest changes first, then the least steps."""
    if not len(moves.step):
        return
    gain, extra = gains(card, x, withheld, moves)
    slack = third(card, moves)
    for count in range(1, MEASURES_MOST + 1):
        for sizes in _by_sum(count):
            found = _reaching(moves, gain, extra, slack, need, sizes)
            for start in range(0, len(found), SCORED_TOGETHER):
                yield found[start : start + SCORED_TOGETHER]


def _by_sum(count: int) -> list[list[tuple[float, ...]]]:
    """All sizes that so many changes may have, those of one sum together, by rising sum."""
    by_sum: dict[float, list[tuple[float, ...]]] = {}
    for sizes in product(STEPS, repeat=count):
        by_sum.setdefault(sum(sizes), []).append(sizes)
    return [by_sum[total] for total in sorted(by_sum)]


def _reaching(
    moves: Moves, gain: Array, extra: Array, slack: Array, need: float, sizes: Sequence[tuple[float, ...]]
) -> Array:
    """Choices of moves of these sizes that may reach `need`, the most hopeful first."""
    count, parts, hopes = len(sizes[0]), [], []
    widest = float(extra.max(initial=0.0)) * (count * (count - 1) / 2)
    widest += float(slack.max(initial=0.0)) if count > 2 else 0.0
    for chosen_sizes in sizes:
        of = [np.flatnonzero(moves.step == size) for size in chosen_sizes]
        best = [gain[some].max(initial=-np.inf) for some in of]
        if sum(best) + widest < need - ROUNDING:
            continue
        # A move too small even beside the best of the others is no part of any choice.
        of = [s[gain[s] + sum(best) - best[k] + widest >= need - ROUNDING] for k, s in enumerate(of)]
        grid = np.stack([g.ravel() for g in np.meshgrid(*of, indexing="ij")], axis=1)
        grid = grid[(np.diff(moves.measure[grid], axis=1) > 0).all(axis=1)]
        hope = gain[grid].sum(axis=1) + sum(extra[grid[:, a], grid[:, b]] for a, b in combinations(range(count), 2))
        may = hope + (slack[tuple(moves.measure[grid].T)] if count > 2 else 0.0) >= need - ROUNDING
        parts.append(grid[may])
        hopes.append(hope[may])
    if not parts:
        return np.zeros((0, count), int)
    found, hope = np.concatenate(parts), np.concatenate(hopes)
    return found[np.argsort(-hope, kind="stable")]


def gains(card: "Scorecard", x: Array, withheld: frozenset[int], moves: Moves) -> tuple[Array, Array]:
    """Points that each move earns alone [m], and what two of different measures earn beyond their sum [m, m].

    Only trees that two moves both turn make a difference. The answers a move turns are bits of its own features, so
    two moves turn what each turns.
    """
    lookup, answers = card.model.lookup, card.model.lookup.answers(withheld)
    before, after = lookup.patterns(x), lookup.patterns(moves.x)
    turned = after ^ before
    unit = -card.manifest.scale.factor * card.manifest.calibration.slope
    alone, at_rest = answers.each(after), answers.each(before)
    straight = card.model.linear.effects_of(moves.x).sum(axis=1) - card.model.linear.effects_of(x).sum()
    gain = (alone.sum(axis=1) - at_rest.sum() + straight) * unit
    extra = np.zeros((len(gain), len(gain)))
    for tree in np.flatnonzero((turned != 0).sum(axis=0) > 1):
        some = np.flatnonzero(turned[:, tree])
        bits = turned[some, tree]
        both = answers.values.take((before[tree] ^ bits[:, None] ^ bits) + answers.value_at[tree])
        rest = alone[some, tree]
        extra[np.ix_(some, some)] += (both - rest[:, None] - rest + at_rest[tree]) * unit
    extra[moves.measure[:, None] == moves.measure] = 0.0
    return gain, extra


def third(card: "Scorecard", moves: Moves) -> Array:
    """By measures [a, b, c], rising: the most points that changing all earns beyond what singles and pairs earn.

    Only trees that ask for all three add to it, each four times its range at most: of the eight values it is reckoned
    from, four count for and four against.
    """
    trees, place = card.model.trees, {name: n for n, name in enumerate(moves.names)}
    out = np.zeros((len(place),) * 3)
    if not len(trees.feature):
        return out
    of = np.array([place.get(spec.measure, -1) for spec in card.manifest.features])[trees.feature]
    most = 4 * card.manifest.scale.factor * card.manifest.calibration.slope * trees.spread
    for start, splits, points in zip(trees.split_start.tolist(), trees.splits.tolist(), most.tolist(), strict=True):
        for triple in combinations(sorted(set(of[start : start + splits].tolist()) - {-1}), 3):
            out[triple] += points
    return out


def _points(card: "Scorecard", rows: Array, withheld: frozenset[int]) -> Array:
    raw = card.model.log_odds(rows, withheld)
    calibration, scale = card.manifest.calibration, card.manifest.scale
    return np.asarray(scale.offset - scale.factor * (raw * calibration.slope + calibration.intercept))


def _told(card: "Scorecard", x: Array, after: Array, points: float, moves: Moves, chosen: Array) -> Counterfactual:
    specs = card.manifest.features
    changes = tuple(
        Change(specs[i].name, specs[i].description, specs[i].unit, float(x[i]), float(after[i]))
        for i in np.flatnonzero((after != x) & ~np.isnan(x)).tolist()
    )
    band = next(b.name for b in card.manifest.bands if b.from_points is None or b.from_points <= points)
    measures = tuple(moves.names[m] for m in moves.measure[chosen].tolist())
    return Counterfactual("found", band, points, measures, float(moves.step[chosen].sum()), changes)

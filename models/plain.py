"""A model walked the plain way, split by split: slow, short, and nothing it shares with the runtime but the arrays."""

import numpy as np

from models.arrays import Flags, Floats
from saakh.linear import FAR, REACH, Linear
from saakh.trees import Trees

ZERO = float(np.float32(1e-35))


def trees_log_odds(trees: Trees, x: Floats, refused: Flags) -> Floats:
    """The sum of the trees [rows]; at a split on a refused input [rows, features], both sides by their covers."""
    total = np.zeros(len(x))
    for splits, first, leaf in zip(trees.splits, trees.split_start, trees.leaf_start, strict=True):
        nodes = np.zeros((2 * splits + 1, len(x)))
        nodes[splits:] = trees.value[leaf : leaf + splits + 1, None]
        cover = np.concatenate((np.zeros(splits), trees.cover[leaf : leaf + splits + 1]))
        for split in reversed(range(splits)):  # a child comes after its parent
            at = first + split
            left, right = (c if c >= 0 else splits + ~c for c in (int(trees.left[at]), int(trees.right[at])))
            cover[split] = cover[left] + cover[right]
            mixed = (cover[left] * nodes[left] + cover[right] * nodes[right]) / cover[split]
            taken = np.where(_goes_left(trees, at, x), nodes[left], nodes[right])
            nodes[split] = np.where(refused[:, trees.feature[at]], mixed, taken)
        total += nodes[0]
    return total


def linear_effects(linear: Linear, x: Floats, refused: Flags) -> Floats:
    """What the linear part adds for each input [rows, features]."""
    out = np.zeros(x.shape)
    columns = zip(linear.feature, linear.center, linear.scale, linear.coefficient, linear.mean, strict=True)
    for feature, center, scale, coefficient, mean in columns:
        z = (x[:, feature] - center) / scale
        part = np.tanh(np.arcsinh(np.clip(z, -FAR, FAR)) / 8)  # whose inverse is the series, cut off
        bent = np.clip(8 * (part + part**3 / 3 + part**5 / 5), -REACH, REACH)
        is_known = ~(np.isnan(bent) | refused[:, feature])
        out[:, feature] = np.where(is_known, coefficient * (bent - mean), 0.0)
    return out


def _goes_left(trees: Trees, at: int, x: Floats) -> Flags:
    value = x[:, trees.feature[at]]
    is_missing = np.isnan(value) | ((np.abs(value) <= ZERO) & bool(trees.zero_is_missing[at]))
    return np.where(is_missing, bool(trees.missing_left[at]), value <= trees.threshold[at])

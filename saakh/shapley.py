"""Exact Shapley values of small trees, worked out once for every pattern of answers a tree's splits can give.

The answers to a tree's k splits form one of 2^k patterns, and both the tree's value and its path-dependent Shapley
values (Lundberg et al. 2020, TreeSHAP with cover weights) depend on the pattern alone. A leaf's share of the game is a
product over the features on its path: `v · Π (o if known else z)`, with `o` whether the answers lead towards the leaf
and `z` the part of the training rows that went that way. Its Shapley value for feature i is
`v · (o_i − z_i) · ∫ Π_{j≠i} (o_j t + z_j (1 − t)) dt` over 0..1, a polynomial of degree six at most, which four Gauss
points integrate exactly.

An input may be *refused*: then it is never known, whatever the rest of the game. On each leaf its factor is its z for
good, so the leaf's value takes it up (rounded to the grid), the answers to its splits are never asked, and its own
Shapley value is 0.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from saakh.grid import rounded
from saakh.runs import distinct, starts
from saakh.trees import Array, Trees

_NEAR, _FAR = sqrt(3 / 7 - 2 / 7 * sqrt(6 / 5)), sqrt(3 / 7 + 2 / 7 * sqrt(6 / 5))
GAUSS_POINTS = (np.array([-_FAR, -_NEAR, _NEAR, _FAR]) + 1) / 2
GAUSS_WEIGHTS = np.array([18 - sqrt(30), 18 + sqrt(30), 18 + sqrt(30), 18 - sqrt(30)]) / 72


class Group(NamedTuple):
    """Trees that all have k splits: all that tables are made of. `tree` [t] says which trees these are.

    `feature` [t, k] is the input each split asks, and `value` [t, leaf] what each leaf gives. Of each leaf and split
    [t, leaf, k], `weight` is the part of the split's training rows that went the leaf's way, `asked` the bit of the
    split where it is on the leaf's path, `wanted` that bit where it must be 1. Bit j of a pattern answers split j.
    """

    tree: Array
    feature: Array
    value: Array
    weight: Array
    asked: Array
    wanted: Array

    def rows(self, where: Array) -> "Group":
        """Some of the trees."""
        return Group(*(part[where] for part in self))


class Effects(NamedTuple):
    """Shapley values of a `Group`, in log-odds: row by row, `effect` [r, 2^k] of the input `feature` [r].

    `owner` [r] is the tree, by its place in the group.
    """

    owner: Array
    feature: Array
    effect: Array


def groups(trees: Trees, flipped: Array) -> list[Group]:
    """All trees, grouped by their number of splits; `flipped` marks the splits whose bit is 1 when it goes right."""
    return [_group(trees, flipped, k) for k in distinct(trees.splits)]


def _group(trees: Trees, flipped: Array, splits: int) -> Group:
    tree = np.flatnonzero(trees.splits == splits)
    at = trees.split_start[tree][:, None] + np.arange(splits)
    leaf = trees.leaf_start[tree][:, None] + np.arange(splits + 1)
    left, right = (np.where(c[at] >= 0, c[at], splits + ~c[at]) for c in (trees.left, trees.right))
    side = _paths(left, right)
    weight = _weights(side, left, right, trees.cover[leaf])
    return Group(tree, trees.feature[at], trees.value[leaf], weight, *_masks(side, flipped[at]))


def mean(group: Group) -> Array:
    """What each tree gives when all its inputs are refused: its leaves by their cover [t]."""
    if not group.feature.shape[1]:
        return np.asarray(group.value[:, 0])
    return np.asarray(_averaged(group.value, group.weight).sum(axis=1))


def without(group: Group, refused: Array) -> Group:
    """The trees when inputs are `refused` [inputs]: their splits are asked no more, leaf values take up the weights."""
    gone = refused[group.feature][:, None]
    weight, asked, wanted = (
        np.where(gone, to, part) for part, to in ((group.weight, 1.0), (group.asked, 0), (group.wanted, 0))
    )
    value = _averaged(group.value, np.where(gone, group.weight, 1.0))
    return Group(group.tree, group.feature, value, weight, asked, wanted)


def values(group: Group) -> Array:
    """What each tree gives for each pattern of answers [t, 2^k]."""
    patterns = np.arange(1 << group.feature.shape[1])
    reached = (patterns & group.asked.sum(axis=2)[..., None]) == group.wanted.sum(axis=2)[..., None]
    return np.asarray((group.value[..., None] * reached).sum(axis=1))


def effects(group: Group) -> Effects:
    """The Shapley values for each pattern of answers.

    Splits on the same feature share a slot, that of the first: their weights multiply and their masks join.
    """
    feature, splits = group.feature, group.feature.shape[1]
    first = (feature[:, :, None] == feature[:, None, :]).argmax(axis=2) if splits else feature
    same = (first[:, None, :, None] == np.arange(splits)).astype(np.int64)
    shares = np.prod(np.where(same, group.weight[..., None], 1.0), axis=2)
    asks, wants = (
        np.einsum("tls,tlsk->tlk", mask, np.broadcast_to(same, (*group.weight.shape, splits)))
        for mask in (group.asked, group.wanted)
    )
    depth = (asks != 0).sum(axis=2)
    parts = [_of_depth(depth == d, d, group.value, shares, asks, wants) for d in distinct(depth) if d]
    if not parts:
        none = np.zeros(0, np.intp)
        return Effects(none, none, np.zeros((0, 1 << splits)))
    place, effect = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    rows, summed = _sum_by(place, effect)
    owner, slot = rows // splits, rows % splits
    return Effects(owner, feature[owner, slot], summed)


def _averaged(value: Array, weight: Array) -> Array:
    """Leaf values [tree, leaf] times the weights of their splits, on the grid."""
    share = np.ones(value.shape)
    for split in range(weight.shape[2]):  # one after the other, so that who multiplies elsewhere gets the same bits
        share *= weight[..., split]
    return rounded(value * share)


def _paths(left: Array, right: Array) -> Array:
    """[tree, leaf, split]: 1 where the path to the leaf goes left at the split, −1 right, 0 where it does not pass."""
    count, splits = left.shape
    rows = np.arange(count)
    side = np.zeros((count, 2 * splits + 1, splits), np.int8)
    for split in range(splits):
        for child, way in ((left, 1), (right, -1)):
            side[rows, child[:, split]] = side[:, split]
            side[rows, child[:, split], split] = way
    return side[:, splits:]


def _weights(side: Array, left: Array, right: Array, cover: Array) -> Array:
    """[tree, leaf, split]: the part of the split's training rows that went the leaf's way; 1 off the path."""
    count, splits = left.shape
    rows = np.arange(count)
    total = np.concatenate((np.zeros((count, splits)), cover), axis=1)
    for split in reversed(range(splits)):
        total[:, split] = total[rows, left[:, split]] + total[rows, right[:, split]]
    to_left, to_right = (np.take_along_axis(total, c, axis=1) / total[:, :splits] for c in (left, right))
    return np.where(side == 1, to_left[:, None], np.where(side == -1, to_right[:, None], 1.0))


def _masks(side: Array, flipped: Array) -> tuple[Array, Array]:
    """[tree, leaf, split]: the bit of each split on a leaf's path, and that bit where its answer must be 1."""
    bit = 1 << np.arange(side.shape[2])
    return (side != 0) * bit, ((side != 0) & ((side == 1) ^ flipped[:, None])) * bit


def _sum_by(place: Array, effect: Array) -> tuple[Array, Array]:
    """The distinct places in order, and the sum of the rows of each (much faster here than `reduceat` down columns)."""
    order = np.argsort(place, kind="stable")
    begin = starts(place[order])
    counts = np.diff(begin, append=len(order))
    total = effect[order[begin]]
    for rank in range(1, counts.max()):
        more = np.flatnonzero(counts > rank)
        total[more] += effect[order[begin[more] + rank]]
    return place[order[begin]], total


def _of_depth(here: Array, depth: int, value: Array, shares: Array, asks: Array, wants: Array) -> tuple[Array, Array]:
    """The place (tree · splits + slot) and the effects [place, pattern] of each feature of the leaves marked `here`."""
    tree, leaf = np.nonzero(here)
    slot = np.nonzero(asks[tree, leaf])[1].reshape(-1, depth)
    at = (tree[:, None], leaf[:, None], slot)
    patterns = np.arange(1 << asks.shape[2])
    met = (patterns & asks[at][..., None]) == wants[at][..., None]
    local = (met * (1 << np.arange(depth))[:, None]).sum(axis=1)
    table = _leaf_table(value[tree, leaf], shares[at])
    effect = np.take_along_axis(table, local[:, None], axis=2)
    return (tree[:, None] * asks.shape[2] + slot).ravel(), effect.reshape(-1, len(patterns))


def _leaf_table(value: Array, share: Array) -> Array:
    """[leaf, feature, which features point towards the leaf]: Shapley values of single leaves of one depth."""
    depth = share.shape[1]
    towards = (np.arange(1 << depth)[:, None] >> np.arange(depth)) & 1
    away = share[..., None] * (1 - GAUSS_POINTS)
    factor = np.where(towards[..., None], (away + GAUSS_POINTS)[:, None], away[:, None])
    others = np.prod(factor, axis=2)[:, :, None] / factor
    integral = others @ GAUSS_WEIGHTS
    return np.swapaxes(value[:, None, None] * (towards - share[:, None]) * integral, 1, 2)

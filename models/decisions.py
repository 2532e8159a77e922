"""A scorecard's trees as nested questions, refusals among them: what trees are written from for other languages.

Where an input is refused, both sides of its split are followed, each weighed by its share of the training rows. A sum
of two is no tree, but an ensemble is a sum already: so a tree becomes a few trees, which first ask what was refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import prod

from saakh.grid import rounded
from saakh.trees import Trees


@dataclass(frozen=True, slots=True)
class Split:
    """Asks an input: `left` when it is at most `threshold`, or missing and `missing_left`; else `right`.

    Where `zero_is_missing`, values within 1e-35 of zero are missing too.
    """

    feature: int
    threshold: float
    missing_left: bool
    zero_is_missing: bool
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Refused:
    """Asks whether a category of consent was refused."""

    category: int
    closed: "Node"
    open: "Node"


Node = float | Split | Refused
"""A leaf is its value, in log-odds of bad."""


def decisions(trees: Trees, category: Sequence[int]) -> list[Node]:
    """Nodes whose values add up to what the trees say, to the bit; `category` has the number of each input's."""
    return [
        node
        for splits, first, leaf in zip(trees.splits.tolist(), trees.split_start, trees.leaf_start, strict=True)
        for node in _Tree(trees, category, splits, int(first), int(leaf)).sums(0 if splits else -1, {}, {})
    ]


class _Tree:
    """One of the trees: nodes from 0 are its splits, and −1 − leaf its leaves."""

    def __init__(self, trees: Trees, category: Sequence[int], splits: int, first: int, leaf: int) -> None:
        self._category = category
        here, leaves = slice(first, first + splits), slice(leaf, leaf + splits + 1)
        names = ("feature", "threshold", "missing_left", "zero_is_missing", "left", "right")
        self._splits = list(zip(*(getattr(trees, name)[here].tolist() for name in names), strict=True))
        self._value, self._cover = trees.value[leaves].tolist(), trees.cover[leaves].tolist()

    def sums(self, node: int, refused: Mapping[int, bool], shares: Mapping[int, float]) -> list[Node]:
        """What a node comes to, as a sum; `refused` is what is known by now, `shares` those of the splits on the way.

        They are multiplied in the order of splits and rounded to the grid, as the runtime does.
        """
        if node < 0:
            share = prod(shares[split] for split in sorted(shares))
            return [float(rounded(self._value[-1 - node] * share)) if shares else self._value[-1 - node]]
        feature, threshold, missing_left, zero_is_missing, left, right = self._splits[node]
        category = self._category[feature]
        if category not in refused:
            closed, open_ = (self.sums(node, {**refused, category: it}, shares) for it in (True, False))
            return _paired(lambda a, b: Refused(category, a, b), closed, open_)
        if refused[category]:
            rows = [self._rows(child) for child in (left, right)]
            ways = [{**shares, node: part / sum(rows)} for part in rows]
            return _added(*(self.sums(c, refused, way) for c, way in zip((left, right), ways, strict=True)))
        sides = (self.sums(child, refused, shares) for child in (left, right))
        return _paired(lambda a, b: Split(feature, threshold, bool(missing_left), bool(zero_is_missing), a, b), *sides)

    def _rows(self, node: int) -> int:
        if node < 0:
            return int(self._cover[-1 - node])
        return sum(self._rows(child) for child in self._splits[node][4:])


def _added(one: list[Node], other: list[Node]) -> list[Node]:
    """Both sums together, their leaves as one."""
    nodes: list[Node] = [node for node in (*one, *other) if not isinstance(node, float)]
    leaves = [node for node in (*one, *other) if isinstance(node, float)]
    return [*nodes, sum(leaves)] if leaves else nodes


def _paired(asked: Callable[[Node, Node], Node], one: list[Node], other: list[Node]) -> list[Node]:
    """A question for each pair of terms of two sums; none where both sides are the same."""
    return [a if a == b else asked(a, b) for a, b in zip_longest(one, other, fillvalue=0.0)]

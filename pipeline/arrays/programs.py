"""Expressions of declarations as programs over columns in memory: each operation once, whoever asks for it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeAlias

import ibis.expr.operations as ops

from pipeline.arrays.columns import Column, UnfitError
from pipeline.arrays.functions import FUNCTIONS, Function, literal
from pipeline.arrays.refused import refuse

Leaf: TypeAlias = "str | ops.Reduction"
"""What a program is given: a column by its name, or what a reduction came to."""


class Program:
    """The values of some expressions, computed together; an `UnfitError` when one has an operation not known here."""

    def __init__(self, wanted: Iterable[ops.Node], reduced: Collection[ops.Reduction] = ()) -> None:
        self._slots: dict[ops.Node | str, int] = {}
        self._count = 0
        self._leaves: list[tuple[int, Leaf]] = []
        self._literals: list[tuple[int, Column]] = []
        self._steps: list[tuple[int, Function, ops.Node, tuple[int | None, ...]]] = []
        self._wanted = [self._slot(node, frozenset(reduced)) for node in wanted]
        self._done = self._last_reads()

    def run(self, given: Callable[[Leaf], Column]) -> list[Column]:
        """The expressions' values, of columns and reductions as they are `given`."""
        slots: dict[int | None, Column | None] = {None: None, **dict(self._literals)}
        slots |= {slot: given(leaf) for slot, leaf in self._leaves}
        for (slot, function, node, args), done in zip(self._steps, self._done, strict=True):
            slots[slot] = function(node, *(slots[arg] for arg in args))
            for last in done:  # large, and read no more
                slots[last] = None
        found = (slots[slot] for slot in self._wanted)
        return [column for column in found if column is not None]

    def _last_reads(self) -> list[list[int]]:
        """What is read by each step and by none after it."""
        seen = set(self._wanted)
        done: list[list[int]] = []
        for *_, args in reversed(self._steps):
            last = {arg for arg in args if arg is not None} - seen
            seen |= last
            done.append(sorted(last))
        return done[::-1]

    def _slot(self, node: ops.Node, reduced: frozenset[ops.Reduction]) -> int:
        """Where a node's value will be."""
        if isinstance(node, ops.Field):
            if isinstance(node.rel, ops.Project):
                return self._slot(node.rel.values[node.name], reduced)
            return self._leaf(node.name)
        if node not in self._slots:
            self._add(node, reduced)
        return self._slots[node]

    def _leaf(self, leaf: Leaf) -> int:
        if leaf not in self._slots:
            self._leaves.append((self._new(leaf), leaf))
        return self._slots[leaf]

    def _add(self, node: ops.Node, reduced: frozenset[ops.Reduction]) -> None:
        if isinstance(node, ops.Reduction) and node in reduced:
            self._leaf(node)
        elif isinstance(node, ops.Literal):
            value = literal(node)
            self._literals.append((self._new(node), value))
        elif type(node) in FUNCTIONS:
            refuse(node)
            args = tuple(None if arg is None else self._slot(arg, reduced) for arg in _arguments(node))
            self._steps.append((self._new(node), FUNCTIONS[type(node)], node, args))
        else:
            raise UnfitError(f"{type(node).__name__} is not known in arrays")

    def _new(self, node: ops.Node | str) -> int:
        self._slots[node] = self._count
        self._count += 1
        return self._slots[node]


class Atoms:
    """What some reductions are taken of: the value and the condition of each, computed together."""

    def __init__(self, nodes: Sequence[ops.Reduction]) -> None:
        self.nodes = tuple(nodes)
        self._args = [None if isinstance(node, ops.CountStar) else node.arg for node in nodes]
        self._wheres = [node.where for node in nodes]
        self._program = Program(node for node in (*self._args, *self._wheres) if node is not None)

    def run(self, given: Callable[[Leaf], Column]) -> list[tuple[ops.Reduction, Column | None, Column | None]]:
        """Each reduction, its values (None: it counts rows), and where they count (None: everywhere)."""
        found = iter(self._program.run(given))
        args = [None if node is None else next(found) for node in self._args]
        wheres = [None if node is None else next(found) for node in self._wheres]
        return list(zip(self.nodes, args, wheres, strict=True))


def _arguments(node: ops.Node) -> Sequence[ops.Node | None]:
    """A node's operands, in the order its function takes them; a bound that is not set is None."""
    found: list[ops.Node | None] = []
    for arg in node.args:
        if isinstance(arg, ops.Node) or (arg is None and isinstance(node, ops.Clip)):
            found.append(arg)
        elif isinstance(arg, tuple):
            found += [item for item in arg if isinstance(item, ops.Node)]
    return found

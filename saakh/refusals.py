"""Refusals: which inputs an applicant withholds by refusing categories of consent, and who withholds the same."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from saakh.errors import ContractError
from saakh.spec import FeatureSpec
from saakh.trees import Array


class Refusals:
    """The categories of consent that a scorecard's inputs belong to."""

    def __init__(self, specs: tuple[FeatureSpec, ...]) -> None:
        members: dict[str, list[int]] = {}
        for i, spec in enumerate(specs):
            members.setdefault(spec.category, []).append(i)
        self.categories = tuple(sorted(members))
        self._members = members

    def inputs(self, refused: Collection[str]) -> frozenset[int]:
        """The numbers of the inputs in the refused categories; one that no input belongs to is a `ContractError`."""
        if not refused:
            return frozenset()
        if isinstance(refused, str) or not isinstance(refused, Collection):
            raise ContractError(f"`refused` is a set of categories of consent; this is a {type(refused).__name__}")
        if unknown := sorted(str(c)[:60] for c in refused if c not in self._members):
            raise ContractError(
                f"no input belongs to the refused category {', '.join(unknown[:10])}; this scorecard reads "
                f"{', '.join(self.categories)}"
            )
        return frozenset(i for category in refused for i in self._members[category])

    def groups(self, refused: Sequence[Collection[str]] | None, rows: int) -> Iterator[tuple[Array, frozenset[int]]]:
        """The rows that withhold the same inputs, and these inputs; `refused` has a set of categories for each row."""
        if refused is None:
            yield np.arange(rows), frozenset()
            return
        if isinstance(refused, str) or not isinstance(refused, Sequence) or len(refused) != rows:
            raise ContractError(f"`refused` has one set of categories for each of {rows:,} rows, or is None")
        together: dict[frozenset[int], list[int]] = {}
        for row, categories in enumerate(refused):
            together.setdefault(self.inputs(categories), []).append(row)
        for withheld, members in together.items():
            yield np.array(members), withheld

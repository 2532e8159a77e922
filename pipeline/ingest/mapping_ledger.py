"""Where a drop's consent ledger is, and what its words mean: the mapping's `ledger`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from features.columns import Category
from pipeline.ingest.mapping_parts import Names, Part, Patterns
from pipeline.ledger.terms import Vocabulary
from pipeline.params import Purpose


def _spelled(values: Any) -> Any:
    """Codes of a map as text: YAML reads 101 as a number. One meaning may stand without a list."""
    if not isinstance(values, dict):
        return values
    return {str(key): [value] if isinstance(value, str) else value for key, value in values.items()}


class Ledger(Part):
    """Files of consent artefacts and status notices in the shape of the Account Aggregator schema."""

    files: Patterns = Field(min_length=1)
    categories: Annotated[Mapping[str, tuple[Category, ...]], BeforeValidator(_spelled)] = Field(default_factory=dict)
    purposes: Annotated[Mapping[str, tuple[Purpose, ...]], BeforeValidator(_spelled)] = Field(default_factory=dict)
    consumers: Names = ()
    identifier: str | None = None

    @property
    def words(self) -> Vocabulary:
        """The meaning of the ledger's words."""
        return Vocabulary(
            {kind: frozenset(c.value for c in meant) for kind, meant in self.categories.items()},
            {code: frozenset(meant) for code, meant in self.purposes.items()},
            frozenset(self.consumers),
            self.identifier,
        )

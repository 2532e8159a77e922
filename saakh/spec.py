"""What a feature is to everyone downstream: a name, a meaning, a range, a direction and a reason.

`features` and `models` never import each other; they meet here, and the scorecard carries these specs.
"""

import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from saakh.errors import ArtifactError

Family = Literal["identity", "life_stage", "lifestyle", "social", "brand"]
FAMILIES: tuple[Family, ...] = ("identity", "life_stage", "lifestyle", "social", "brand")


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One model input.

    `risk` is the declared effect on the log-odds of bad as the value grows: +1 rises, -1 falls, 0 undeclared.
    `low` and `high` bound what is possible (None: unbounded). `window_days` None means all consented history.
    `fingerprint` is the SHA-256 of the definition: it changes when, and only when, the meaning may have. `reason` is
    what an applicant is told of the input itself, `code` the reason code it is told under with others of one behaviour
    (empty: one of its own). `actionable` says whether the applicant can change it, and may fairly be told to.
    """

    name: str
    description: str
    family: Family
    table: str
    category: str
    unit: str
    risk: Literal[-1, 0, 1]
    reason: str
    fingerprint: str
    window_days: int | None = None
    low: float | None = None
    high: float | None = None
    sensitivity: str = "ordinary"
    code: str = ""
    actionable: bool = False

    @property
    def reason_code(self) -> str:
        """The reason code: the one declared, else one made of the words of the reason."""
        return self.code or re.sub(r"[^a-z0-9]+", "-", self.reason.lower()).strip("-")

    @property
    def measure(self) -> str:
        """What is measured, whatever the window: the name without its window."""
        return self.name if self.window_days is None else self.name.removesuffix(f"_{self.window_days}d")

    def as_dict(self) -> dict[str, Any]:
        """The spec as plain JSON values, in declaration order."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        """The spec read back; an unknown or missing key is an `ArtifactError`."""
        known = [f.name for f in fields(cls)]
        if unknown := sorted(set(raw) - set(known)):
            raise ArtifactError(f"feature spec has unknown keys {unknown}; known keys are {known}")
        try:
            return cls(**raw)
        except TypeError as error:
            raise ArtifactError(f"feature spec is incomplete: {error}") from None

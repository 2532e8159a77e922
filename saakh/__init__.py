"""Load, score and explain with a Saakh credit scorecard: `saakh.load(path).score(row)`. Needs numpy alone."""

from typing import TYPE_CHECKING, Any

from saakh.errors import ArtifactError, ConfigError, ContractError, MissingInputError, SaakhError, StoppedError
from saakh.golden import Verification
from saakh.input_policy import Handled, InputRule
from saakh.loading import load
from saakh.reasons import Reason
from saakh.results import Contribution, Score, Scores
from saakh.scale import Scale
from saakh.scorecard import Scorecard
from saakh.signature import Signed
from saakh.spec import FeatureSpec

if TYPE_CHECKING:
    from saakh.counterfactual import Change, Counterfactual

__all__ = [
    "ArtifactError",
    "Change",
    "ConfigError",
    "ContractError",
    "Contribution",
    "Counterfactual",
    "FeatureSpec",
    "Handled",
    "InputRule",
    "MissingInputError",
    "Reason",
    "SaakhError",
    "Scale",
    "Score",
    "Scorecard",
    "Scores",
    "Signed",
    "StoppedError",
    "Verification",
    "load",
]


def __getattr__(name: str) -> Any:
    """What is seldom asked for is imported when it is."""
    if name in ("Change", "Counterfactual"):
        from saakh import counterfactual  # noqa: PLC0415

        return getattr(counterfactual, name)
    raise AttributeError(f"module 'saakh' has no attribute '{name}'")

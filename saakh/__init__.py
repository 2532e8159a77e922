"""Load, score and explain with a Saakh credit scorecard: `saakh.load(path).score(row)`. Needs numpy alone."""

from saakh.counterfactual import Change, Counterfactual
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

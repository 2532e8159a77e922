"""Load, score and explain with a Saakh credit scorecard: `saakh.load(path).score(row)`. Needs numpy alone."""

from saakh.errors import ArtifactError, ConfigError, ContractError, MissingInputError, SaakhError
from saakh.golden import Verification
from saakh.reasons import Reason
from saakh.scale import Scale
from saakh.scorecard import Contribution, Score, Scorecard, Scores, load
from saakh.signature import Signed
from saakh.spec import FeatureSpec

__all__ = [
    "ArtifactError",
    "ConfigError",
    "ContractError",
    "Contribution",
    "FeatureSpec",
    "MissingInputError",
    "Reason",
    "SaakhError",
    "Scale",
    "Score",
    "Scorecard",
    "Scores",
    "Signed",
    "Verification",
    "load",
]

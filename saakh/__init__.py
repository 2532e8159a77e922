"""Load, score and explain with a Saakh credit scorecard: `saakh.load(path).score(row)`. Needs numpy alone."""

from saakh.errors import ArtifactError, ContractError, MissingInputError, SaakhError
from saakh.golden import Verification
from saakh.reasons import Reason
from saakh.scale import Scale
from saakh.scorecard import Contribution, Score, Scorecard, Scores, load
from saakh.spec import FeatureSpec

__all__ = [
    "ArtifactError",
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
    "Verification",
    "load",
]

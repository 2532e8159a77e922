"""What a scorecard answers: typed results, free of the scorecard itself, which turn into JSON by `asdict`."""

from dataclasses import dataclass

from saakh.input_policy import Handled, Handling
from saakh.reasons import Reason
from saakh.trees import Array


@dataclass(frozen=True, slots=True)
class Score:
    """One applicant's score.

    `points` = `baseline` + the sum of `contributions` (points by feature; positive: better). `pd` is the probability of
    default and `log_odds` its log-odds, of bad. `missing` counts inputs that were absent, None or NaN; `problems` names
    those that could not be and were taken as missing: not_a_number, not_finite or out_of_range, by feature. `unseen`
    counts those beyond what training people showed, `stale` those read from their source too long ago. Inputs of the
    categories that were `refused` are none of these: they were not looked at, and contribute exactly 0.

    `handling` is what the input policy makes of it all: `score`, or `refer` to a person, or `reject`: not to be decided
    on. `handled` names the inputs behind that, and those taken at their worst.
    """

    points: float
    pd: float
    log_odds: float
    band: str
    reasons: tuple[Reason, ...]
    contributions: dict[str, float]
    baseline: float
    missing: int
    problems: dict[str, str]
    refused: tuple[str, ...] = ()
    unseen: int = 0
    stale: int = 0
    handling: Handling = "score"
    handled: tuple[Handled, ...] = ()


@dataclass(frozen=True, eq=False)
class Scores:
    """Many applicants' scores: arrays [rows] that mean what they mean in `Score`; `problems` is their number."""

    points: Array
    pd: Array
    log_odds: Array
    band: Array
    missing: Array
    problems: Array
    unseen: Array
    handling: Array


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one input did to a score: `value` as it was used (None: missing) and `points` against the baseline."""

    feature: str
    description: str
    family: str
    unit: str
    value: float | None
    points: float

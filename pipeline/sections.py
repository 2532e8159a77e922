"""A section of the parameters; those of training, of what judges a model, and of what stands beside the line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from saakh.input_policy import Outcome
from saakh.trees import TREES_MAX

DAYS_MAX = 36_500
"""A century: no window is longer, and dates can still be reckoned with."""
Share = Annotated[float, Field(ge=0, le=1)]
Line = Annotated[str, Field(min_length=1, max_length=400, pattern="^[^\\r\\n]*$")]


class Section(BaseModel):
    """A part of the parameters: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Explain(Section):
    """How many applicants the restricted page shows, and how many dots a chart has at most."""

    applicants: int = Field(3, ge=1)
    beeswarm_rows: int = Field(2_000, ge=10)


class Minimise(Section):
    """How the smallest consent request is looked for; areas are under the ROC curve.

    A request is small enough to lose nothing when its loss, with `standard_errors` of it added, is within
    `loss_auc_max`; a category earns its place with `worth_auc`. Comparisons are repeated over `repeats` sets of folds.
    """

    loss_auc_max: float = Field(0.005, gt=0, le=0.5)
    worth_auc: float = Field(0.002, ge=0, le=0.5)
    standard_errors: float = Field(1.0, ge=0, le=5)
    repeats: int = Field(5, ge=2, le=100)


class Proxies(Section):
    """What the proxy audit asks for: features that tell of people with an AUC of `goal_auc` at most.

    It may cost the model `loss_auc_max` of its own. `age_cuts_years` are ages whose two sides are told apart; a target
    with fewer than `side_min` applications on a side is left alone. `policy` names the one under which life events may
    be measured for it.
    """

    policy: str = "research-opt-in"
    goal_auc: float = Field(0.55, gt=0.5, lt=1)
    loss_auc_max: float = Field(0.005, ge=0, le=0.5)
    age_cuts_years: tuple[Annotated[int, Field(ge=17, le=110)], ...] = (30,)
    side_min: int = Field(50, ge=10)
    repeats: int = Field(5, ge=2, le=100)


class Membership(Section):
    """How many shadow models the membership audit learns; from 64 it is of full size. They come in pairs."""

    shadows: int = Field(64, ge=6, le=1_024, multiple_of=2)


class Fairness(Section):
    """Ages at which groups are divided, and the search for an alternative that treats groups more alike.

    It learns `candidates` models, and takes one that lessens the disparity by `less_min` of it and costs no more than
    `loss_auc_max`. Groups of fewer than `people_min` are too small to steer it.
    """

    age_cuts_years: tuple[Annotated[int, Field(ge=17, le=110)], ...] = (25, 35, 50)
    candidates: int = Field(200, ge=0, le=10_000)
    less_min: float = Field(0.25, gt=0, lt=1)
    loss_auc_max: float = Field(0.005, ge=0, le=0.5)
    people_min: int = Field(50, ge=10)

    @field_validator("age_cuts_years")
    @classmethod
    def _rising(cls, cuts: tuple[int, ...]) -> tuple[int, ...]:
        if list(cuts) != sorted(set(cuts)):
            raise ValueError("ages must rise, as in [25, 35, 50]")
        return cuts


class Reidentify(Section):
    """How many values of a person somebody is taken to know, and of how many people that is tried."""

    known: int = Field(4, ge=1, le=20)
    people: int = Field(1_000, ge=10)


class Decide(Section):
    """The lending terms decided by, and the features that tell a month's income and what is left of it.

    `income` and `surplus` map a feature, in minor units, to the days it adds up over (30: it is a month's); of several
    that are known the lowest counts. Beside them an applicant's other instalments are not known, and taken as none.
    """

    terms: Path = Path("data/lending/sample.yaml")
    income: Mapping[str, Annotated[int, Field(ge=1, le=DAYS_MAX)]] = {"income_declared": 30}
    surplus: Mapping[str, Annotated[int, Field(ge=1, le=DAYS_MAX)]] = {}


class Optimise(Section):
    """What a new strategy must keep to: bad rate, approval rate, and the ratio of groups' approval rates.

    At None the bad rate is that of the most profitable single cut-off. `groups` names the column of `people` by which
    approval is compared; nothing is decided by it. Classes of amount end at `amounts_minor`; limits are chosen among
    `limits_minor`. `pd_slope` is how much a loan's log-odds of bad rise with the logarithm of its amount.
    """

    bad_rate_max: float | None = Field(None, gt=0, lt=1)
    approval_min: Share = 0.0
    groups: Literal["gender"] | None = None
    ratio_min: Share = 0.0
    amounts_minor: tuple[Annotated[int, Field(ge=1)], ...] = (3_000_00, 5_000_00, 8_000_00, 15_000_00, 30_000_00)
    limits_minor: tuple[Annotated[int, Field(ge=1)], ...] = (5_000_00, 10_000_00, 25_000_00, 50_000_00, 100_000_00)
    pd_slope: float = Field(0.0, ge=0, le=5)


class Monitor(Section):
    """What a batch is held against a scorecard by.

    `recent_days` before `as_of` are compared with the reference. A report on a population that did not change alarms
    with chance `alarm_share` at most. Changes of `psi_tolerated`, `share_tolerated` and `points_tolerated` count as
    none, and so does one of an input that moves the mean score by less than `input_points_tolerated`; months differ by
    `vintage_sd` at least in the logarithm of bad loans per expected one. A first instalment is missed at
    `early_dpd_days`. Approval follows decisions, else `cutoff_points`, else the reference's median; `groups` names the
    column of `people` by which it is compared. What is found beyond chance is to be acted on from `act_psi` of the
    score, `act_points` of the mean score, `act_share` of approvals, `act_gap` of missing values or of a source, and
    `act_ratio` bad loans for each one expected.
    """

    recent_days: int = Field(30, ge=1, le=DAYS_MAX)
    alarm_share: float = Field(0.05, gt=0, lt=0.5)
    psi_tolerated: float = Field(0.02, ge=0, le=1)
    share_tolerated: Share = 0.02
    points_tolerated: float = Field(1.0, ge=0, le=1e3)
    input_points_tolerated: float = Field(0.5, ge=0, le=1e3)
    vintage_sd: float = Field(0.1, ge=0, le=2)
    early_dpd_days: int = Field(15, ge=1, le=DAYS_MAX)
    groups: Literal["gender"] | None = None
    cutoff_points: float | None = Field(None, ge=-1e6, le=1e6)
    act_psi: float = Field(0.25, gt=0, le=10)
    act_points: float = Field(10.0, gt=0, le=1e3)
    act_share: float = Field(0.1, gt=0, le=1)
    act_gap: float = Field(0.25, gt=0, le=1)
    act_ratio: float = Field(1.25, ge=1, le=100)


class Validate(Section):
    """Who answers for the model, and what its validation report must say that no file of a run can.

    `use` and `not_for` say what the score is for; `limits` and `controls` (what makes up for them) add to the report's
    own. `previous` is the scorecard that this one replaces, `batch` the workspace last monitored. The model is to be
    validated again after `review_days`, and the record kept for `retention_years` after the model's end.
    """

    use: Line | None = None
    not_for: tuple[Line, ...] = ()
    tier: Literal["high", "medium", "low"] | None = None
    owner: Line | None = None
    developer: Line | None = None
    validator: Line | None = None
    approver: Line | None = None
    limits: tuple[Line, ...] = ()
    controls: tuple[Line, ...] = ()
    previous: Path | None = None
    batch: Path | None = None
    review_days: int = Field(365, ge=1, le=DAYS_MAX)
    retention_years: int = Field(10, ge=0, le=100)


class Train(Section):
    """The split and the default model. Sizes left at None follow the number of rows.

    `gap_days` before the out-of-time period are left out, since their outcomes were unknown when it began; at None,
    the performance window, unless that costs more than a tenth of development. Of columns whose ranks correlate above
    `alike_max` one is kept, and at most `inputs_max` columns. Trees are grown on `shards` of the people, so many rounds
    each that they are no more than `trees_max` together. `linear_prior` is the penalty of the linear part for each
    column: a higher one tells less of who was learned from and keeps reasons steadier, at the cost of some accuracy.
    `without` are categories of consent no column is taken from; columns that drift within development by a PSI above
    `drift_max` are left out. `tuned` names what `saakh tune` wrote: the values it holds take the place of those here.
    With `reject_inference`, applications that were declined (`cohort.declined`) are learned from too, by outcomes
    nobody saw; what that does is judged on masked loans.
    """

    alike_max: float = Field(0.95, gt=0, le=1)
    out_of_time_share: float = Field(0.25, gt=0, lt=1)
    gap_days: int | None = Field(None, ge=0, le=DAYS_MAX)
    folds: int = Field(5, ge=2)
    inputs_max: int = Field(300, ge=1)
    shards: int | None = Field(None, ge=1, le=100)
    trees_max: int = Field(600, ge=1, le=TREES_MAX)
    rounds_max: int = Field(120, ge=1, le=TREES_MAX)
    learning_rate: float = Field(0.15, gt=0, le=1)
    leaves: int | None = Field(None, ge=2, le=8)
    leaf_rows_min: int | None = Field(None, ge=1)
    leaf_bads_min: float = Field(10.0, ge=0)
    column_share: float | None = Field(None, gt=0, le=1)
    lambda_l2: float = Field(20.0, ge=0)
    linear_prior: float = Field(6.0, gt=0, le=1e6)
    without: tuple[str, ...] = ()
    drift_max: float | None = Field(None, gt=0)
    tuned: Path | None = None
    reject_inference: Literal["none", "parcelling"] = "none"


class Compare(Section):
    """The differential privacy that one of the challengers keeps to; without `epsilon` there is no such challenger."""

    epsilon: float | None = Field(1.0, gt=0, le=100)
    delta: float = Field(1e-5, gt=0, lt=1)


class Tune(Section):
    """How many trials a search makes; with the same inputs and seed, more trials begin with the same ones."""

    trials: int = Field(30, ge=1, le=10_000)


class Selfcheck(Section):
    """How often training is repeated on permuted outcomes; from 30 the check is of full size."""

    refits: int = Field(30, ge=0, le=1_000)


class Evaluate(Section):
    """How intervals are drawn, and what a loan brings and costs as shares of its principal.

    `gain` is earned on a good loan; None takes it from the loans' own terms. A bad one loses nothing with chance
    `no_loss_share`, everything with chance `whole_loss_share`, and anything between with equal chance.
    """

    confidence: float = Field(0.95, gt=0.5, lt=1)
    resamples: int = Field(1_000, ge=100)
    gain: float | None = Field(None, ge=0, le=10)
    no_loss_share: Share = 0.55
    whole_loss_share: Share = 0.1

    @model_validator(mode="after")
    def _of_one_whole(self) -> Self:
        if self.no_loss_share + self.whole_loss_share > 1:
            raise ValueError("no_loss_share and whole_loss_share are shares of the same loans; together at most 1")
        return self


class InputRuleChanged(Section):
    """What is other for one input, one measure over all its windows, or all of a table."""

    missing: Outcome | None = None
    unseen: Outcome | None = None
    out_of_range: Outcome | None = None
    stale: Outcome | None = None
    stale_after_days: float | None = Field(None, ge=0, le=DAYS_MAX)


class InputPolicy(Section):
    """What a missing, unseen, impossible or stale input means to a scorecard; `of` says what is other, by name."""

    missing: Outcome = "neutral"
    unseen: Outcome = "neutral"
    out_of_range: Outcome = "refer"
    stale: Outcome = "refer"
    stale_after_days: float = Field(30, ge=0, le=DAYS_MAX)
    of: Mapping[str, InputRuleChanged] = {}

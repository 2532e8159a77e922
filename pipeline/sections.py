"""A section of the parameters, and those of the audits beside the line."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the parameters: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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

"""What a file of lending terms may say: who lends, under which licence, how much, at what price, to whom.

The runtime's own types (`saakh.terms`) are what it is compiled to; here are the bounds and the words for people.
"""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params import Section, Share
from saakh.schedule import MONTHS_MAX
from saakh.terms_json import LENDERS_MAX, MONEY_MAX, NAME, RATE_MAX

Name = Annotated[str, Field(pattern=f"^{NAME}$")]
Line = Annotated[str, Field(min_length=1, max_length=2_000)]
Money = Annotated[int, Field(ge=0, le=MONEY_MAX)]
Amount = Annotated[int, Field(ge=1, le=MONEY_MAX)]
Rate = Annotated[int, Field(ge=0, le=RATE_MAX)]
Months = Annotated[int, Field(ge=1, le=MONTHS_MAX)]
Cutoff = Annotated[float, Field(ge=-1, le=1)]


class Licence(Section):
    """What entitles a lender to lend; see `saakh.terms.Licence`."""

    kind: Line
    register_: Annotated[Line, Field(alias="register")]
    entry: Line
    valid_from: date
    valid_until: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from > self.valid_until:
            raise ValueError("valid_until lies before valid_from")
        return self


class Charges(Section):
    """What a loan costs beside interest; see `saakh.terms.Charges`."""

    share_bp: int = Field(ge=0, le=5_000)
    lender_minor: Money = 0
    third_party_minor: Money = 0
    late_bp_month: Rate = 0
    early_bp: Rate = 0


class Economics(Section):
    """What a loan costs its lender; see `saakh.terms.Economics`."""

    loss_given_default: Share
    funds_bp_month: Rate
    work_minor: Money
    margin_bp: Rate
    profit_bp_least: Annotated[int, Field(ge=-RATE_MAX, le=RATE_MAX)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.profit_bp_least is not None and self.profit_bp_least > self.margin_bp:
            raise ValueError(f"profit_bp_least is {self.profit_bp_least}, above margin_bp, {self.margin_bp}")
        return self


class Lender(Section):
    """One lender and its loan; see `saakh.terms.Lender`."""

    name: Name
    title: Line
    role: Literal["own", "partner"]
    licence: Licence
    least_minor: Amount
    most_minor: Amount
    step_minor: Amount
    months: tuple[Months, ...] = Field(min_length=1)
    rate_bp_least: Rate
    rate_bp_most: Rate
    charges: Charges
    economics: Economics
    points_least: float | None = None
    income_minor_least: Money = 0
    channels: tuple[Annotated[str, Field(pattern="^[a-z_]+$")], ...] = ()
    capacity_minor: int | None = Field(None, ge=0)
    cooling_off_days: int = Field(ge=1, le=365)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.step_minor <= self.least_minor <= self.most_minor:
            raise ValueError("step_minor, least_minor and most_minor must rise")
        if self.rate_bp_least > self.rate_bp_most:
            raise ValueError(f"rate_bp_least is {self.rate_bp_least}, above rate_bp_most, {self.rate_bp_most}")
        if list(self.months) != sorted(set(self.months)):
            raise ValueError("months must rise")
        taken = self.least_minor * self.charges.share_bp // 10_000
        if taken + self.charges.lender_minor + self.charges.third_party_minor >= self.least_minor:
            raise ValueError("charges take all of the smallest loan; raise least_minor or lower them")
        return self


class Limit(Section):
    """The most that may be lent up to a PD."""

    pd_up_to: Share
    most_minor: Money


class Strategy(Section):
    """Cut-offs by months and class of amount, and limits by PD; see `saakh.terms.Strategy`."""

    name: Name
    amounts: tuple[Amount, ...] = ()
    cutoffs: Mapping[Months, tuple[Cutoff, ...]]
    limits: tuple[Limit, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _of_one_shape(self) -> Self:
        if list(self.amounts) != sorted(set(self.amounts)):
            raise ValueError("amounts must rise")
        if short := [m for m, edges in self.cutoffs.items() if len(edges) != len(self.amounts) + 1]:
            raise ValueError(
                f"cutoffs of {short[0]} months: {len(self.amounts) + 1} needed, one for each class of amount"
            )
        if any(a.pd_up_to >= b.pd_up_to or a.most_minor < b.most_minor for a, b in pairwise(self.limits)):
            raise ValueError("limits: as pd_up_to rises, most_minor must not")
        return self


class Experiment(Section):
    """A challenger and its share of applications; another `salt` draws other applications."""

    challenger: Strategy
    share: Share
    salt: Annotated[str, Field(min_length=1, max_length=100)]


class Contact(Section):
    """Where an applicant asks, objects, and complains; see `saakh.terms.Contact`."""

    name: Line
    address: Line
    email: Line
    phone: Line
    officer: Line
    ombudsman: Line


class Affordability(Section):
    """How much instalments may take; see `saakh.terms.Affordability`."""

    income_share: Share
    surplus_share: Share
    unknown_minor: Money


class Referral(Section):
    """When a person decides instead; see `saakh.terms.Referral`."""

    missing_max: int = Field(ge=0, le=10**6)
    problems_max: int = Field(ge=0, le=10**6)
    pd_from: Share
    amount_minor_from: Money


class LendingTerms(Section):
    """A file of lending terms; `title`, `jurisdiction` and `citation` are for people, all else is decided by."""

    name: Name
    version: Annotated[str, Field(pattern="^[0-9A-Za-z.-]{1,40}$")]
    title: Line
    jurisdiction: Line
    citation: Line
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    minor_per_unit: int = Field(ge=1, le=10_000)
    apr: Literal["nominal", "effective"]
    apr_most: float | None = Field(None, ge=0)
    contact: Contact
    affordability: Affordability
    referral: Referral
    champion: Strategy
    experiment: Experiment | None = None
    lenders: tuple[Lender, ...] = Field(min_length=1, max_length=LENDERS_MAX)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [lender.name for lender in self.lenders]
        if len(set(names)) != len(names):
            raise ValueError("lenders: each needs a name of its own")
        strategies = [self.champion, *([self.experiment.challenger] if self.experiment else [])]
        for strategy in strategies:
            offered = {months for lender in self.lenders for months in lender.months}
            if missing := sorted(offered - set(strategy.cutoffs)):
                raise ValueError(
                    f"'{strategy.name}' has no cut-off for {missing[0]} months, which a lender offers (-1: never)"
                )
        return self

"""Lending terms: which lenders offer what, to whom, at what price: the decision policy of a scorecard.

`data/lending/*.yaml` is where people write them, `decision.json` what a runtime reads (`saakh.terms_json`). Money is in
minor units, rates are in basis points a month, shares between 0 and 1.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date

from saakh.apr import Convention

ROLES = ("own", "partner")


@dataclass(frozen=True)
class Licence:
    """What entitles a lender to lend, and from when to when its entry in the register was found to hold."""

    kind: str
    register: str
    entry: str
    valid_from: date
    valid_until: date


@dataclass(frozen=True)
class Charges:
    """What a loan costs beside interest: a share of the principal and a sum to the lender, a sum to third parties.

    All are deducted when the loan is paid out. `late_bp_month` and `early_bp` are contingent: on overdue instalments,
    and on what is repaid early.
    """

    share_bp: int
    lender_minor: int
    third_party_minor: int
    late_bp_month: int
    early_bp: int


@dataclass(frozen=True)
class Economics:
    """What a loan costs its lender: the share lost on default, funds a month, work a loan, and the margin asked.

    `margin_bp` is a share of the principal, over the loan's life. Where even the highest rate does not earn it, the
    lender still lends if it expects `profit_bp_least` of the principal; at None, cut-offs alone decide.
    """

    loss_given_default: float
    funds_bp_month: int
    work_minor: int
    margin_bp: int
    profit_bp_least: int | None


@dataclass(frozen=True)
class Lender:
    """One lender and its loan.

    `capacity_minor` is what it has left to lend, None without bound; `points_least` its own floor; `channels` those it
    serves, none meaning all. `months` are the terms it offers; amounts are whole multiples of `step_minor`.
    """

    name: str
    title: str
    role: str
    licence: Licence
    least_minor: int
    most_minor: int
    step_minor: int
    months: tuple[int, ...]
    rate_bp_least: int
    rate_bp_most: int
    charges: Charges
    economics: Economics
    points_least: float | None
    income_minor_least: int
    channels: tuple[str, ...]
    capacity_minor: int | None
    cooling_off_days: int


@dataclass(frozen=True)
class Affordability:
    """How much instalments may take: of the monthly income with other instalments, and of what is left of it.

    `unknown_minor` is the largest instalment while no income is known.
    """

    income_share: float
    surplus_share: float
    unknown_minor: int


@dataclass(frozen=True)
class Referral:
    """When a person decides instead: inputs missing or faulty beyond so many, a PD or an amount from so high."""

    missing_max: int
    problems_max: int
    pd_from: float
    amount_minor_from: int


@dataclass(frozen=True)
class Strategy:
    """Cut-offs and limits.

    `cutoffs` say, for each term in months, up to which PD a loan is granted, by classes of its amount; the classes end
    at `amounts`, the last has no end. `limits` are pairs (PD up to, most in minor units), the PD rising.
    """

    name: str
    amounts: tuple[int, ...]
    cutoffs: dict[int, tuple[float, ...]]
    limits: tuple[tuple[float, int], ...]

    def limit(self, pd: float) -> int:
        """The most that may be lent at this PD; 0 beyond the last."""
        place = bisect_left([edge for edge, _ in self.limits], pd)
        return self.limits[place][1] if place < len(self.limits) else 0

    def cutoff(self, amount: int, months: int) -> float:
        """Up to which PD a loan is granted; below 0: never."""
        by_amount = self.cutoffs.get(months)
        return by_amount[bisect_left(self.amounts, amount)] if by_amount else -1.0

    def edge_below(self, amount: int) -> int:
        """The largest amount in the class below this amount's; 0 when there is none."""
        place = bisect_left(self.amounts, amount)
        return self.amounts[place - 1] if place else 0


@dataclass(frozen=True)
class Experiment:
    """A challenger, and the share of applications that meet it; `salt` tells one experiment from the next."""

    challenger: Strategy
    share: float
    salt: str


@dataclass(frozen=True)
class Contact:
    """Where an applicant asks and objects, who answers for complaints, and who is above the lender."""

    name: str
    address: str
    email: str
    phone: str
    officer: str
    ombudsman: str


@dataclass(frozen=True)
class Terms:
    """Everything a decision is made by, beside the score."""

    name: str
    version: str
    currency: str
    minor_per_unit: int
    apr: Convention
    apr_most: float | None
    contact: Contact
    affordability: Affordability
    referral: Referral
    champion: Strategy
    experiment: Experiment | None
    lenders: tuple[Lender, ...]

"""What a lender offers an applicant: the largest loan that risk, limits and income allow, at the price of its risk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from saakh import apr
from saakh.application import Application
from saakh.errors import ContractError
from saakh.pricing import rate_for
from saakh.schedule import BP, Schedule, amortised, equated
from saakh.terms import Affordability, Lender, Strategy, Terms


class Ground(StrEnum):
    """Why a lender offers nothing, the one an applicant can do least about last."""

    AGE = "age"
    INPUTS = "inputs"
    RISK = "risk"
    AFFORDABILITY = "affordability"
    INCOME = "income"
    AMOUNT = "amount"
    TERM = "term"
    CHANNEL = "channel"
    FUNDS = "funds"
    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class Offer:
    """One loan offered, in minor units.

    `net_minor` is paid out, `paid_minor` paid back; `cost_minor` = interest + charges is what it costs the borrower in
    all. `apr` is a share, by the terms' convention.
    """

    lender: str
    amount_minor: int
    months: int
    rate_bp_month: int
    instalment_minor: int
    interest_minor: int
    charges_minor: int
    third_party_minor: int
    net_minor: int
    paid_minor: int
    cost_minor: int
    apr: float
    cooling_off_days: int

    @property
    def schedule(self) -> Schedule:
        """Its instalments."""
        return amortised(self.amount_minor, self.rate_bp_month, self.months)


def affordable(rule: Affordability, application: Application) -> int:
    """The largest instalment that income and surplus can bear beside other instalments, in minor units."""
    bounds = []
    if application.income_minor is not None:
        bounds.append(int(rule.income_share * application.income_minor) - application.obligations_minor)
    if application.surplus_minor is not None:
        bounds.append(int(rule.surplus_share * application.surplus_minor))
    return max(0, min(bounds, default=rule.unknown_minor))


def offer_of(
    terms: Terms, strategy: Strategy, lender: Lender, application: Application, pd: float, points: float, left: int
) -> list[Offer] | Ground:
    """The lender's offers, one a term it may be asked for, or why there is none; `left` is what it can still lend."""
    terms_asked = [m for m in lender.months if application.months in (None, m)]
    if refused := _ineligible(lender, application, points, terms_asked):
        return refused
    most = min(application.amount_minor, lender.most_minor)
    if min(most, left) < lender.least_minor:
        return Ground.FUNDS if most >= lender.least_minor else Ground.AMOUNT
    most = min(most, left, strategy.limit(pd))
    found = [_largest(terms, strategy, lender, application, pd, most, months) for months in terms_asked]
    offers = [offer for offer in found if isinstance(offer, Offer)]
    return offers or (Ground.AFFORDABILITY if Ground.AFFORDABILITY in found else Ground.RISK)


def ranked(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Offers from the one that serves the borrower best: the most of what was asked for, then the least total cost."""
    return tuple(sorted(offers, key=lambda o: (-o.amount_minor, o.cost_minor, o.apr, o.lender, o.months)))


def _ineligible(lender: Lender, application: Application, points: float, months: Sequence[int]) -> Ground | None:
    if not lender.licence.valid_from <= application.on <= lender.licence.valid_until:
        return Ground.LICENCE
    if lender.channels and application.channel not in lender.channels:
        return Ground.CHANNEL
    if not months:
        return Ground.TERM
    if (application.income_minor or 0) < lender.income_minor_least:
        return Ground.INCOME
    return Ground.RISK if lender.points_least is not None and points < lender.points_least else None


def _largest(
    terms: Terms, strategy: Strategy, lender: Lender, application: Application, pd: float, most: int, months: int
) -> Offer | Ground:
    """The largest amount of a term that is within the cut-off, earns the margin, and can be borne."""
    bearable, step, ground = affordable(terms.affordability, application), lender.step_minor, Ground.RISK
    amount = most // step * step
    while amount >= lender.least_minor:
        if pd > strategy.cutoff(amount, months):
            amount = strategy.edge_below(amount) // step * step
            continue
        rate = rate_for(lender, pd, amount, months)
        if rate is None:
            return ground  # less would be dearer still
        instalment = equated(amount, rate, months)
        if instalment <= bearable:
            return _within_cap(terms, _offer(terms, lender, amount, rate, months))
        ground = Ground.AFFORDABILITY
        # A smaller loan bears at least the same rate, so nothing between here and there can be borne either.
        amount = min(amount - step, -(-amount * bearable // (instalment * step)) * step)
    return ground


def _within_cap(terms: Terms, offer: Offer) -> Offer | Ground:
    return offer if terms.apr_most is None or offer.apr <= terms.apr_most else Ground.RISK


def _offer(terms: Terms, lender: Lender, amount: int, rate: int, months: int) -> Offer:
    schedule, charges = amortised(amount, rate, months), lender.charges
    own = (amount * charges.share_bp + BP // 2) // BP + charges.lender_minor
    net = amount - own - charges.third_party_minor
    if net < 1:
        raise ContractError(f"the charges of '{lender.name}' take all of its smallest loans; raise its least amount")
    return Offer(
        lender=lender.name,
        amount_minor=amount,
        months=months,
        rate_bp_month=rate,
        instalment_minor=equated(amount, rate, months),
        interest_minor=schedule.interest,
        charges_minor=own,
        third_party_minor=charges.third_party_minor,
        net_minor=net,
        paid_minor=schedule.paid,
        cost_minor=schedule.interest + own + charges.third_party_minor,
        apr=apr.of_monthly(net, [i.paid for i in schedule.instalments], terms.apr),
        cooling_off_days=lender.cooling_off_days,
    )

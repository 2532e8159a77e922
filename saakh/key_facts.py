"""The figures of a Key Facts Statement, as the Reserve Bank of India asks for them before a loan is agreed.

RBI/2024-25/18 of 15 April 2024, Annex A part 1 and Annex B; the schedule is Annex C.
"""

from dataclasses import dataclass

from saakh.apr import MONTHS_A_YEAR, Convention
from saakh.errors import ContractError
from saakh.offers import Offer
from saakh.schedule import BP, Instalment
from saakh.terms import Contact, Terms


@dataclass(frozen=True)
class KeyFacts:
    """What a borrower is told of an offer. Money in minor units; rates and the APR are shares a year."""

    lender: str
    licence: str
    register: str
    currency: str
    sanctioned_minor: int
    is_disbursed_at_once: bool
    months: int
    instalments: int
    instalment_minor: int
    rate_year: float
    rate_type: str
    interest_minor: int
    charges_minor: int
    third_party_minor: int
    net_minor: int
    paid_minor: int
    cost_minor: int
    apr: float
    apr_convention: Convention
    late_rate_year: float
    early_share: float
    cooling_off_days: int
    contact: Contact
    schedule: tuple[Instalment, ...]


def key_facts(terms: Terms, offer: Offer) -> KeyFacts:
    """The Key Facts Statement of an offer made under these terms."""
    lender = next((one for one in terms.lenders if one.name == offer.lender), None)
    if lender is None:
        raise ContractError(
            f"the terms '{terms.name}' name no lender '{offer.lender}'; use those the offer was made by"
        )
    schedule = offer.schedule.instalments
    return KeyFacts(
        lender=lender.title,
        licence=lender.licence.kind,
        register=f"{lender.licence.register}, {lender.licence.entry}",
        currency=terms.currency,
        sanctioned_minor=offer.amount_minor,
        is_disbursed_at_once=True,
        months=offer.months,
        instalments=len(schedule),
        instalment_minor=offer.instalment_minor,
        rate_year=offer.rate_bp_month * MONTHS_A_YEAR / BP,
        rate_type="fixed",
        interest_minor=offer.interest_minor,
        charges_minor=offer.charges_minor,
        third_party_minor=offer.third_party_minor,
        net_minor=offer.net_minor,
        paid_minor=offer.paid_minor,
        cost_minor=offer.cost_minor,
        apr=offer.apr,
        apr_convention=terms.apr,
        late_rate_year=lender.charges.late_bp_month * MONTHS_A_YEAR / BP,
        early_share=lender.charges.early_bp / BP,
        cooling_off_days=offer.cooling_off_days,
        contact=terms.contact,
        schedule=schedule,
    )

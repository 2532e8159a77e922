"""Decide: from a score and an application to offers, a referral to a person, or a decline with its grounds."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Literal

from saakh.application import Application
from saakh.errors import ContractError
from saakh.input_policy import Handling
from saakh.offers import Ground, Offer, offer_of, ranked
from saakh.terms import Strategy, Terms

Outcome = Literal["offer", "refer", "decline"]
DIGEST_BITS = 64
UNCLEAR = frozenset({"missing_inputs", "faulty_inputs", "input_policy"})
"""Referrals that say a score rests on too little."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on one application.

    `offers` come best first; under `refer` they are what a person may confirm. `refused` says why each lender that
    offers nothing does not, `referrals` why a person decides. `grounds` are those of a decline: risk and affordability
    where a lender came to judge them, else whatever kept all from it.
    """

    outcome: Outcome
    strategy: str
    offers: tuple[Offer, ...]
    grounds: tuple[Ground, ...]
    referrals: tuple[str, ...]
    refused: dict[str, Ground]


def decide(
    terms: Terms,
    application: Application,
    pd: float,
    points: float,
    missing: int = 0,
    problems: int = 0,
    left: Mapping[str, int] | None = None,
    handling: Handling = "score",
) -> Decision:
    """Decide on an application by its PD and points.

    Args:
        terms: the lending terms.
        application: what is asked for.
        pd: probability of default, 0 to 1.
        points: the score.
        missing: how many inputs of the score were missing.
        problems: how many were refused as impossible.
        left: what a lender can still lend, by name, where that is less than its terms say.
        handling: what the input policy makes of the score: under `refer` a person decides, under `reject` nothing is
            decided on it, and the ground is the inputs.
    """
    if not 0 <= pd <= 1 or isnan(points):
        raise ContractError("a decision needs a probability between 0 and 1, and points")
    strategy = strategy_for(terms, application.id)
    barred = Ground.AGE if application.is_adult is False else Ground.INPUTS if handling == "reject" else None
    if barred:
        return Decision("decline", strategy.name, (), (barred,), (), dict.fromkeys(_names(terms), barred))
    offers: list[Offer] = []
    refused: dict[str, Ground] = {}
    for lender in terms.lenders:
        capacity = _least(application.amount_minor, lender.capacity_minor, (left or {}).get(lender.name))
        found = offer_of(terms, strategy, lender, application, pd, points, capacity)
        if isinstance(found, Ground):
            refused[lender.name] = found
        else:
            offers += found
    referrals = _referrals(terms, application, pd, missing, problems)
    if handling == "refer":
        referrals = (*referrals, "input_policy")
    grounds = () if offers else _principal(refused.values())
    return Decision(_outcome(offers, grounds, referrals), strategy.name, ranked(offers), grounds, referrals, refused)


def _principal(grounds: Iterable[Ground]) -> tuple[Ground, ...]:
    there = set(grounds)
    found = [ground for ground in Ground if ground in there]
    judged = [ground for ground in found if ground in (Ground.RISK, Ground.AFFORDABILITY)]
    return tuple(judged or found)


def strategy_for(terms: Terms, application: str) -> Strategy:
    """The champion or the challenger: the same application always meets the same, and others do not bear on it."""
    test = terms.experiment
    if test is None or draw(test.salt, application) >= test.share:
        return terms.champion
    return test.challenger


def draw(salt: str, application: str) -> float:
    """A number from 0 to below 1 that looks random and is the same whenever it is drawn."""
    digest = hashlib.sha256(f"{len(salt)}:{salt}{application}".encode()).digest()
    return (int.from_bytes(digest[: DIGEST_BITS // 8], "big") >> 11) / 2 ** (DIGEST_BITS - 11)


def _outcome(offers: list[Offer], grounds: tuple[Ground, ...], referrals: tuple[str, ...]) -> Outcome:
    """A person is asked where something is on offer, or where a decline on risk rests on inputs that say too little."""
    is_unclear = Ground.RISK in grounds and bool(UNCLEAR & set(referrals))
    if referrals and (offers or is_unclear):
        return "refer"
    return "offer" if offers else "decline"


def _referrals(terms: Terms, application: Application, pd: float, missing: int, problems: int) -> tuple[str, ...]:
    rule = terms.referral
    found = {
        "missing_inputs": missing > rule.missing_max,
        "faulty_inputs": problems > rule.problems_max,
        "high_risk": pd >= rule.pd_from,
        "large_amount": application.amount_minor >= rule.amount_minor_from,
    }
    return tuple(name for name, holds in found.items() if holds)


def _names(terms: Terms) -> list[str]:
    return [lender.name for lender in terms.lenders]


def _least(*bounds: int | None) -> int:
    return min(bound for bound in bounds if bound is not None)

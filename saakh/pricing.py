"""The price of risk: the lowest rate at which a lender expects to earn its margin, and its expected profit.

Expected profit = (1 − PD) · instalments' present value at the cost of funds + PD · (1 − LGD) · principal − principal
− work + charges. Who defaults is counted as paying nothing but what is recovered of the principal.
"""

from bisect import bisect_left
from functools import lru_cache
from math import expm1, inf, log1p
from typing import Any

import numpy as np

from saakh.schedule import BP
from saakh.terms import Charges, Economics, Lender


def rate_for(lender: Lender, pd: float, amount_minor: int, months: int) -> int | None:
    """The lender's monthly rate in basis points; None when its highest would earn less than it lends for.

    It never falls as the PD rises, and never rises with the amount.
    """
    worth, economics, charges = worths(lender, months), lender.economics, lender.charges
    needed = inf if pd >= 1 else required(pd, amount_minor, economics, charges)
    place = min(bisect_left(worth, needed), len(worth) - 1)
    if not is_worth_lending(pd, amount_minor, worth[place], economics, charges):
        return None
    return lender.rate_bp_least + place


def required(pd: Any, amount_minor: Any, economics: Economics, charges: Charges) -> Any:
    """What a unit of principal must bring in if paid as agreed, as a present value; for numbers or arrays.

    Never less than of a sure payer: where charges exceed what is lost, more risk would otherwise be cheaper.
    """
    sure = 1 + (economics.margin_bp - charges.share_bp) / BP
    sure = sure + (economics.work_minor - charges.lender_minor) / amount_minor
    return np.maximum((sure - pd * (1 - economics.loss_given_default)) / (1 - pd), sure)


def profit(pd: Any, amount_minor: Any, worth: Any, economics: Economics, charges: Charges) -> Any:
    """Expected profit in minor units of a loan whose unit of principal is `worth` so much; for numbers or arrays."""
    kept = (1 - pd) * worth + pd * (1 - economics.loss_given_default) - 1 + charges.share_bp / BP
    return amount_minor * kept + charges.lender_minor - economics.work_minor


def is_worth_lending(pd: Any, amount_minor: Any, worth: Any, economics: Economics, charges: Charges) -> Any:
    """Whether the least profit is expected, of this PD and of a sure payer; for numbers or arrays."""
    if economics.profit_bp_least is None:
        return np.isfinite(pd)
    both = (profit(p, amount_minor, worth, economics, charges) for p in (pd, 0 * pd))
    return np.minimum(*both) * BP >= economics.profit_bp_least * amount_minor


def worths(lender: Lender, months: int) -> tuple[float, ...]:
    """What a unit of principal paid as agreed is worth, at each of the lender's rates from the least to the most."""
    return _worths(lender.rate_bp_least, lender.rate_bp_most, months, lender.economics.funds_bp_month)


@lru_cache(maxsize=4_096)
def _worths(least: int, most: int, months: int, funds: int) -> tuple[float, ...]:
    value = 1 / _instalment(funds, months)
    return tuple(value * _instalment(rate, months) for rate in range(least, most + 1))


def _instalment(rate_bp: int, months: int) -> float:
    """The equated instalment of a unit of principal."""
    rate = rate_bp / BP
    return 1 / months if rate == 0 else rate / -expm1(-months * log1p(rate))

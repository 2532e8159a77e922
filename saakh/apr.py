"""Annual percentage rates: what a loan costs a year, from what is paid out, what is paid back, and when.

The standard equation sets what is advanced equal to the present value of what is paid back. Two conventions annualise
its solution:

- *effective*: (1 + X)^t discounts a payment after t years (Directive 2008/48/EC, Annex I; 12 equal months a year);
- *nominal*: the rate for one unit-period times the number of unit-periods in a year (Regulation Z, Appendix J; the
  Reserve Bank of India's illustration for the Key Facts Statement is the same with months).

Both equations are solved to the last digit a float has: present value falls and bends upwards as the rate rises, so
that Newton's steps from zero never pass the solution.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from saakh.errors import ContractError

Convention = Literal["nominal", "effective"]
CONVENTIONS: tuple[Convention, ...] = ("nominal", "effective")
MONTHS_A_YEAR = 12
STEPS_MAX = 1_000
Payment = tuple[float, float]
"""When, in years or unit-periods after the advance, and how much, in minor units."""


def effective(advanced: float, payments: Iterable[Payment]) -> float:
    """The effective annual rate of payments at times in years, as a share: 0.1296 is 12.96 %."""
    flows = list(payments)
    return _solved(advanced, [amount for _, amount in flows], lambda rate: [_whole(rate, t) for t, _ in flows])


def nominal(advanced: float, payments: Iterable[Payment], periods_a_year: float) -> float:
    """The nominal annual rate of payments at times in unit-periods; over a fraction of a period interest is simple."""
    flows = [(*divmod(t, 1.0), amount) for t, amount in payments]
    amounts = [amount for _, _, amount in flows]
    return periods_a_year * _solved(advanced, amounts, lambda rate: [_unit(rate, t, f) for t, f, _ in flows])


def of_monthly(advanced: float, instalments: Sequence[float], convention: Convention) -> float:
    """The rate of instalments paid one, two, three ... months after the advance."""
    monthly = nominal(advanced, ((k, amount) for k, amount in enumerate(instalments, 1)), 1.0)
    return MONTHS_A_YEAR * monthly if convention == "nominal" else (1 + monthly) ** MONTHS_A_YEAR - 1


def _whole(rate: float, t: float) -> tuple[float, float]:
    """What one unit after t years is worth now, and how that falls with the rate."""
    worth = (1 + rate) ** -t
    return worth, -t * worth / (1 + rate)


def _unit(rate: float, t: float, f: float) -> tuple[float, float]:
    """The same after t whole unit-periods and a fraction f of one."""
    worth = (1 + rate) ** -t / (1 + f * rate)
    return worth, -worth * (t / (1 + rate) + f / (1 + f * rate))


def _solved(advanced: float, amounts: Sequence[float], worths: Callable[[float], list[tuple[float, float]]]) -> float:
    """The rate at which the payments are worth what was advanced."""
    if advanced <= 0 or min(amounts, default=0.0) < 0:
        raise ContractError("a rate needs an advance above zero and payments that are not below it")
    if sum(amounts) < advanced:
        raise ContractError("the payments add up to less than was advanced, so there is no rate above zero")
    rate = 0.0
    for _ in range(STEPS_MAX):
        pairs = list(zip(amounts, worths(rate), strict=True))
        excess = sum(amount * worth for amount, (worth, _) in pairs) - advanced
        slope = sum(amount * fall for amount, (_, fall) in pairs)
        if not slope or (found := rate - excess / slope) <= rate:
            break
        rate = found
    return rate

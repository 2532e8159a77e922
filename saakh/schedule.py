"""The repayment schedule of a loan in equated monthly instalments: whole minor units that add up exactly."""

from dataclasses import dataclass
from functools import cached_property

from saakh.errors import ContractError

BP = 10_000
MONTHS_MAX = 120


@dataclass(frozen=True, slots=True)
class Instalment:
    """One instalment, in minor units: `paid` = `principal` + `interest`; `balance` is what is owed afterwards."""

    number: int
    paid: int
    principal: int
    interest: int
    balance: int


@dataclass(frozen=True)
class Schedule:
    """A loan's instalments, a month apart. Those of `principal` add up to what was lent, to the last minor unit."""

    instalments: tuple[Instalment, ...]

    @cached_property
    def interest(self) -> int:
        """All interest, in minor units."""
        return sum(i.interest for i in self.instalments)

    @cached_property
    def paid(self) -> int:
        """All instalments, in minor units."""
        return sum(i.paid for i in self.instalments)


def equated(principal: int, rate_bp_month: int, months: int) -> int:
    """The equated instalment, rounded up to a whole minor unit: P·r·(1+r)^n / ((1+r)^n − 1), in whole numbers."""
    if principal < 1 or rate_bp_month < 0 or not 1 <= months <= MONTHS_MAX:
        raise ContractError(f"a schedule needs a principal, a rate that is not negative, and 1 to {MONTHS_MAX} months")
    if rate_bp_month == 0:
        return -(-principal // months)
    grown, flat = (BP + rate_bp_month) ** months, BP**months
    return -(-principal * rate_bp_month * grown // (BP * (grown - flat)))


def amortised(principal: int, rate_bp_month: int, months: int) -> Schedule:
    """The schedule of a loan: a month's interest to the nearest minor unit, half up; the last instalment is the rest.

    A principal so small that rounding repays it early has fewer instalments.
    """
    instalment, balance, found = equated(principal, rate_bp_month, months), principal, []
    for number in range(1, months + 1):
        interest = (balance * rate_bp_month + BP // 2) // BP
        paid = balance + interest if number == months else min(instalment, balance + interest)
        balance -= paid - interest
        found.append(Instalment(number, paid, paid - interest, interest, balance))
        if balance == 0:
            break
    return Schedule(tuple(found))

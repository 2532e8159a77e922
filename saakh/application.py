"""An application for a loan: what is asked for, and what is known for it beside the score."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from saakh.errors import ContractError

NUMBER_MAX = 10**15
KINDS: dict[str, type] = {
    "id": str,
    "on": str,
    "amount_minor": int,
    "months": int,
    "income_minor": int,
    "obligations_minor": int,
    "surplus_minor": int,
    "channel": str,
    "is_adult": bool,
}
REQUIRED = ("id", "on", "amount_minor")


@dataclass(frozen=True, slots=True)
class Application:
    """What is asked for, and what is known for it beside the score. Money in minor units.

    `on` is the day decided for. `months` is the term asked for, None: any. `income_minor` and `obligations_minor` are a
    month's income and the instalments it already bears; `surplus_minor` what is left of it. None means not known;
    `is_adult` None: not checked yet.
    """

    id: str
    on: date
    amount_minor: int
    months: int | None = None
    income_minor: int | None = None
    obligations_minor: int = 0
    surplus_minor: int | None = None
    channel: str | None = None
    is_adult: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be: an amount that is none, money owed to nobody."""
        if self.amount_minor < 1 or self.obligations_minor < 0 or (self.income_minor or 0) < 0:
            raise ContractError("an application asks for an amount above zero; income and obligations are not below it")
        if self.months is not None and self.months < 1:
            raise ContractError("an application's term is one month or more, or None")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """An application out of parsed JSON, the day as `2026-06-01`; a `ContractError` names what is not right."""
        if unknown := sorted(set(map(str, raw)) - set(KINDS)):
            raise ContractError(f"an application has no {', '.join(unknown)[:200]}; it has {', '.join(KINDS)}")
        if missing := [name for name in REQUIRED if raw.get(name) is None]:
            raise ContractError(f"an application needs {', '.join(missing)}")
        for name, value in raw.items():
            if value is not None and type(value) is not KINDS[name]:
                raise ContractError(f"an application's {name} is not of the kind expected")
            if isinstance(value, int) and abs(value) > NUMBER_MAX:
                raise ContractError(f"an application's {name} is beyond {NUMBER_MAX:,}")
        try:
            day = date.fromisoformat(raw["on"])
        except ValueError:
            raise ContractError("an application's 'on' is not a day, as in 2026-06-01") from None
        owed = raw.get("obligations_minor")
        return cls(**{**raw, "on": day, "obligations_minor": 0 if owed is None else owed})

"""Small lending terms for tests: one lender that is easy to reckon with, and changes to it by keyword."""

from datetime import date
from typing import Any

from saakh.application import Application
from saakh.terms import Terms
from saakh.terms_json import read

TODAY = date(2026, 6, 1)
RUPEE = 100


def lender(name: str = "plain", **changes: Any) -> dict[str, Any]:
    """A lender of 1,000 to 100,000 rupees at 180 to 400 basis points a month over 3 or 6 months."""
    said = {
        "name": name,
        "title": f"Lender {name}",
        "role": "own",
        "licence": {
            "kind": "NBFC",
            "register": "made-up register",
            "entry": "EXAMPLE-1",
            "valid_from": "2025-01-01",
            "valid_until": "2026-12-31",
        },
        "least_minor": 1_000 * RUPEE,
        "most_minor": 100_000 * RUPEE,
        "step_minor": 500 * RUPEE,
        "months": [3, 6],
        "rate_bp_least": 180,
        "rate_bp_most": 400,
        "charges": {"share_bp": 200, "lender_minor": 0, "third_party_minor": 0, "late_bp_month": 200, "early_bp": 0},
        "economics": {
            "loss_given_default": 0.5,
            "funds_bp_month": 100,
            "work_minor": 10_000,
            "margin_bp": 100,
            "profit_bp_least": 0,
        },
        "points_least": None,
        "income_minor_least": 0,
        "channels": [],
        "capacity_minor": None,
        "cooling_off_days": 3,
    }
    return said | changes


def strategy(name: str = "flat", **changes: Any) -> dict[str, Any]:
    """One cut-off, PD 0.2, and one limit of 100,000 rupees."""
    said: dict[str, Any] = {
        "name": name,
        "amounts": [],
        "cutoffs": [{"months": 3, "pd_up_to": [0.2]}, {"months": 6, "pd_up_to": [0.2]}],
        "limits": [{"pd_up_to": 1.0, "most_minor": 100_000 * RUPEE}],
    }
    return said | changes


def raw(*lenders: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The content of a `decision.json`."""
    said = {
        "protocol": 1,
        "name": "test",
        "version": "1",
        "currency": "INR",
        "minor_per_unit": 100,
        "apr": "nominal",
        "apr_most": None,
        "contact": dict.fromkeys(("name", "address", "email", "phone", "officer", "ombudsman"), "somebody"),
        "affordability": {"income_share": 0.5, "surplus_share": 0.8, "unknown_minor": 0},
        "referral": {"missing_max": 10, "problems_max": 0, "pd_from": 1.0, "amount_minor_from": 10**9},
        "champion": strategy(),
        "experiment": None,
        "lenders": list(lenders or (lender(),)),
    }
    return said | changes


def terms(*lenders: dict[str, Any], **changes: Any) -> Terms:
    """Terms of these lenders."""
    return read(raw(*lenders, **changes))


def asks(rupees: int = 20_000, months: int | None = 3, income: int | None = 40_000, **changes: Any) -> Application:
    """An application for so many rupees, by somebody of so much income a month."""
    earned = None if income is None else income * RUPEE
    said: dict[str, Any] = {"id": "a", "on": TODAY, "amount_minor": rupees * RUPEE, "months": months}
    return Application(**(said | {"income_minor": earned} | changes))

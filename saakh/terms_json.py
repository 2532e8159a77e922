"""Lending terms out of JSON: what is missing, unknown, mistyped or out of bounds is refused by name."""

from datetime import date
from itertools import pairwise
from typing import Any

from saakh.apr import CONVENTIONS
from saakh.errors import ArtifactError
from saakh.fields import Fields, parse_json
from saakh.schedule import MONTHS_MAX
from saakh.terms import (
    ROLES,
    Affordability,
    Charges,
    Contact,
    Economics,
    Experiment,
    Lender,
    Licence,
    Referral,
    Strategy,
    Terms,
)

MEMBER = "decision.json"
BYTES_MAX = 1024 * 1024
PROTOCOL = 1
MONEY_MAX = 10**12
RATE_MAX = 10_000
LENDERS_MAX = 100
NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
DAY = r"\d{4}-\d{2}-\d{2}"


def read_bytes(body: bytes) -> Terms:
    """The terms in a `decision.json`; an `ArtifactError` names the field that is not right."""
    if len(body) > BYTES_MAX:
        raise ArtifactError(f"{MEMBER} is larger than {BYTES_MAX:,} bytes")
    return read(parse_json(body, MEMBER))


def read(raw: Any) -> Terms:
    """The same from parsed JSON."""
    keys = ("protocol", "name", "version", "currency", "minor_per_unit", "apr", "apr_most", "contact")
    f = Fields(raw, MEMBER, *keys, "affordability", "referral", "champion", "experiment", "lenders")
    if f.whole("protocol", 0, 10**6) != PROTOCOL:
        raise ArtifactError(f"{MEMBER} has a protocol this runtime does not read; it reads {PROTOCOL}")
    apr = f.text("apr", "|".join(CONVENTIONS))
    lenders = tuple(_lender(*item) for item in f.each("lenders"))
    if not 1 <= len(lenders) <= LENDERS_MAX or len({lender.name for lender in lenders}) != len(lenders):
        raise ArtifactError(f"{f.at('lenders')} must be 1 to {LENDERS_MAX}, each of another name")
    return Terms(
        f.text("name", NAME),
        f.text("version", r"[0-9A-Za-z.-]{1,40}"),
        f.text("currency", "[A-Z]{3}"),
        f.whole("minor_per_unit", 1, 10_000),
        next(c for c in CONVENTIONS if c == apr),
        f.maybe_number("apr_most"),
        _contact(f.raw["contact"], f.at("contact")),
        _affordability(f.raw["affordability"], f.at("affordability")),
        _referral(f.raw["referral"], f.at("referral")),
        _strategy(f.raw["champion"], f.at("champion")),
        None if f.raw["experiment"] is None else _experiment(f.raw["experiment"], f.at("experiment")),
        lenders,
    )


def _lender(raw: Any, where: str) -> Lender:
    f = Fields(raw, where, *Lender.__dataclass_fields__)
    months = tuple(Fields({"m": m}, at, "m").whole("m", 1, MONTHS_MAX) for m, at in f.each("months"))
    found = Lender(
        f.text("name", NAME),
        f.text("title", ".+"),
        f.text("role", "|".join(ROLES)),
        _licence(f.raw["licence"], f.at("licence")),
        f.whole("least_minor", 1, MONEY_MAX),
        f.whole("most_minor", 1, MONEY_MAX),
        f.whole("step_minor", 1, MONEY_MAX),
        _rising(months, f.at("months")),
        f.whole("rate_bp_least", 0, RATE_MAX),
        f.whole("rate_bp_most", 0, RATE_MAX),
        _charges(f.raw["charges"], f.at("charges")),
        _economics(f.raw["economics"], f.at("economics")),
        f.maybe_number("points_least"),
        f.whole("income_minor_least", 0, MONEY_MAX),
        tuple(Fields({"c": c}, at, "c").text("c", r"[a-z_]+") for c, at in f.each("channels")),
        None if f.raw["capacity_minor"] is None else f.whole("capacity_minor", 0, MONEY_MAX * 1_000),
        f.whole("cooling_off_days", 1, 365),
    )
    if not found.step_minor <= found.least_minor <= found.most_minor or found.rate_bp_least > found.rate_bp_most:
        raise ArtifactError(f"{where}: step, least and most amount must rise, and so must the least and most rate")
    return found


def _licence(raw: Any, where: str) -> Licence:
    f = Fields(raw, where, *Licence.__dataclass_fields__)
    kind, register, entry = (f.text(key, ".+") for key in ("kind", "register", "entry"))
    found = Licence(kind, register, entry, _day(f, "valid_from"), _day(f, "valid_until"))
    if found.valid_from > found.valid_until:
        raise ArtifactError(f"{where} ends before it begins")
    return found


def _day(f: Fields, key: str) -> date:
    try:
        return date.fromisoformat(f.text(key, DAY))
    except ValueError:
        raise ArtifactError(f"{f.at(key)} is not a day, as in 2027-03-31") from None


def _charges(raw: Any, where: str) -> Charges:
    f = Fields(raw, where, *Charges.__dataclass_fields__)
    return Charges(
        f.whole("share_bp", 0, 5_000),
        f.whole("lender_minor", 0, MONEY_MAX),
        f.whole("third_party_minor", 0, MONEY_MAX),
        f.whole("late_bp_month", 0, RATE_MAX),
        f.whole("early_bp", 0, RATE_MAX),
    )


def _economics(raw: Any, where: str) -> Economics:
    f = Fields(raw, where, *Economics.__dataclass_fields__)
    found = Economics(
        f.number("loss_given_default", 0, 1),
        f.whole("funds_bp_month", 0, RATE_MAX),
        f.whole("work_minor", 0, MONEY_MAX),
        f.whole("margin_bp", 0, RATE_MAX),
        None if f.raw["profit_bp_least"] is None else f.whole("profit_bp_least", -RATE_MAX, RATE_MAX),
    )
    if found.profit_bp_least is not None and found.profit_bp_least > found.margin_bp:
        raise ArtifactError(f"{where}: the least profit lent for is above the margin asked")
    return found


def _affordability(raw: Any, where: str) -> Affordability:
    f = Fields(raw, where, *Affordability.__dataclass_fields__)
    return Affordability(
        f.number("income_share", 0, 1), f.number("surplus_share", 0, 1), f.whole("unknown_minor", 0, MONEY_MAX)
    )


def _referral(raw: Any, where: str) -> Referral:
    f = Fields(raw, where, *Referral.__dataclass_fields__)
    counts = f.whole("missing_max", 0, 10**6), f.whole("problems_max", 0, 10**6)
    return Referral(*counts, f.number("pd_from", 0, 1), f.whole("amount_minor_from", 0, MONEY_MAX))


def _contact(raw: Any, where: str) -> Contact:
    f = Fields(raw, where, *Contact.__dataclass_fields__)
    return Contact(*(f.text(key, ".+") for key in Contact.__dataclass_fields__))


def _experiment(raw: Any, where: str) -> Experiment:
    f = Fields(raw, where, *Experiment.__dataclass_fields__)
    challenger = _strategy(f.raw["challenger"], f.at("challenger"))
    return Experiment(challenger, f.number("share", 0, 1), f.text("salt", ".{1,100}"))


def _strategy(raw: Any, where: str) -> Strategy:
    f = Fields(raw, where, *Strategy.__dataclass_fields__)
    amounts = tuple(Fields({"a": a}, at, "a").whole("a", 1, MONEY_MAX) for a, at in f.each("amounts"))
    cutoffs = [_cutoff(item, at, len(amounts) + 1) for item, at in f.each("cutoffs")]
    _rising(tuple(months for months, _ in cutoffs), f.at("cutoffs"))
    limits = [Fields(item, at, "pd_up_to", "most_minor") for item, at in f.each("limits")]
    pairs = tuple((g.number("pd_up_to", 0, 1), g.whole("most_minor", 0, MONEY_MAX)) for g in limits)
    if any(a[0] >= b[0] or a[1] < b[1] for a, b in pairwise(pairs)):
        raise ArtifactError(f"{f.at('limits')}: as pd_up_to rises, most_minor must not")
    return Strategy(f.text("name", NAME), _rising(amounts, f.at("amounts")), dict(cutoffs), pairs)


def _cutoff(raw: Any, where: str, classes: int) -> tuple[int, tuple[float, ...]]:
    f = Fields(raw, where, "months", "pd_up_to")
    edges = tuple(Fields({"pd": edge}, at, "pd").number("pd", -1, 1) for edge, at in f.each("pd_up_to"))
    if len(edges) != classes:
        raise ArtifactError(f"{f.at('pd_up_to')} must have {classes} cut-offs, one more than there are amounts")
    return f.whole("months", 1, MONTHS_MAX), edges


def _rising(numbers: tuple[int, ...], where: str) -> tuple[int, ...]:
    if list(numbers) != sorted(set(numbers)):
        raise ArtifactError(f"{where} must rise")
    return numbers

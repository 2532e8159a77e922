"""Guesses about an unknown file: which canonical table it fills, which column is which, in what unit and format.

Names decide, values only confirm. A guess is for a person to check; nothing here reads more than a sample.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from features.columns import Column, Kind, Table
from features.tables import TABLES
from pipeline.ingest.convert import NO, YES, slug
from pipeline.ingest.mapping import DERIVED, LOCATION_COLUMNS
from pipeline.ingest.mapping_units import factors

# A value is shown in a draft only when this many sampled rows share it: a word of the source, not somebody's.
SHARED_BY_MIN = 5
TODO = "TODO"

_TABLE_WORDS: Mapping[str, tuple[str, ...]] = {
    "repayments": ("repay", "emi", "instal", "schedule"),
    "applications": ("application", "loan", "outcome"),
    "consents": ("consent",),
    "people": ("people", "person", "customer", "user", "profile", "attribute", "kyc"),
    "devices": ("device", "handset", "sim"),
    "calls": ("call", "cdr"),
    "messages": ("message", "sms"),
    "app_sessions": ("session", "foreground", "app_usage"),
    "app_installs": ("install", "package"),
    "web_visits": ("web", "visit", "brows"),
    "locations": ("location", "gps", "geo", "fix"),
    "topups": ("topup", "top_up", "recharge", "airtime"),
    "data_usage": ("data_usage", "traffic", "mobile_data"),
    "payments": ("payment", "upi", "transaction", "txn", "wallet"),
    "contact_names": ("contact_name", "own_number", "msisdn"),
    "brand_events": ("brand", "purchase", "loyalty", "warranty"),
}
_COLUMN_WORDS: Mapping[str, tuple[str, ...]] = {
    "person_id": ("person", "user_id", "user", "customer_id", "customer", "client_id", "borrower_id", "subscriber"),
    "application_id": ("application", "loan_id", "loan", "loan_number"),
    "event_at": ("happened_at", "occurred_at", "timestamp", "time", "datetime", "start_time", "gps_fix_at", "date"),
    "available_at": ("received_at", "server_upload_at", "uploaded_at", "upload_time", "synced_at", "ingested_at"),
    "applied_at": ("application_at", "application_date", "applied_on", "application_time"),
    "disbursed_at": ("disbursal_date", "disbursed_on", "paid_out_at"),
    "is_accepted": ("accepted", "approved", "granted"),
    "outcome": ("loan_outcome", "result", "label"),
    "amount_minor": ("amount", "principal", "loan_amount", "value", "price"),
    "rate_bp_month": ("rate", "interest_rate", "interest"),
    "tenor_days": ("tenor", "tenure", "term"),
    "due_at": ("due_date", "due_on"),
    "due_minor": ("due", "due_amount", "amount_due"),
    "paid_at": ("paid_on", "payment_date"),
    "paid_minor": ("paid", "paid_amount", "amount_paid"),
    "income_minor": ("income", "monthly_income", "salary"),
    "age_years": ("age",),
    "contact_id": ("contact", "counterpart", "other_number", "peer", "callee", "number"),
    "counterparty_id": ("counterparty", "payee", "payer", "merchant_id", "vpa"),
    "duration_s": ("duration", "length", "talk_time"),
    "direction": ("call_type", "type", "flow", "debit_credit"),
    "app_id": ("app", "package", "package_name"),
    "device_id": ("device", "imei", "handset_id"),
    "number_id": ("msisdn", "phone_number"),
    "bytes_total": ("bytes", "data", "volume", "total"),
    "balance_minor": ("balance",),
    "artefact_id": ("artefact", "artifact_id", "consent_id"),
}
_UNIT_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("rupees", "inr", "kes", "usd", "eur", "ngn", "php", "idr", "major"), "major"),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), "milliseconds"),
    **dict.fromkeys(("min", "mins", "minutes"), "minutes"),
    **{"hours": "hours", "kb": "kilobytes", "mb": "megabytes", "gb": "gigabytes", "weeks": "weeks", "years": "years"},
    **{"pct": "percent_a_month", "percent": "percent_a_month"},
}
_MINOR_WORDS = frozenset({"minor", "paise", "paisa", "cents"})
_VALUE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("incoming", "received", "credit", "cr", "1_in"), "in"),
    **dict.fromkeys(("outgoing", "sent", "debit", "dr", "dialled"), "out"),
    **{"repaid": "good", "paid": "good", "defaulted": "bad", "default": "bad", "m": "male", "f": "female"},
    **{"success": "done", "successful": "done", "completed": "done", "failure": "failed", "refunded": "reversed"},
}
_FORMATS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y")
# Seconds since 1970 have ten digits from 2001 to 2286; every finer unit has three more.
_EPOCH_DIGITS = {10: "seconds", 13: "milliseconds", 16: "microseconds", 19: "nanoseconds"}


@dataclass(frozen=True)
class Guess:
    """A source column for a canonical one, with options of the mapping; `doubt` is what a person should look at."""

    source: str
    options: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    doubt: str = ""


def guess_table(name: str, columns: Sequence[str]) -> Table | None:
    """The canonical table a file most likely fills, by its name and its columns' names; None when nothing speaks."""
    said = slug(name)
    scores = {t.name: _score(t, said, columns) for t in TABLES}
    best = max(scores, key=lambda table: scores[table])
    return next(t for t in TABLES if t.name == best) if scores[best] >= 1 else None


def guess_columns(table: Table, sample: Mapping[str, pa.Array]) -> dict[str, Guess]:
    """A source column for each canonical one where a name speaks for it; each source column is used once."""
    left = list(sample)
    found: dict[str, Guess] = {}
    for column in table.columns:
        if column.name == DERIVED or (table.name == "locations" and column.name in LOCATION_COLUMNS):
            continue
        source = _match(column.name, left)
        if source is not None:
            left.remove(source)
            found[column.name] = _examined(column, source, sample[source])
    return found


def find_coordinates(columns: Sequence[str]) -> tuple[str, str] | None:
    """The source columns of latitude and longitude, when both are there."""
    latitude = _first(columns, ("latitude", "lat"))
    longitude = _first(columns, ("longitude", "lon", "lng", "long"))
    return (latitude, longitude) if latitude and longitude else None


def is_value(name: str) -> bool:
    """Whether what should be a column's name looks like a number, a time or an address."""
    is_number = any(c.isdigit() for c in name) and not any(c.isalpha() for c in name)
    return is_number or "@" in name or re.match(r"\d{4}-\d\d-\d\d", name) is not None


def _score(table: Table, name: str, columns: Sequence[str]) -> float:
    word = next((len(w) for w in _TABLE_WORDS[table.name] if w in name), 0)
    own = [c.name for c in table.columns if c.name not in ("person_id", "event_at", "available_at", DERIVED)]
    matched = sum(_match(c, list(columns)) is not None for c in own) / len(own)
    place = 1.0 if table.name == "locations" and find_coordinates(columns) else 0.0
    return (1 + word / 100) * (word > 0) + matched + place - 0.01


def _match(canonical: str, sources: list[str]) -> str | None:
    words = (canonical, canonical.removesuffix("_id"), _bare(canonical), *_COLUMN_WORDS.get(canonical, ()))
    return _first(sources, words) or _first({_bare(s): s for s in sources}, words)


def _first(names: Sequence[str] | Mapping[str, str], words: Sequence[str]) -> str | None:
    by_slug = {slug(n): (names[n] if isinstance(names, Mapping) else n) for n in names}
    return next((by_slug[word] for word in words if word in by_slug), None)


def _bare(name: str) -> str:
    """A name without a unit at its end."""
    parts = slug(name).split("_")
    known = parts[-1] in _UNIT_WORDS or parts[-1] in _MINOR_WORDS or parts[-1] in ("s", "days", "months")
    return "_".join(parts[:-1]) if known and len(parts) > 1 else "_".join(parts)


def _examined(column: Column, source: str, values: pa.Array) -> Guess:
    match column.kind:
        case Kind.TIMESTAMP:
            return _time(source, values)
        case Kind.INTEGER | Kind.NUMBER:
            return _number(column, source)
        case Kind.CATEGORY | Kind.FLAG:
            return _choice(column, source, values)
        case _:
            return Guess(source)


def _time(source: str, values: pa.Array) -> Guess:
    texts = _texts(values)
    if pa.types.is_temporal(values.type) or not texts:
        return Guess(source)
    if all(re.fullmatch(r"-?\d+(\.\d+)?", text) for text in texts):
        digits = Counter(len(text.split(".")[0]) for text in texts).most_common(1)[0][0]
        unit = _EPOCH_DIGITS.get(digits)
        return Guess(source, {"unit": unit}) if unit else Guess(source, {}, "numbers: of what unit, since when?")
    for form in ("", *_FORMATS):
        if sum(_fits(text, form) for text in texts) >= 0.9 * len(texts):
            return Guess(source, {"format": form} if form else {}, "day first, or month first?" if form else "")
    return Guess(source, {}, "not read as a time; give a format")


def _number(column: Column, source: str) -> Guess:
    last = slug(source).split("_")[-1]
    unit = _UNIT_WORDS.get(last, "")
    if unit in factors(column.unit):
        return Guess(source, {"unit": unit})
    if column.unit.startswith("minor units") and last not in _MINOR_WORDS:
        return Guess(source, {"unit": "major"}, "in rupees, shillings? drop the unit if in minor units already")
    clear = column.name == source or not factors(column.unit)
    return Guess(source, {}, "" if clear else f"is it in {column.unit}?")


def _choice(column: Column, source: str, values: pa.Array) -> Guess:
    shared = [text for text, count in Counter(_texts(values)).items() if count >= SHARED_BY_MIN]
    if column.kind is Kind.FLAG:
        odd = [text for text in shared if text.lower() not in YES | NO]
        known: Mapping[str, str] = {}
    else:
        odd = [text for text in shared if column.values and slug(text) not in column.values]
        known = {text: _VALUE_WORDS[slug(text)] for text in odd if _VALUE_WORDS.get(slug(text)) in column.values}
    mapped = {text: known.get(text, TODO) for text in sorted(odd)[:20]}
    allowed = "true or false" if column.kind is Kind.FLAG else ", ".join(column.values)
    return Guess(source, {"values": mapped} if mapped else {}, f"one of: {allowed}" if TODO in mapped.values() else "")


def _fits(text: str, form: str) -> bool:
    try:
        _ = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _texts(values: pa.Array) -> list[str]:
    return [text for text in values.cast(pa.string()).to_pylist() if text]

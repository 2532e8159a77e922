"""What stops at the door whatever a mapping says: columns never taken in, or only in a reduced form.

A column is told by its name, without regard to case, blanks and underscores. A mapping can refuse more, not less; what
may lie in a file unread, it names under `drop` with a reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from features.columns import Kind


class Form(StrEnum):
    """What a forbidden column may be read as."""

    NOTHING = "nothing"
    PSEUDONYM = "a keyed pseudonym"
    CELL = "a coarse cell, through 'location'"


@dataclass(frozen=True)
class Forbidden:
    """One kind of column: what it is, the only form it may be read in, and the names it goes by."""

    what: str
    form: Form
    names: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FORBIDDEN = (
    Forbidden(
        "the text of messages",
        Form.NOTHING,
        _words(
            "message_text message_body message_content sms sms_text sms_body sms_content body chat_text "
            "notification_text email_body transcript"
        ),
    ),
    Forbidden(
        "photos, sound or film",
        Form.NOTHING,
        _words("photo photos photo_base64 selfie image images picture avatar video audio recording media"),
    ),
    Forbidden(
        "a list of apps or contacts",
        Form.NOTHING,
        _words("app_list apps installed_apps installed_packages contacts contact_list phone_book address_book"),
    ),
    Forbidden(
        "an address on the web, or what was searched for",
        Form.NOTHING,
        _words("url page_url page_title search_query search_term"),
    ),
    Forbidden(
        "a name",
        Form.PSEUDONYM,
        _words(
            "name full_name first_name last_name surname nickname contact_name caller_name callee_name sender_name "
            "recipient_name display_name cached_name"
        ),
    ),
    Forbidden(
        "somebody's number or address",
        Form.PSEUDONYM,
        _words(
            "phone phone_number mobile mobile_number msisdn contact_number caller_number called_number email "
            "email_address address home_address street imei imsi upi_id national_id aadhaar pan passport_number"
        ),
    ),
    Forbidden("the name of an app", Form.PSEUDONYM, _words("app_name app_label app_package package_name")),
    Forbidden(
        "a precise place",
        Form.CELL,
        _words("latitude longitude lat lon lng gps coordinates geohash geolocation geo_point"),
    ),
)


def bare(name: str) -> str:
    """A column's name as it is compared: small letters and digits alone."""
    return "".join(c for c in name.casefold() if c.isalnum())


_BY_NAME = {bare(name): kind for kind in FORBIDDEN for name in kind.names}


def kind_of(name: str) -> Forbidden | None:
    """The forbidden kind that a column's name gives away."""
    return _BY_NAME.get(bare(name))


def barred(names: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Those of a file's columns that may not lie in it: of a forbidden kind, and neither read nor dropped."""
    known = set(allowed)
    return sorted({name for name in names if name not in known and kind_of(name) is not None})


def told(names: Iterable[str]) -> str:
    """Columns with what they are: `body (the text of messages)`."""
    kinds = {name: kind_of(name) for name in names}
    return ", ".join(f"{name} ({kind.what})" for name, kind in kinds.items() if kind is not None)


def check_read(column: str, kind: Kind, sources: Iterable[str]) -> None:
    """Refuse (ValueError) to read a forbidden column as anything but the form it is reduced to."""
    for name in sources:
        found = kind_of(name)
        if found is None or (found.form is Form.PSEUDONYM and kind is Kind.PSEUDONYM):
            continue
        raise ValueError(f"column '{column}' is read from '{name}', {found.what}: that may become {found.form}")

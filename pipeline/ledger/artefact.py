"""The schema of a ledger's records: a consent artefact, and a notice that its status changed.

The names are those of the Account Aggregator specification, version 2 (ReBIT, consent artefact and consent status
notification). `fiTypes` hold the kinds of data agreed to, `Purpose.code` what for. Keys outside the schema are faults,
since a key nobody knows may be a limit nobody keeps to; and a fault names a rule, never what stood there.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from pipeline.params import Moment

Status = Literal["ACTIVE", "PAUSED", "REVOKED", "EXPIRED"]
CODE = r"^[A-Za-z0-9_-]{1,24}$"
UNFIT = "unfit"
_DATED = re.compile(r"\d{4}-\d\d-\d\d[T ]")


def _written_out(value: Any) -> Any:
    """A time as text or as a typed time; a bare number could be seconds or milliseconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATED.match(value)):
        return value
    raise ValueError("is no time, such as 2026-01-01T00:00:00Z")


Time = Annotated[Moment, BeforeValidator(_written_out)]
Text = Annotated[str, Field(min_length=1)]


class Record(BaseModel):
    """A part of the schema: closed to keys it does not know, and never shown, since it holds a person's data."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(not shown)"

    __str__ = __repr__


class Party(Record):
    """A data consumer, a data provider or a notifier."""

    id: Text
    type: Text | None = None


class Identifier(Record):
    """One more name of the customer, and of what kind."""

    type: Text
    value: Text


class Customer(Record):
    """Who agreed."""

    id: Text
    identifiers: tuple[Identifier, ...] = Field((), alias="Identifiers")


class Kind(Record):
    """The category that a purpose is filed under."""

    type: Text


class Purpose(Record):
    """What the data are wanted for; the code counts, the text is for people."""

    code: str = Field(pattern=CODE)
    text: Text | None = None
    ref_uri: Text | None = Field(None, alias="refUri")
    category: Kind | None = Field(None, alias="Category")


class DataRange(Record):
    """The times of the events agreed to: from the first moment up to the second, that one excluded."""

    starts: Time = Field(alias="from")
    ends: Time = Field(alias="to")


class DataLife(Record):
    """How long data may be kept."""

    unit: Literal["DAY", "MONTH", "YEAR", "INF"]
    value: int = Field(ge=0, le=36_500, strict=True)


class Frequency(Record):
    """How many times in a unit data may be fetched."""

    unit: Literal["HOUR", "DAY", "MONTH", "YEAR", "INF"]
    value: int = Field(ge=0, le=1_000_000, strict=True)


class ConsentDetail(Record):
    """What was agreed to."""

    starts: Time = Field(alias="consentStart")
    expires: Time = Field(alias="consentExpiry")
    mode: Literal["VIEW", "STORE", "QUERY", "STREAM"] = Field(alias="consentMode")
    fetch_type: Literal["ONETIME", "PERIODIC"] = Field(alias="fetchType")
    types: frozenset[Literal["PROFILE", "SUMMARY", "TRANSACTIONS"]] = Field(alias="consentTypes", min_length=1)
    fi_types: frozenset[Text] = Field(alias="fiTypes", min_length=1)
    consumer: Party = Field(alias="DataConsumer")
    provider: Party | None = Field(None, alias="DataProvider")
    customer: Customer = Field(alias="Customer")
    accounts: tuple[dict[str, Any], ...] = Field((), alias="Accounts")
    purpose: Purpose = Field(alias="Purpose")
    data_range: DataRange = Field(alias="FIDataRange")
    data_life: DataLife = Field(alias="DataLife")
    frequency: Frequency = Field(alias="Frequency")
    filters: tuple[dict[str, Any], ...] = Field((), alias="DataFilter")

    @model_validator(mode="after")
    def _can_be_kept_to(self) -> Self:
        if self.expires <= self.starts:
            raise PydanticCustomError(UNFIT, "consentExpiry is not after consentStart")
        if self.data_range.ends <= self.data_range.starts:
            raise PydanticCustomError(UNFIT, "FIDataRange.to is not after FIDataRange.from")
        if self.filters:
            raise PydanticCustomError(UNFIT, "DataFilter limits what may be read, and no filter is kept to here")
        return self


class ConsentUse(Record):
    """How the artefact was used so far, by the aggregator's count."""

    log_uri: str | None = Field(None, alias="logUri")
    count: int | None = None
    last_used: Time | None = Field(None, alias="lastUseDateTime")


class Artefact(Record):
    """A consent artefact, its signature verified and taken off before it came here."""

    id: Text = Field(alias="consentId")
    status: Status
    detail: ConsentDetail = Field(alias="ConsentDetail")
    created: Time | None = Field(None, alias="createTimestamp")
    timestamp: Time | None = None
    ver: str | None = None
    txnid: str | None = None
    handle: str | None = Field(None, alias="consentHandle")
    use: ConsentUse | None = Field(None, alias="ConsentUse")


class StatusChange(Record):
    """Which artefact, and its new status."""

    id: Text = Field(alias="consentId")
    status: Status = Field(alias="consentStatus")
    handle: str | None = Field(None, alias="consentHandle")


class Notice(Record):
    """A consent status notification: from `timestamp` on the artefact has another status."""

    timestamp: Time
    change: StatusChange = Field(alias="ConsentStatusNotification")
    notifier: Party | None = Field(None, alias="Notifier")
    ver: str | None = None
    txnid: str | None = None


class MalformedError(ValueError):
    """A record that is not of the schema; `rules` say how, without a value or a name that the record brought along."""

    def __init__(self, rules: tuple[str, ...]) -> None:
        super().__init__("; ".join(rules))
        self.rules = rules


def parse(record: Mapping[str, Any] | None) -> Artefact | Notice:
    """One record of a ledger, None where none could be read; absent and null keys are the same.

    Another shape is a `MalformedError`.
    """
    if record is None:
        raise MalformedError(("is not a JSON object with each key once",))
    kind = Artefact if record.get("ConsentStatusNotification") is None else Notice
    try:
        return kind.model_validate(_without_nulls(record))
    except ValidationError as error:
        rules = (_rule(fault) for fault in error.errors(include_url=False, include_input=False))
        raise MalformedError(tuple(dict.fromkeys(rules))) from None
    except OverflowError:
        raise MalformedError(("holds a time outside the calendar once it is told in UTC",)) from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(held) for key, held in value.items() if held is not None}
    return [_without_nulls(held) for held in value] if isinstance(value, list) else value


def _rule(fault: Any) -> str:
    steps = fault["loc"]
    if fault["type"] == "extra_forbidden":
        return f"{_named(steps[:-1]) or 'the record'} holds a key that is not of the schema"
    if fault["type"] == UNFIT:
        return str(fault["msg"])
    if fault["type"] == "value_error":
        return f"{_named(steps)} {fault['ctx']['error']}"
    said = _WORDS.get(fault["type"], "is not of the kind that the schema asks for")
    return f"{_named(steps)} {said.format(**fault.get('ctx', {}))}"


def _named(steps: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in steps if isinstance(step, str))


_WORDS = {
    "missing": "is missing",
    "literal_error": "is not one of {expected}",
    "string_type": "is not text",
    "string_too_short": "is empty",
    "too_short": "is empty",
    "string_pattern_mismatch": "is no code of at most 24 letters, digits, _ or -",
    "datetime_from_date_parsing": "is no time, such as 2026-01-01T00:00:00Z",
    "datetime_parsing": "is no time, such as 2026-01-01T00:00:00Z",
    "int_type": "is no whole number",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
}

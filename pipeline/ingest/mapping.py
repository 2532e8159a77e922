"""How a lender's own files become the canonical tables: the schema of a mapping, and its reader.

`data/mappings/README.md` explains every key to the person who writes one.
"""

from collections.abc import Mapping as Map
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from features.columns import PURPOSES, Category, Table
from features.tables import BY_NAME
from pipeline.ingest import door
from pipeline.ingest.mapping_ledger import Ledger
from pipeline.ingest.mapping_parts import Encoding, Names, Part, Patterns, Zone, unknown
from pipeline.ingest.mapping_readings import Reading, check_reading
from pipeline.yamls import faults, read_yaml, wrong
from saakh.errors import MappingError

MISSING = ("", "NaN", "nan", "NULL", "null")
DERIVED = "local_at"
LOCATION_COLUMNS = ("cell_id", "east_m", "north_m")


def _short(value: Any) -> Any:
    return {"from": value} if isinstance(value, (str, list)) else value


class Location(Part):
    """Two coordinates in degrees that become a coarse cell; they go no further than this."""

    latitude: str
    longitude: str
    cell_degrees: float = Field(0.02, ge=0.01, le=1)


class Clock(Part):
    """How far `event_at` may lie from `available_at` before the receiver's clock is believed instead."""

    days_before_receipt_max: float = Field(gt=0, le=36_525)
    minutes_after_receipt_max: float = Field(ge=0, le=525_960)


class Consent(Part):
    """A consent the source vouches for, when it hands over no artefacts."""

    basis: Annotated[str, Field(pattern="^asserted_by_source$")]
    categories: tuple[Category, ...] = Field(min_length=1)
    purposes: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known_purposes(self) -> Self:
        for purpose in self.purposes:
            if purpose not in PURPOSES:
                raise ValueError(unknown("purpose", purpose, PURPOSES))
        return self


class Source(Part):
    """Files of one shape and the canonical table they fill; of an `optional` source there may be none."""

    files: Patterns = Field(min_length=1)
    table: str
    optional: bool = False
    columns: Map[str, Annotated[Reading, BeforeValidator(_short)]]
    location: Location | None = None
    clock: Clock | None = None
    drop: Map[str, str] = Field(default_factory=dict)
    missing: Names = MISSING
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: Encoding = "utf8"

    @model_validator(mode="after")
    def _fits_table(self) -> Self:
        if self.table not in BY_NAME:
            raise ValueError(unknown("table", self.table, BY_NAME))
        for name, reading in self.columns.items():
            check_reading(self.canonical, name, self.columns)
            door.check_read(name, self.canonical.column(name).kind, reading.from_)
        if self.location and self.table != "locations":
            raise ValueError("'location' belongs to the table locations only")
        if self.clock and not ({"event_at", "available_at"} <= self.columns.keys()):
            raise ValueError("'clock' compares event_at with available_at; map both from source columns")
        self._all_required()
        self._dropped_or_read()
        return self

    @property
    def canonical(self) -> Table:
        """The canonical table this source fills."""
        return BY_NAME[self.table]

    @property
    def derived(self) -> frozenset[str]:
        """The canonical columns that no `columns` entry may name."""
        return frozenset((DERIVED, *(LOCATION_COLUMNS if self.location else ())))

    @property
    def read(self) -> tuple[str, ...]:
        """The source columns read, each once, in order."""
        place = (self.location.latitude, self.location.longitude) if self.location else ()
        return tuple(dict.fromkeys((*(c for r in self.columns.values() for c in r.from_), *place)))

    def _all_required(self) -> None:
        clash = sorted(self.derived & self.columns.keys())
        if clash:
            raise ValueError(f"{', '.join(clash)}: worked out by ingest; leave it out of 'columns'")
        lacking = [
            c.name
            for c in self.canonical.columns
            if c.required and c.name not in self.columns and c.name not in self.derived
        ]
        if lacking:
            hint = " (a source without a receiving time may say available_at: {like: event_at})"
            place = " (or give 'location')" if set(lacking) & set(LOCATION_COLUMNS) else ""
            hint = hint if "available_at" in lacking else place
            raise ValueError(f"table {self.table} requires {', '.join(lacking)}; add under 'columns'{hint}")

    def _dropped_or_read(self) -> None:
        for name, reason in self.drop.items():
            if name in self.read:
                raise ValueError(f"source column '{name}' is both read and under 'drop'")
            if not reason.strip():
                raise ValueError(f"'drop: {name}' needs a reason")


class Mapping(Part):
    """A mapping: the zones, the consent or its ledger, and the sources in the order they are read."""

    description: str = ""
    time_zone: Zone = "UTC"
    local_zone: Zone
    reference_latitude: float | None = Field(None, gt=-80, lt=80)
    refuse: tuple[str, ...] = ()
    consent: Consent | None = None
    ledger: Ledger | None = None
    sources: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.consents_from_source, self.consent is not None, self.ledger is not None).count(True) != 1:
            raise ValueError(
                "needs either a source for the table consents, a top-level 'ledger: {files: [...]}' of artefacts, or a "
                "top-level 'consent: {basis: asserted_by_source, categories: [...], purposes: [...]}' when the "
                "source vouches for it; only one of them"
            )
        if self.reference_latitude is None and any(s.location for s in self.sources):
            raise ValueError("'location' needs a top-level 'reference_latitude', one number for the whole drop")
        for at, source in enumerate(self.sources):
            taken = sorted(c for c in (*source.read, *source.drop) if c.casefold() in self.refused)
            if taken:
                raise ValueError(f"sources[{at}] reads or drops {', '.join(taken)}, which 'refuse' forbids")
        return self

    @property
    def consents_from_source(self) -> bool:
        """Whether a source fills the table consents row by row."""
        return any(s.table == "consents" for s in self.sources)

    @property
    def refused(self) -> frozenset[str]:
        """The names no file may carry, without regard to case."""
        return frozenset(name.casefold() for name in self.refuse)


def read_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file; a `MappingError` names the key, what was wrong, and the nearest known name."""
    try:
        return Mapping.model_validate(read_yaml(path))
    except ValidationError as error:
        raise MappingError(f"{path}: {'; '.join(map(_fault, faults(error)))}") from None


def _fault(fault: Any) -> str:
    steps = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]]
    where = "".join(steps).lstrip(".")
    return f"{where}: {wrong(fault)}" if where else wrong(fault)

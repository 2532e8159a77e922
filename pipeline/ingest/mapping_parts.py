"""What every part of a mapping has in common: closed keys with a hint, names, zones, and how a fault is put."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence about a name that is not known: the nearest known one, and all of them."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"unknown {what} '{name}'; {hint}known: {', '.join(names) or 'none'}"


class Part(BaseModel):
    """A part of a mapping: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, raw: Any) -> Any:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in raw if isinstance(raw, dict) else ():
            if key not in known:
                raise ValueError(unknown("key", str(key), known))
        return raw


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone '{name}'; use a name such as Asia/Kolkata or UTC") from None
    return name


def _encoding(name: str) -> str:
    try:
        _ = "a".encode(name)  # refuses those that are not of text, such as base64
    except (LookupError, UnicodeError):
        raise ValueError(f"no encoding '{name}'; use a name such as utf8 or latin-1") from None
    return name


def _inside(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Patterns that stay within the source folder, and that `Path.glob` can read."""
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        if not parts or parts[0] == "/" or ".." in parts or any("**" in part and part != "**" for part in parts):
            raise ValueError(f"'{pattern}' is no pattern within ingest.source, such as calls/*.parquet or **/*.csv")
    return patterns


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Zone = Annotated[str, AfterValidator(_zone)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Patterns = Annotated[Names, AfterValidator(_inside)]

"""Typed values out of JSON and nothing else: what is missing, unknown, mistyped or unbounded is refused by name."""

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from saakh.errors import ArtifactError

NUMBER_MAX = 1e15
TEXT_MAX = 2_000
_compiled = cache(re.compile)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false"}


def parse_json(body: bytes, where: str) -> Any:
    """JSON without repeated keys, NaN, infinity or nesting too deep to read."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{where} is not readable JSON ({str(error)[:100]})") from None


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


class Fields:
    """The fields of a JSON object that has exactly the keys named; `where` says which object in messages."""

    def __init__(self, raw: Any, where: str, *keys: str) -> None:
        self.where = where
        self.raw: dict[str, Any] = _typed(raw, dict, where)
        if self.raw.keys() == set(keys):
            return
        if missing := [k for k in keys if k not in self.raw]:
            raise ArtifactError(f"{where} has no {', '.join(missing)}")
        unknown = sorted(set(self.raw) - set(keys))
        raise ArtifactError(f"{where} has unknown keys {', '.join(unknown)[:200]}; known: {', '.join(keys)}")

    def at(self, key: str) -> str:
        """Where a field is, for messages."""
        return f"{self.where}.{key}"

    def number(self, key: str, low: float = -NUMBER_MAX, high: float = NUMBER_MAX) -> float:
        """A finite number between two bounds."""
        return self._number(key, self.raw[key], low, high)

    def _number(self, at: str, value: Any, low: float = -NUMBER_MAX, high: float = NUMBER_MAX) -> float:
        if type(value) is not float and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ArtifactError(f"{self.at(at)} is not a number")
        if not low <= value <= high:  # false for NaN too
            raise ArtifactError(f"{self.at(at)} is not between {low:g} and {high:g}")
        return float(value)

    def positive(self, key: str) -> float:
        """A number above zero."""
        return self.number(key, low=math.ulp(0.0))

    def maybe_number(self, key: str) -> float | None:
        """A finite number, or null."""
        return None if self.raw[key] is None else self.number(key)

    def maybe_range(self, key: str) -> tuple[float, float] | None:
        """Two finite numbers, the first not above the second, or null."""
        if self.raw[key] is None:
            return None
        items: list[Any] = self._typed(key, list)
        ends = [self._number(f"{key}[{i}]", item) for i, item in enumerate(items)]
        if len(ends) != 2 or ends[0] > ends[1]:
            raise ArtifactError(f"{self.at(key)} is not a range: two numbers, the lower first")
        return ends[0], ends[1]

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number between two bounds."""
        if not isinstance(self.raw[key], int):
            raise ArtifactError(f"{self.at(key)} is not a whole number")
        return int(self.number(key, low, high))

    def text(self, key: str, pattern: str = "") -> str:
        """A text of bounded length that matches a pattern, if one is given, as a whole."""
        value: str = self._typed(key, str)
        is_fit = not pattern or _compiled(pattern).fullmatch(value)
        if len(value) > TEXT_MAX or not is_fit or not _is_whole(value):
            raise ArtifactError(f"{self.at(key)} is not text of the form expected")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value: bool = self._typed(key, bool)
        return value

    def each(self, key: str) -> Iterator[tuple[Any, str]]:
        """The items of a list, each with where it is."""
        items = self._typed(key, list)
        return ((item, f"{self.at(key)}[{i}]") for i, item in enumerate(items))

    def named(self, key: str) -> dict[str, Any]:
        """An object with keys of its own."""
        found: dict[str, Any] = self._typed(key, dict)
        return found

    def _typed(self, key: str, kind: type) -> Any:
        value = self.raw[key]
        return value if type(value) is kind else _typed(value, kind, self.at(key))


def _is_whole(text: str) -> bool:
    """Whether no character is half of one, which JSON can write and UTF-8 cannot."""
    return text.isascii() or not _HALF_CHARACTER.search(text)


def _typed(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind):
        raise ArtifactError(f"{where} is not {_KINDS[kind]}")
    return value

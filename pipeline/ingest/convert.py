"""One column of a source as one canonical column: text, numbers, times, categories and flags, with what went wrong.

Faulty values become null and are named by position and rule; missing values are null and no fault.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Column, Kind
from pipeline.canonical import TYPES
from pipeline.ingest.clocks import MICROSECONDS, from_format, from_stored, from_text, salvage
from pipeline.ingest.mapping_readings import Reading
from pipeline.ingest.mapping_units import EPOCH_UNITS, factors
from pipeline.pseudonyms import Pseudonyms
from saakh.errors import MappingError

YES = frozenset({"true", "t", "1", "yes", "y"})
NO = frozenset({"false", "f", "0", "no", "n"})
LARGEST_WHOLE = 2.0**53
SLUG = re.compile(r"[a-z0-9_]{1,24}")
JOINT = "\x1f"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fault:
    """Rows of a batch that break one rule in one source column."""

    rule: str
    column: str
    rows: Mask


@dataclass(frozen=True)
class Converted:
    """A canonical column, null where a value is missing or faulty, and the faults."""

    values: pa.Array
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Converter:
    """Converts source columns; `zone` is that of times that carry none, `missing` the texts that mean no value."""

    pseudonyms: Pseudonyms
    zone: str
    missing: tuple[str, ...]

    def convert(self, column: Column, reading: Reading, raw: dict[str, pa.Array]) -> Converted:
        """A canonical column from source columns; a type that cannot be read so is a `MappingError`."""
        name = "+".join(reading.from_)
        try:
            return self._by_kind(column, reading, [raw[source] for source in reading.from_], name)
        except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
            kinds = ", ".join(str(raw[source].type) for source in reading.from_)
            raise MappingError(f"column '{name}' is of type {kinds}, which cannot be read as a {column.kind}") from None

    def _by_kind(self, column: Column, reading: Reading, raw: list[pa.Array], name: str) -> Converted:
        match column.kind:
            case Kind.PSEUDONYM:
                return Converted(self.pseudonyms.column(column.domain, self._identifier(raw)))
            case Kind.TIMESTAMP:
                return self._times(reading, raw[0], name)
            case Kind.INTEGER | Kind.NUMBER:
                return self._numbers(column, reading, raw[0], name)
            case _:
                return self._choices(column, reading, raw[0], name)

    def text(self, raw: pa.Array) -> pa.Array:
        """A column as trimmed text, a dictionary; whole floats without a point, so that 7.0 is the id 7."""
        if pa.types.is_floating(raw.type):
            raw = _whole(raw)
        coded = raw if pa.types.is_dictionary(raw.type) else pc.dictionary_encode(raw)
        trimmed = self._given(pc.utf8_trim_whitespace(coded.dictionary.cast(pa.string())))
        return pa.DictionaryArray.from_arrays(coded.indices, trimmed)

    def numbers(self, raw: pa.Array) -> tuple[pa.Array, Mask]:
        """A column as numbers (int64 if it holds such, else float64), and where text was no number."""
        raw = _plain(raw)
        if not _is_text(raw):
            return _numeric(raw), np.zeros(len(raw), bool)
        given = self._given(raw)
        # Never as whole numbers: Arrow would read hexadecimal ones, and only in a batch without a point.
        read = salvage(given, lambda some: some.cast(pa.float64()), pa.float64())
        return _numeric(read), self._unread(given, read)

    def _numbers(self, column: Column, reading: Reading, raw: pa.Array, name: str) -> Converted:
        numbers, unreadable = self.numbers(raw)
        factor = reading.times or factors(column.unit).get(reading.unit or "", 1.0)
        values, beyond, broken = _scaled(numbers, factor, column)
        faults = [Fault("not_a_number", name, unreadable), Fault("not_whole", name, broken)]
        faults.append(Fault("out_of_range", name, beyond))
        return Converted(values, tuple(f for f in faults if f.rows.any()))

    def _times(self, reading: Reading, raw: pa.Array, name: str) -> Converted:
        raw, zone = _plain(raw), reading.zone or self.zone
        if pa.types.is_temporal(raw.type):
            return Converted(from_stored(raw, zone))
        if reading.unit is not None:
            return self._epochs(reading.unit, raw, name)
        if not _is_text(raw):
            raise MappingError(f"column '{name}' holds numbers; say their unit since 1970: {', '.join(EPOCH_UNITS)}")
        given = self._given(raw)
        read = from_format(given, reading.format, zone) if reading.format else from_text(given, zone)
        return _faulty(read, "bad_time", name, self._unread(given, read))

    def _epochs(self, unit: str, raw: pa.Array, name: str) -> Converted:
        numbers, unreadable = self.numbers(raw)
        multiplier, divisor = EPOCH_UNITS[unit]
        scaled = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False) * (multiplier / divisor)
        bad = unreadable | ~(np.abs(scaled) < LARGEST_WHOLE)
        whole = np.where(bad, 0, np.floor(scaled)).astype(np.int64)
        values = pa.array(whole, mask=_mask(numbers.is_null()) | bad).cast(MICROSECONDS)
        return _faulty(values, "bad_time", name, bad)

    def _choices(self, column: Column, reading: Reading, raw: pa.Array, name: str) -> Converted:
        coded = self.text(raw)
        targets = [None if value is None else _target(column, reading, value) for value in coded.dictionary.to_pylist()]
        values = pa.array(targets, TYPES[column.kind]).take(coded.indices)
        given = coded.dictionary.is_valid().take(coded.indices)
        unknown = _mask(pc.and_(pc.fill_null(given, False), values.is_null()))
        return _faulty(values, "unknown_value", name, unknown)

    def _identifier(self, raw: list[pa.Array]) -> pa.Array:
        """One or several columns as one id; missing where any part is."""
        parts = [_without_point(self.text(part)) for part in raw]
        return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*map(_plain, parts), JOINT)

    def _given(self, text: pa.Array) -> pa.Array:
        return pc.if_else(pc.is_in(text, pa.array(self.missing, pa.string())), pa.scalar(None, pa.string()), text)

    def _unread(self, given: pa.Array, read: pa.Array) -> Mask:
        """Where a text was given and nothing could be read; blanks around a word for missing do not make it a value."""
        unread = pc.and_(given.is_valid(), read.is_null())
        if not pc.any(unread).as_py():
            return _mask(unread)
        return _mask(pc.and_(unread, self._given(pc.utf8_trim_whitespace(given)).is_valid()))


def slug(text: str) -> str:
    """Text as a slug: lower case, everything but letters and digits one underscore."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _target(column: Column, reading: Reading, value: str) -> str | bool | None:
    if value in reading.values:
        return reading.values[value]
    if column.kind is Kind.FLAG:
        known: str | bool | None = True if value.lower() in YES else False if value.lower() in NO else None
    else:
        named = slug(value)
        known = named if (named in column.values if column.values else SLUG.fullmatch(named)) else None
    return reading.otherwise if known is None else known


def _scaled(numbers: pa.Array, factor: float, column: Column) -> tuple[pa.Array, Mask, Mask]:
    """Values in the canonical unit and type, where they are out of range, and where they should be whole and are not.

    A conversion of units rounds half to even; a number taken as it is must be whole already.
    """
    held = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False)
    held = held * factor if factor != 1.0 else held
    integer = column.kind is Kind.INTEGER
    beyond = ~(np.abs(held) < LARGEST_WHOLE)
    beyond |= held < (-np.inf if column.low is None else column.low)
    beyond |= held > (np.inf if column.high is None else column.high)
    rounded = np.rint(np.where(beyond, 0, held)) if integer and held.dtype.kind == "f" else held
    broken = ~beyond & (rounded != held) if factor == 1.0 else np.zeros(len(held), bool)
    kept = np.where(beyond | broken, 0, rounded).astype(np.int64 if integer else np.float64)
    return pa.array(kept, mask=_mask(numbers.is_null()) | beyond | broken), beyond, broken


def _faulty(values: pa.Array, rule: str, name: str, rows: Mask) -> Converted:
    return Converted(values, (Fault(rule, name, rows),) if rows.any() else ())


def _whole(raw: pa.Array) -> pa.Array:
    """Floats as whole numbers where all of them are; NaN is missing."""
    known = pc.if_else(pc.is_nan(raw), pa.scalar(None, raw.type), raw)
    try:
        return known.cast(pa.int64())
    except pa.ArrowInvalid:
        return known


def _without_point(text: pa.Array) -> pa.Array:
    """Ids that are whole numbers, as they are written: 7.0 is what becomes of 7 in a column with gaps."""
    whole = pc.replace_substring_regex(text.dictionary, r"^([0-9]+)\.0+$", r"\1")
    return pa.DictionaryArray.from_arrays(text.indices, whole)


def _numeric(raw: pa.Array) -> pa.Array:
    """Numbers of any type as int64 or float64; NaN is missing."""
    if pa.types.is_boolean(raw.type) or (pa.types.is_integer(raw.type) and raw.type != pa.uint64()):
        return raw.cast(pa.int64())
    floats = raw.cast(pa.float64(), safe=False)
    return pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats)


def _plain(raw: pa.Array) -> pa.Array:
    plain = raw.cast(raw.type.value_type) if pa.types.is_dictionary(raw.type) else raw
    return plain.cast(pa.string()) if pa.types.is_large_string(plain.type) else plain


def _is_text(raw: pa.Array) -> bool:
    return pa.types.is_string(raw.type)


def _mask(flags: pa.Array) -> Mask:
    mask: Mask = flags.to_numpy(zero_copy_only=False)
    return mask

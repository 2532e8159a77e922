"""Coordinates as coarse cells: a keyed pseudonym, and metres from the person's own secret origin. No degree passes on.

Metres are equirectangular at one reference latitude for the whole drop (Snyder 1987, Map Projections, section 12), so
the distance between two cells does not depend on which other fixes there are.
"""

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.ingest.convert import Converter, Fault
from pipeline.ingest.mapping import Location

EARTH_METRES_A_DEGREE = math.pi * 6_371_008.8 / 180
_SNAP = 1e-6  # of a cell: a coordinate written as a multiple of the step lies in the cell it opens
_SPREAD = 1_000_000

Degrees = npt.NDArray[np.float64]


def coarsen(
    raw: dict[str, pa.Array], person: pa.Array, location: Location, reference_latitude: float, converter: Converter
) -> tuple[dict[str, pa.Array], tuple[Fault, ...]]:
    """The columns cell_id, east_m and north_m of a batch, null where a coordinate is missing or no place on Earth.

    raw: source columns; person: the pseudonyms of the batch, as a dictionary.
    """
    latitude, bad_latitude = _degrees(raw, location.latitude, 90, converter)
    longitude, bad_longitude = _degrees(raw, location.longitude, 180, converter)
    missing = np.isnan(latitude) | np.isnan(longitude)
    rows, columns = (_cell(degrees, location.cell_degrees, missing) for degrees in (latitude, longitude))
    cells = pc.dictionary_encode(pa.array(rows * _SPREAD + columns))
    names = pa.array([_name(code, location.cell_degrees) for code in cells.dictionary.to_pylist()], pa.string())
    digests = converter.pseudonyms.many("cell", names)
    east = (columns + 0.5) * location.cell_degrees * EARTH_METRES_A_DEGREE * math.cos(math.radians(reference_latitude))
    north = (rows + 0.5) * location.cell_degrees * EARTH_METRES_A_DEGREE
    origin = _origins(person, converter)
    missing |= _nulls(person)
    metres = np.rint(np.column_stack([east, north])).astype(np.int64) + origin
    placed = {
        "cell_id": pc.if_else(pa.array(~missing), digests.take(cells.indices), pa.scalar(None, pa.string())),
        "east_m": pa.array(metres[:, 0], mask=missing),
        "north_m": pa.array(metres[:, 1], mask=missing),
    }
    return placed, (*bad_latitude, *bad_longitude)


def _degrees(
    raw: dict[str, pa.Array], name: str, bound: float, converter: Converter
) -> tuple[Degrees, tuple[Fault, ...]]:
    numbers, unreadable = converter.numbers(raw[name])
    degrees = pc.fill_null(numbers.cast(pa.float64()), math.nan).to_numpy(zero_copy_only=False)
    empty = _nulls(numbers) & ~unreadable
    beyond = ~np.isnan(degrees) & ~(np.abs(degrees) <= bound)
    faults = (
        Fault("missing", name, empty),
        Fault("not_a_number", name, unreadable),
        Fault("out_of_range", name, beyond),
    )
    return np.where(beyond, math.nan, degrees), tuple(f for f in faults if f.rows.any())


def _cell(degrees: Degrees, step: float, missing: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.floor(np.where(missing, 0, degrees) / step + _SNAP).astype(np.int64)


def _name(code: int, step: float) -> str:
    """The step is part of a cell's name, so that cells of two sizes never share a pseudonym."""
    row = (code + _SPREAD // 2) // _SPREAD
    return f"{step}:{row}:{code - row * _SPREAD}"


def _origins(person: pa.Array, converter: Converter) -> npt.NDArray[np.int64]:
    origins = converter.pseudonyms.origins(person.dictionary.to_pylist())
    indices = pc.fill_null(person.indices, 0).to_numpy(zero_copy_only=False)
    return origins[indices] if len(origins) else np.zeros((len(indices), 2), np.int64)


def _nulls(values: pa.Array) -> npt.NDArray[np.bool_]:
    nulls: npt.NDArray[np.bool_] = values.is_null().to_numpy(zero_copy_only=False)
    return nulls

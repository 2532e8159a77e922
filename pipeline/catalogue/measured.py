"""What a run measured: each column's distribution, and how far each source covers the applications. No person shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from features.catalogue import all_features, specs_of
from pipeline.engines import read_table
from pipeline.pages import SMALLEST_CELL
from pipeline.params import Params
from pipeline.workspace import Workspace, read_json
from saakh.errors import ContractError

BARS = 16
SMALLEST_SHOWN = 10 * SMALLEST_CELL
"""With as many values, a tenth of them is not a few people; with fewer, no distribution is told."""
VALUES_AT_ONCE = 20_000_000


@dataclass(frozen=True)
class Distribution:
    """One column over a run's applications.

    `rows` have a value, a `share` of all. `quantiles` are the 10th, 50th and 90th percentile; `bars` the heights, up to
    1, of equal steps from `low` to `high`, beyond which lie no more than a hundredth, or ten, of the values on either
    side. A bar of fewer than ten is left out. Without enough values there is neither.
    """

    rows: int
    share: float
    quantiles: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    bars: tuple[float, ...] = ()


@dataclass(frozen=True)
class Measured:
    """A run as the catalogue shows it.

    `coverage` counts applications by source and status; `columns` holds the distributions; `outdated` the columns that
    the run measured under another definition than the present one.
    """

    name: str
    as_of: str
    applications: int
    coverage: Mapping[str, Mapping[str, int]]
    columns: Mapping[str, Distribution]
    outdated: tuple[str, ...]


def measured(params: Params) -> Measured:
    """What the run of these parameters derived; a `MissingInputError` names the stage to run first."""
    ws = Workspace(params.workspace)
    account = read_json(ws.need("derive", "derive.json"))
    now = {spec.name: spec.fingerprint for spec in specs_of(all_features())}
    then = {spec["name"]: spec["fingerprint"] for spec in read_json(ws.need("derive", "specs.json"))}
    alike = [name for name, fingerprint in then.items() if now.get(name) == fingerprint]
    return Measured(
        name=params.workspace.name,
        as_of=params.as_of.isoformat(),
        applications=account["applications"],
        coverage=account["coverage"],
        columns=MappingProxyType(dict(_distributions(ws, alike, account["applications"]))),
        outdated=tuple(sorted(set(then) - set(alike))),
    )


def _distributions(ws: Workspace, names: Sequence[str], rows: int) -> Iterator[tuple[str, Distribution]]:
    """Column by column, a part of the file in memory at a time."""
    path = ws.need("derive", "features.parquet")
    step = max(1, VALUES_AT_ONCE // max(rows, 1))
    for first in range(0, len(names), step):
        part = read_table(path, names[first : first + step])
        if part.num_rows != rows:
            raise ContractError(f"{path} has {part.num_rows} rows, derive.json says {rows}; rerun `saakh derive`")
        for name in part.column_names:
            yield name, distribution(part[name].to_numpy().astype("float64"))


def distribution(values: np.ndarray) -> Distribution:
    """The distribution of a column; missing values are NaN."""
    there = np.sort(values[~np.isnan(values)])
    rows = len(there)
    share = rows / len(values) if len(values) else 0.0
    if rows < SMALLEST_SHOWN:
        return Distribution(rows, share)
    edge = max(rows // 100, SMALLEST_CELL)
    low, high = float(there[edge - 1]), float(there[-edge])
    counts = _counts(there, low, high)
    heights = np.where(counts < SMALLEST_CELL, 0, counts) / counts.max()
    quantiles = tuple(float(q) for q in np.quantile(there, (0.1, 0.5, 0.9)))
    return Distribution(rows, share, quantiles, low, high, tuple(round(float(height), 3) for height in heights))


def _counts(ordered: np.ndarray, low: float, high: float) -> np.ndarray:
    """How many values lie in each step; whole numbers of a short range have a step each."""
    inside = np.clip(ordered, low, high)
    if high - low < BARS and bool((ordered == np.floor(ordered)).all()):
        return np.bincount((inside - low).astype(int))
    if low == high:
        return np.array([len(ordered)])
    return np.histogram(inside, bins=BARS, range=(low, high))[0]

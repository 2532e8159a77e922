"""What the world `drift` does to features, measured where there are events, for worlds without.

`python -m benchmarks.drift_shown` draws the same 700 people twice, in `base` and in `drift`, with events, derives their
features, and writes to `drift_shown.json` by how many standard deviations (of normal scores) each column moves among
applications of the first and the second month of the drift. Six minutes on two cores.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import ndtr, ndtri

from benchmarks.base import params_for
from models.arrays import Floats
from pipeline import cohort, derive, ingest, simulate
from pipeline.engines import read_table
from pipeline.sample import KEY
from pipeline.workspace import Workspace, read_json, write_text
from pipeline.world.direct import LEVELS, Measured, measured

SHOWN = Path(__file__).with_name("drift_shown.json")
PEOPLE, SEED, LEAST, MONTHS = 700, 77, 0.05, 2
DRIFT_DAYS = 180
EDGE = 0.003


def main() -> None:
    """Measure and write."""
    with TemporaryDirectory(prefix="saakh-drift-") as folder:
        base, drift = (_features(name, Path(folder)) for name in ("base", "drift"))
    told = {name: _moved(base, drift, name) for name in measured().names if name in base["x"] and name in drift["x"]}
    lines = [f"{json.dumps(n)}: {json.dumps(m)}" for n, m in told.items() if max(map(abs, m)) >= LEAST]
    write_text(SHOWN, "{\n" + ",\n".join(lines) + "\n}\n")


def drifted(x: Floats, how: Measured, month: np.ndarray) -> Floats:
    """Features of a world without events, moved as the drift moves them; `month` since it began, −1 before."""
    shown, found = read_json(SHOWN), x.copy()
    for k, name in enumerate(how.names):
        if name not in shown:
            continue
        by = np.append(shown[name], 0.0)[np.where(month < 0, MONTHS, np.minimum(month, MONTHS - 1))]
        rows = ~np.isnan(x[:, k]) & (by != 0)
        place = np.interp(x[rows, k], how.quantiles[k], LEVELS)
        level = ndtr(ndtri(np.clip(place, EDGE, 1 - EDGE)) + by[rows])
        moved = np.interp(level, LEVELS, how.quantiles[k])
        found[rows, k] = np.rint(moved) if how.is_whole[k] else moved
    return found


def _features(name: str, folder: Path) -> dict[str, dict[str, Floats]]:
    params = params_for(SEED, PEOPLE, folder / name)
    params = params.model_copy(update={"simulate": params.simulate.model_copy(update={"world": name})})
    ws = Workspace(params.workspace)
    for stage in (simulate, ingest, cohort, derive):
        stage.run(params, ws)
    table, asked = (
        read_table(ws.need(*file)).sort_by(KEY)
        for file in (("derive", "features.parquet"), ("cohort", "cohort.parquet"))
    )
    age = (np.datetime64(params.as_of.replace(tzinfo=None)) - asked["applied_at"].to_numpy()) / np.timedelta64(1, "D")
    keys = {key: i for i, key in enumerate(table[KEY].to_pylist())}
    x = {c: table[c].to_numpy().astype(float) for c in table.column_names if c != KEY}
    return {"x": x, "month": np.floor((DRIFT_DAYS - age) / 30), "keys": keys}


def _moved(base: dict[str, dict[str, Floats]], drift: dict[str, dict[str, Floats]], name: str) -> list[float]:
    """The mean change of normal scores of the same applications, month by month."""
    shared = [(i, drift["keys"][key]) for key, i in base["keys"].items() if key in drift["keys"]]
    before, after = (np.array(side) for side in zip(*shared, strict=True))
    x, y = base["x"][name][before], drift["x"][name][after]
    known = np.sort(base["x"][name][~np.isnan(base["x"][name])])
    both, month = ~np.isnan(x) & ~np.isnan(y), base["month"][before]
    rows = [both & (month == m) for m in range(MONTHS)]
    return [round(float((_normal(y[r], known) - _normal(x[r], known)).mean()), 2) if r.any() else 0.0 for r in rows]


def _normal(values: Floats, known: Floats) -> Floats:
    middle = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2
    return np.asarray(ndtri(np.clip(middle / max(len(known), 1), EDGE, 1 - EDGE)))


if __name__ == "__main__":
    main()

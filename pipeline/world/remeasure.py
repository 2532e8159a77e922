"""Measure anew how features follow from people, after a change of catalogue or population.

`python -m pipeline.world.remeasure params.yaml` reads a finished `derive` of a simulated world and writes
`measured.json`, from which worlds without events are drawn; then it prints both side by side.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.engines import read_table
from pipeline.params import Params, read_params
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.workspace import Workspace, read_json
from pipeline.world import direct
from pipeline.world.clock import Span
from pipeline.world.draws import Floats, Ints
from pipeline.world.families import auc_by_family
from pipeline.world.knobs import world
from pipeline.world.papers import application_names
from pipeline.world.part import Drawn, Part, drawn


def main(path: Path) -> str:
    """Write `measured.json`, and say how well the two ways of drawing agree."""
    params = read_params(path)
    asked = params.simulate
    span = Span.of(params.as_of, asked.span_days, asked.history_days)
    told = drawn(Part(0, 1, asked.people, params.seed, world(asked.world), span))
    specs = read_json(Workspace(params.workspace).need("derive", "specs.json"))
    names, families = [s["name"] for s in specs], [s["family"] for s in specs]
    rows, x = derived(params, told, names)
    how = direct.measure(direct.drivers(told)[rows], x, names, families)
    direct.keep(how)
    lent = told.loans
    events = auc_by_family(x, families, lent.who[rows], lent.pd[rows], lent.is_bad[rows])
    taken = direct.sample(1, asked.people, params.seed, world(asked.world), span, how)
    without = auc_by_family(taken.x, families, taken.person, taken.pd, taken.is_bad)
    apart = np.nanmean(taken.x, axis=0) - np.nanmean(x, axis=0)
    lines = [f"{name}: {events[name]:.4f} with events, {without[name]:.4f} without" for name in events]
    apart = np.abs(apart) / np.nanstd(x, axis=0)
    worst = int(np.nanargmax(apart))
    lines.append(f"means differ by {np.nanmedian(apart):.3f} standard deviations in the median,")
    lines.append(f"by {apart[worst]:.3f} at most ({names[worst]})")
    return "\n".join([*lines, ""])


def derived(params: Params, told: Drawn, names: list[str]) -> tuple[Ints, Floats]:
    """Which of the applications have features, and the features, NaN where missing."""
    features = read_table(Workspace(params.workspace).need("derive", "features.parquet"))
    pseudonyms = Pseudonyms(read_key(params.ingest))
    names_known = application_names(told.people, told.loans)
    wanted = pa.array([pseudonyms.one("application", name) for name in names_known], pa.string())
    place = pc.index_in(wanted, value_set=features["application_id"].combine_chunks())
    rows = np.flatnonzero(np.asarray(place.is_valid()))
    taken = features.take(place.drop_null())
    return rows, np.stack([taken[name].to_numpy().astype(np.float64) for name in names], axis=1)


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1])))

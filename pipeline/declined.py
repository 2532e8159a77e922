"""Those the lender declined: scored beside the later loans, so that figures are of everybody who came through the door.

There is something to tell where the cohort was asked for them (`cohort.declined`).
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models import rejects
from models.arrays import Floats, Times
from models.default import DefaultModel
from models.rejects import FIGURES, Door
from pipeline.engines import read_table
from pipeline.params import Params
from pipeline.sample import KEY, codes, matrix, positions, read_specs, refusals
from pipeline.workspace import Workspace, read_json

METHODS = {
    "granted": rejects.among_granted,
    "inverse_propensity": rejects.by_inverse_propensity,
    "expected": rejects.by_expectation,
}
"""What is told: of the granted alone, and, where the lender explores, two estimates of all who applied."""


def declined(params: Params, ws: Workspace, cohort: pa.Table, loans: pa.Table) -> dict[str, Any] | None:
    """Figures of all who applied since the out-of-time period began; None where nobody declined is in the cohort.

    `loans` are the later ones, with their `log_odds` and outcomes. Applications younger than the last of them are left
    out, as loans are whose outcome is not known yet.
    """
    start = np.datetime64(read_json(ws.need("train", "train.json"))["split"]["out_of_time_from"][:19], "us")
    end = _applied(cohort, loans).max()
    inside = pc.and_(
        pc.is_null(cohort["disbursed_at"]),
        pc.and_(pc.greater_equal(cohort["applied_at"], pa.scalar(start)), pc.less_equal(cohort["applied_at"], end)),
    )
    others = cohort.filter(inside)
    if not len(others):
        return None
    return told(params, _door(cohort, loans, others, score(ws, others[KEY].combine_chunks())))


def told(params: Params, door: Door) -> dict[str, Any]:
    """What the metrics hold of everybody who applied."""
    how: dict[str, Any] = {name: getattr(params.evaluate, name) for name in ("confidence", "resamples")}
    how |= {"seed": params.seed}
    methods = METHODS if door.is_open else {"granted": rejects.among_granted}
    explored = door.explored
    return {
        "applications": len(door.granted),
        "declined": int((~door.granted).sum()),
        "explored": int(explored.sum()),
        "explored_bads": int(door.bad[explored].sum()),
        **{name: {f: asdict(e) for f, e in method(door, **how).items()} for name, method in methods.items()},
        "bounds": {name: dict(zip(("low", "high"), ends, strict=True)) for name, ends in rejects.bounds(door).items()},
    }


def facts(found: dict[str, Any] | None) -> dict[str, str]:
    """The lines evaluate prints of everybody who applied."""
    if found is None:
        return {}
    count = f"{found['declined']:,} of {found['applications']:,} applications, {found['explored']:,} explored"
    lines = {"declined": count}
    for figure, label in zip(FIGURES, ("AUC", "bad rate"), strict=True):
        ends = found["bounds"][figure]
        parts = [f"{name.replace('_', ' ')} {found[name][figure]['value']:.3f}" for name in METHODS if name in found]
        lines[f"{label} of all who applied"] = f"{', '.join(parts)}; between {ends['low']:.3f} and {ends['high']:.3f}"
    return lines


def score(ws: Workspace, application: pa.Array) -> Floats:
    """The model's log-odds of applications, with or without an outcome."""
    model = DefaultModel.of_text(ws.need("train", "model.txt").read_text(encoding="utf-8"))
    by_name = {spec.name: spec for spec in read_specs(ws)}
    specs = [by_name[name] for name in model.names]
    features = read_table(ws.need("derive", "features.parquet"), [KEY, *model.names])
    x = matrix(features.take(positions(features, application, "features")), specs)
    return model.log_odds(x, refusals(ws, application, specs))


def _door(cohort: pa.Table, loans: pa.Table, others: pa.Table, said: Floats) -> Door:
    application = pa.concat_arrays([loans[KEY].combine_chunks(), others[KEY].combine_chunks()])
    rows = cohort.take(positions(cohort, application, "cohort"))
    first, rest = len(loans), len(others)
    return Door(
        log_odds=np.r_[loans["log_odds"].to_numpy(), said],
        bad=np.r_[loans["is_bad"].to_numpy(), np.zeros(rest, dtype=bool)],
        granted=np.arange(first + rest) < first,
        propensity=rows["propensity"].to_numpy().astype(np.float64),
        person=codes(rows["person_id"]),
    )


def _applied(cohort: pa.Table, loans: pa.Table) -> Times:
    return np.asarray(cohort.take(positions(cohort, loans[KEY].combine_chunks(), "cohort"))["applied_at"].to_numpy())

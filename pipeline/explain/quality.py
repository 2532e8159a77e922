"""Two more looks at how good the model is: with those declined counted in, and beside models of other kinds."""

from typing import Any

from pipeline.explain.charts import axis
from pipeline.explain.counts import enough
from pipeline.reidentify.suppress import WITHHELD

TAKEN = (
    ("granted", "Granted loans alone", "as if nobody had been declined"),
    ("inverse_propensity", "By chance of being granted", "each loan stands for 1 / its chance: unbiased, but noisy"),
    ("expected", "With the declined as expected", "as explored loans of their score turned out: the one to go by"),
)


def all_applied(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """What `evaluate` found of all who applied, row by row; None where nobody who was declined is in the cohort."""
    if found is None:
        return None
    rows = [{"key": key, "name": name, "meaning": why, **found[key]} for key, name, why in TAKEN if key in found]
    edges = [row["bad_rate"][end] for row in rows for end in ("value", "low", "high")]
    ends = found["bounds"]["bad_rate"]
    scale = axis([e for e in (*edges, ends["low"], ends["high"]) if e is not None], 4, through=0.0)
    granted = found["applications"] - found["declined"]
    counts = {
        "declined": (found["declined"], found["applications"]),
        "explored": (found["explored"], granted),
    }
    told = {name: f"{count:,}" if enough(count, of) else WITHHELD for name, (count, of) in counts.items()}
    told["applications"] = f"{found['applications']:,}" if told["declined"] != WITHHELD else WITHHELD
    return {"rows": rows, "bounds": found["bounds"], "axis": scale, "told": told, "is_open": "expected" in found}


def compared(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """What `compare` found, the model of the report first; None where it was not run on this model."""
    if found is None:
        return None
    there = [model for model in found["models"] if model["installed"]]
    edges = [model["auc"][end] for model in there for end in ("value", "low", "high")]
    return {
        "rows": there,
        "lacking": [model["name"] for model in found["models"] if not model["installed"]],
        "axis": axis([e for e in edges if e is not None], 4),
        "verdict": found["verdict"],
        "better": found["better"],
        "confidence": found["confidence"],
        "folds": found["folds"],
    }

"""What `saakh minimise` and `saakh proxies` found, as the report shows it, if they ran on the data of its model."""

from dataclasses import dataclass
from typing import Any

from pipeline.explain.charts import Axis, axis
from pipeline.workspace import Workspace, read_json

AUDITS = ("minimise", "proxies")
CLOUD_STEP = 0.4
"""Requests are drawn as dots on a grid this fine, in percent of the chart: hundreds of them lie on each other."""


@dataclass(frozen=True)
class Chart:
    """Privacy against value: every request a dot of `cloud`, the best for what they give away joined by `line`.

    Both are SVG paths in a square of 100 × 100; `limit` is the area that a request may fall to.
    """

    burden: Axis
    area: Axis
    cloud: str
    line: str
    limit: float
    points: tuple[dict[str, Any], ...]


def read_audits(ws: Workspace, inputs: dict[str, str]) -> dict[str, Any]:
    """What each audit wrote of the data the model was learned from; `stale` if of other data, `absent` if not run."""
    found: dict[str, Any] = {}
    for name in AUDITS:
        path = ws.root / name / f"{name}.json"
        content = read_json(path) if path.exists() else None
        if content is not None and any(content["inputs"].get(file) != digest for file, digest in inputs.items()):
            content = "stale"
        found[name] = content or "absent"
    return found


def drawn(audits: dict[str, Any]) -> dict[str, Any]:
    """The audits for the template: what was written, or nothing, and whether that is of other data; with the chart."""
    shown: dict[str, Any] = {"stale": [name for name in AUDITS if audits.get(name) == "stale"]}
    for name in AUDITS:
        shown[name] = audits[name] if isinstance(audits.get(name), dict) else None
    shown["chart"] = chart(shown["minimise"]) if shown["minimise"] else None
    return shown


def chart(found: dict[str, Any]) -> Chart:
    """The chart of privacy against value, by the quick learner that looked at every request."""
    best, limit = found["frontier"], found["quick"]["auc"] - found["asked"]["loss_auc_max"]
    across = axis([burden for burden, _ in found["cloud"]], 6, through=0.0)
    up = axis([area for _, area in found["cloud"]], 6, through=0.5)
    dots = sorted({(_snapped(across.at(b)), _snapped(100 - up.at(a))) for b, a in found["cloud"]})
    steps = [(across.at(p["burden"]), round(100 - up.at(p["auc"]), 3)) for p in best]
    chosen = found["recommended"]["categories"]
    points = tuple(
        p | {"is_recommended": sorted(p["categories"]) == sorted(chosen)} for p in _with(found, best, chosen)
    )
    line = "M" + "L".join(f"{x:g} {y:g}" for x, y in steps)
    return Chart(across, up, "".join(f"M{x:g} {y:g}h0" for x, y in dots), line, limit, points)


def _with(found: dict[str, Any], best: list[dict[str, Any]], chosen: list[str]) -> list[dict[str, Any]]:
    """The best requests, and the recommended one where another of the same burden loses less."""
    if any(sorted(p["categories"]) == sorted(chosen) for p in best):
        return best
    tried = next(t for t in found["tried"] if sorted(t["categories"]) == sorted(chosen))
    loss, error = tried["quick_loss"] or 0.0, tried["quick_error"] or 0.0
    return [*best, tried | {"auc": found["quick"]["auc"] - loss, "loss": loss, "error": error}]


def _snapped(place: float) -> float:
    return round(round(place / CLOUD_STEP) * CLOUD_STEP, 1)

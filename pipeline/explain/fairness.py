"""What `saakh fairness` found, as the report shows it, if it was of this model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.explain.charts import Axis, axis
from pipeline.pages import number, words

SIDE = "through_the_door"


@dataclass(frozen=True)
class Chart:
    """Accuracy against disparity: every candidate a dot of `cloud`, those that no other beats joined by `line`.

    Both are SVG paths in a square of 100 × 100; `limit` is the area that an alternative may fall to.
    """

    across: Axis
    up: Axis
    cloud: str
    line: str
    limit: float
    points: tuple[dict[str, Any], ...]


def shown(audits: dict[str, Any]) -> dict[str, Any] | None:
    """What was found of the report's model, or None."""
    found: dict[str, Any] | None = audits.get("fairness")
    return found if found is not None and "sides" in found else None


def drawn(audits: dict[str, Any]) -> dict[str, Any]:
    """The audit for the template, with the chart of its search where there was one."""
    found = shown(audits)
    searched = found is not None and found["search"]["candidates"] > 0
    return {"found": found, "chart": chart(found) if found and searched else None}


def chart(found: dict[str, Any]) -> Chart:
    """The chart of accuracy against disparity, out of fold."""
    tried = found["search"]
    every = [*tried["cloud"], *([p["auc"], p["disparity"]] for p in tried["frontier"])]
    across = axis([disparity for _, disparity in every], 6, through=0.0)
    up = axis([area for area, _ in every], 6)
    dots = sorted({(across.at(d), round(100 - up.at(a), 3)) for a, d in tried["cloud"]})
    steps = [(across.at(p["disparity"]), round(100 - up.at(p["auc"]), 3)) for p in tried["frontier"]]
    marked = [
        p | {"is_best": tried["best"] is not None and p["what"] == tried["best"]["what"]} for p in tried["frontier"]
    ]
    line = "M" + "L".join(f"{x:g} {y:g}" for x, y in steps)
    limit = tried["as_trained"]["auc"] - found["asked"]["loss_auc_max"]
    return Chart(across, up, "".join(f"M{x:g} {y:g}h0" for x, y in dots), line, limit, tuple(marked))


def warnings(audits: dict[str, Any]) -> Iterator[str]:
    """Groups whose approval is under four fifths of the most approved group's, beyond chance."""
    found = shown(audits)
    if found is None:
        yield "No fairness audit was run on this model: how it treats groups of people is not known."
        return
    for by in next(side for side in found["sides"] if side["side"] == SIDE)["attributes"]:
        for group in by["groups"]:
            at = zip(group["at"], found["cut_offs"], strict=True)
            under = [(row["impact_ratio"]["value"], cut["from_points"]) for row, cut in at if row["screen"] == "under"]
            if under:
                ratio, points = min(under)
                named = f"{words(by['attribute'])} {group['group']}"
                told = f"{number(ratio, 2)} from {number(points, 0)} points"
                yield f"Adverse impact ratio of {named} is {told}: under 0.80."

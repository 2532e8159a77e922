"""Fairness: whom a score approves and wrongly refuses, group by group, and whether another would treat them more alike.

Nothing is decided about anybody here, and groups are known of people who agreed to `research` alone. What is written is
figures of groups, none of fewer than ten people.
"""

from typing import Any

from pipeline.fairness.cohorts import cohorts
from pipeline.fairness.groups import groupings
from pipeline.fairness.measured import cut_offs, measured, read_scores
from pipeline.fairness.search import search
from pipeline.minimise import in_loss, rounded
from pipeline.minimise.study import read
from pipeline.params import Params
from pipeline.proxies.protected import PROTECTED, barred, lent
from pipeline.sample import digests
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, write_json
from saakh.errors import ConsentError


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `fairness/fairness.json`: each group at each cut-off, and the search for a fairer model as accurate.

    After `evaluate`, it also holds sums over groups for the report's cohort explorer.
    """
    with timed("fairness") as summary:
        specs, sample = read(params, ws)
        scores, known = read_scores(ws, sample), groupings(params, ws, sample.application)
        if not known:
            raise ConsentError(
                f"of {len(sample.bad)} loans none is of a person who agreed to `research` (category profile) and "
                "declared a protected attribute: ask for that purpose; an audit that saw nobody must not look passed"
            )
        kept_out = {name: why for name, why in barred(lent(params)).items() if name in {c.name for c in PROTECTED}}
        found: dict[str, Any] = {"model_sha256": digest(ws.need("train", "model.txt")), "inputs": digests(ws)}
        found |= {"seed": params.seed, "asked": params.fairness.model_dump(), "barred": kept_out}
        found |= {"cut_offs": cut_offs(params), "sides": measured(params, sample, scores, known)}
        found |= {"search": search(params, specs, sample, scores, known, tell)}
        found = rounded(found) | {"cohorts": cohorts(params, ws, sample, scores, known)}
        write_json(ws.stage("fairness") / "fairness.json", found)
        summary.rows_in = len(sample.bad)
        summary.rows_out = sum(group["loans"] for _, _, group in every_group(found))
        summary.counts = {"attributes": len(known), "candidates": found["search"]["candidates"]}
        summary.facts = facts(found)
    return summary


def every_group(found: dict[str, Any], side: str = "through_the_door") -> list[tuple[str, str, dict[str, Any]]]:
    """Each group of one side with its attribute and name."""
    here = next(each for each in found["sides"] if each["side"] == side)
    return [(by["attribute"], group["group"], group) for by in here["attributes"] for group in by["groups"]]


def facts(found: dict[str, Any]) -> dict[str, str]:
    """The lines the command prints: each group's adverse impact ratio where it is lowest, then the search."""
    lines = {}
    for attribute, name, group in every_group(found):
        at = [
            (row["impact_ratio"]["value"], cut["from_points"])
            for row, cut in zip(group["at"], found["cut_offs"], strict=True)
        ]
        ratio, points = min((pair for pair in at if pair[0] is not None), default=(None, 0.0))
        if ratio is not None:
            lines[f"{attribute} {name}"] = f"adverse impact ratio {ratio:.2f} at the lowest, from {points:g} points"
    return lines | {"less discriminatory alternative": ended(found)} | {"for the report": "run `saakh explain` again"}


def ended(found: dict[str, Any]) -> str:
    """How the search ended, in words."""
    tried = found["search"]
    if not tried["candidates"]:
        return "not looked for"
    if tried["alternative"] is None:
        return f"none found among {tried['candidates']} candidates"
    less = tried["best"]["sides"]["through_the_door"]
    later = f"on later loans {less['less_share']['value']:.0%} less disparity, loses {in_loss(less['loss'])} of AUC"
    return f"{tried['alternative']}, among {tried['candidates']} candidates; {later}"

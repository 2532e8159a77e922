"""What selfcheck and membership audit found, in words: for the report, the scorecard and whoever ran them."""

from typing import Any

from pipeline.workspace import Workspace, digest, read_json

SHADOWS_FULL = 64
"""Shadow models from which a membership audit is of full size."""
TOLD_MOST = (("everybody", "auc", 0.52), ("everybody", "tpr", 0.002), ("defaulters", "auc", 0.60))
"""How well the attack may tell who taught the model, by the upper end of the interval."""
FIGURES = {"auc": "AUC {:.3f}", "tpr": "{:.2%} named at 0.1 % false alarms"}


def said(ws: Workspace, check: str = "selfcheck") -> dict[str, Any]:
    """What a check found of the model that is there now; `not run` when nothing was."""
    path = ws.root / check / f"{check}.json"
    found: dict[str, Any] = read_json(path) if path.exists() else {}
    if found.get("model_sha256") != digest(ws.need("train", "model.txt")):
        return {"verdict": "not run"}
    return found


def reasons(found: dict[str, Any]) -> list[str]:
    """What failed, in words."""
    told = [f"{leak['column'] or 'rows'}: {leak['why']}" for leak in found["leaks"]]
    if found["people_on_both_sides"]:
        told.append(f"{found['people_on_both_sides']} people are on both sides of the split")
    of = found["permuted"]
    if of["reach"] is not None and abs(of["mean_auc"] - 0.5) > of["reach"]:
        told.append(
            f"on permuted outcomes the AUC is {of['mean_auc']:.3f} on average of {of['refits']} refits, not 0.5"
        )
    return told


def verdict(found: dict[str, Any]) -> str:
    """`failed`, `passed` at full size, or `passed at reduced size`."""
    if reasons(found):
        return "failed"
    return "passed" if found["permuted"]["full"] else "passed at reduced size"


def warnings(found: dict[str, Any]) -> list[str]:
    """What a reader should know beside the verdict."""
    told, apart, area = [], found["adversarial"], found["auc_out_of_time"]
    if apart["auc"] > apart["limit"]:
        named = ", ".join(apart["columns"])
        told.append(f"earlier and later loans can be told apart (AUC {apart['auc']:.2f}), by {named} most of all")
    if area is not None and area > found["auc_suspect"]:
        told.append(f"AUC out of time is {area:.3f}: too good for phone data alone")
    return told


def membership(ws: Workspace) -> dict[str, Any]:
    """The membership audit's verdict, how large it was, and its figures: what a scorecard tells of it."""
    found = said(ws, "membership")
    if found["verdict"] == "not run":
        return found
    rows = [row for row in found["told"] if any(row["who"] == who for who, _, _ in TOLD_MOST)]
    shown = {row["who"]: {f: {k: row[f][k] for k in ("value", "low", "high")} for f in FIGURES} for row in rows}
    return {key: found[key] for key in ("verdict", "shadows", "people", "loans_a_shadow")} | {"told": shown}


def membership_verdict(found: dict[str, Any]) -> str:
    """`missed`, `met` at full size, or `met at reduced size`."""
    if membership_reasons(found):
        return "missed"
    return "met" if found["shadows"] >= SHADOWS_FULL else "met at reduced size"


def membership_reasons(found: dict[str, Any]) -> list[str]:
    """By which figures somebody who holds the model could tell who taught it, in words."""
    rows, told = {row["who"]: row for row in found["told"]}, []
    for who, figure, most in TOLD_MOST:
        if who not in rows:
            told.append(f"the attack on {who} could not be measured: too few people")
        elif (above := upper(rows[who][figure], rows[who]["people"])) > most:
            is_found, at_most, bound = (FIGURES[figure].format(v) for v in (rows[who][figure]["value"], most, above))
            told.append(f"the attack on {who} may reach {bound} (found: {is_found}; at most: {at_most})")
    return told


def upper(figure: dict[str, Any], people: int) -> float:
    """The upper end of the interval; where none was drawn, what so many people could have hidden (rule of three)."""
    if figure["high"] is not None:
        return float(figure["high"])
    return min(1.0, float(figure["value"]) + 3 / people)

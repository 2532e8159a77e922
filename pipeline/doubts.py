"""What a selfcheck found, in words: for the report, the scorecard and whoever ran it."""

from typing import Any

from pipeline.workspace import Workspace, digest, read_json


def said(ws: Workspace) -> dict[str, Any]:
    """What was found of the model that is there now; `not run` when nothing was."""
    path = ws.root / "selfcheck" / "selfcheck.json"
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

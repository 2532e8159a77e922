"""What must have been shown of a scorecard before it may decide about anybody; each lack in words."""

from pathlib import Path
from typing import Any

from pipeline.bundle import Bundle
from pipeline.doubts import SHADOWS_FULL
from pipeline.selfcheck import REFITS_FULL
from pipeline.workspace import Workspace, read_json
from saakh.scorecard import Scorecard

FAIRNESS = Path("fairness") / "fairness.json"


def lacking(card: Scorecard, bundle: Bundle, ws: Workspace) -> list[str]:
    """All that keeps a scorecard, built from this bundle, from being released; empty when nothing does."""
    metrics = card.manifest.metrics
    found = (
        _selfcheck(metrics.get("selfcheck", {})),
        _membership(metrics.get("membership", {})),
        _fairness(ws, str(card.manifest.training.get("model_sha256"))),
        _tuned(bundle.train.get("tuned")),
    )
    return [said for said in found if said]


def _selfcheck(found: dict[str, Any]) -> str | None:
    if (verdict := found.get("verdict", "not run")) == "passed":
        return None
    why = f" ({'; '.join(found['failed'])})" if found.get("failed") else ""
    return (
        f"the selfcheck is '{verdict}'{why}, not 'passed': set selfcheck.refits to {REFITS_FULL} or more, then "
        "`saakh selfcheck` and `saakh export`"
    )


def _membership(found: dict[str, Any]) -> str | None:
    if (verdict := found.get("verdict", "not run")) == "met":
        return None
    return (
        f"the membership audit is '{verdict}', not 'met': set membership.shadows to {SHADOWS_FULL} or more, then "
        "`saakh membership` and `saakh export`"
    )


def _fairness(ws: Workspace, model: str) -> str | None:
    """The search is written when it has ended; whether it found an alternative is for who approves to weigh."""
    path = ws.root / FAIRNESS
    found = read_json(path) if path.exists() else {}
    if found.get("model_sha256") != model:
        return "nobody looked for a fairer model as accurate as this one: run `saakh fairness`"
    if not found["search"]["candidates"]:
        return "the search for a fairer model tried none: set fairness.candidates, then `saakh fairness`"
    return None


def _tuned(found: dict[str, Any] | None) -> str | None:
    """A model whose search stopped by the clock cannot be made again from its parameters."""
    if found is None or found.get("reproducible", True):
        return None
    return "the model's search was stopped by the clock, so nobody can repeat it: search again, by a number of trials"

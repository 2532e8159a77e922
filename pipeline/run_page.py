"""What MLflow's page of a run tells: a short story with links, figures, the shareable reports, and tags to search by.

Everything is read off the run's own files, so that the same run tells the same; nothing is about a single person.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import tracking
from pipeline.bundle import Bundle
from pipeline.pages import SMALLEST_CELL, day, number
from pipeline.workspace import Workspace, digest, read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = "mlflow.note.content"
REPORTS = ("explain/report.html", "explain/importance.json", "evaluate/metrics.json", "selfcheck/selfcheck.json")
"""What may be passed around; the restricted page of single applicants is not among them."""
FIGURES = {
    "auc": "AUC",
    "gini": "Gini",
    "ks": "KS",
    "h_measure": "H-measure",
    "observed_expected": "observed over expected",
    "brier": "Brier score",
}
TOP = 15


def log_run_page(ws: Workspace, bundle: Bundle, scorecard: Path, run_id: str) -> None:
    """Put figures, reports, tags and the story of an exported model into its run, in place of what was there."""
    log = tracking.client(ws)
    reports = [ws.root / name for name in REPORTS if (ws.root / name).is_file()]
    for path in reports:
        log.log_artifact(run_id, str(path), "reports")
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in _figures(ws, bundle.metrics).items():
            _save(figure, Path(folder) / f"{name}.svg")
        drawn = sorted(path.name for path in Path(folder).iterdir())
        log.log_artifacts(run_id, folder, "figures")
    for name, value in tags(bundle.train).items() | {("saakh.scorecard_sha256", digest(scorecard))}:
        log.set_tag(run_id, name, value)
    places = [*(f"reports/{path.name}" for path in reports), *(f"figures/{name}" for name in drawn), tracking.BUNDLE]
    root = f"#/experiments/{log.get_run(run_id).info.experiment_id}/runs/{run_id}/artifacts"
    links = [f"[{place}]({root}/{place})" for place in places]
    log.set_tag(run_id, NOTE, story(bundle, scorecard, links))


def tags(train: Mapping[str, Any]) -> dict[str, str]:
    """What runs are searched by, of the account that `train` wrote: policy, data, catalogue, moment."""
    return {
        "saakh.as_of": train["as_of"],
        "saakh.policy": str(train["policy"]),
        "saakh.data_sha256": train["inputs"]["features.parquet"],
        "saakh.catalogue_fingerprint": train["catalogue_fingerprint"],
        "saakh.model_sha256": train["model_sha256"],
    }


def story(bundle: Bundle, scorecard: Path, links: Sequence[str]) -> str:
    """The run in words, as Markdown."""
    train, metrics = bundle.train, bundle.metrics
    dev, later = train["split"]["development"], metrics["out_of_time"]
    seen, since = day(train["as_of"]), day(train["split"]["out_of_time_from"])
    lines = [
        f"## Scorecard {bundle.export['version']}",
        "",
        f"A model of loan default, learned from {dev['rows']:,} loans ({dev['bads']:,} bad) as of {seen} under the "
        f"policy *{train['policy']}*, and judged once on loans applied for from {since} on. It reads "
        f"{len(train['columns']):,} inputs.",
        "",
        *_table(later),
        "",
        *(f"- **Watch**: {warning}" for warning in metrics.get("warnings", ())),
        *(f"- {name}: {metrics[name]['verdict']}" for name in ("selfcheck", "membership") if name in metrics),
        "",
        f"Data `{train['inputs']['features.parquet'][:12]}`, catalogue `{train['catalogue_fingerprint'][:12]}`, "
        f"model `{train['model_sha256'][:12]}`, scorecard `{digest(scorecard)[:12]}`: whole digests are in the tags.",
        "",
        f"To read: {', '.join(links)}.",
    ]
    return "\n".join(lines)


def _table(judged: Mapping[str, Any]) -> list[str]:
    """The main figures on later loans, those there are, with their intervals."""
    rows = ["| on later loans | value | from | to |", "|---|---:|---:|---:|"]
    for key, name in FIGURES.items():
        if isinstance(found := judged.get(key), dict) and found["value"] is not None:
            rows.append(f"| {name} | " + " | ".join(number(found[k]) for k in tracking.FIGURES) + " |")
    return rows


def _figures(ws: Workspace, metrics: Mapping[str, Any]) -> dict[str, "Figure"]:
    """The figures of a run by name: those whose files are there."""
    drawn = {}
    if groups := [g for g in metrics["out_of_time"].get("by_decile", ()) if g["rows"] >= SMALLEST_CELL]:
        drawn["calibration"] = _calibration(groups)
    importance = ws.root / "explain/importance.json"
    if importance.is_file():
        drawn["importance"] = _importance(read_json(importance)["features"][:TOP])
    return drawn


def _calibration(groups: Sequence[Mapping[str, Any]]) -> "Figure":
    """Observed against predicted bad rates of risk groups."""
    figure, axes = _empty(5.5, 5.0)
    edge = max(max(g["expected"], g["observed"]) for g in groups) * 1.1
    axes.plot([0, edge], [0, edge], color="#90908b", linestyle="--", linewidth=1)
    axes.plot([g["expected"] for g in groups], [g["observed"] for g in groups], "o", color="#0b5a6b")
    axes.set(xlabel="predicted probability of bad", ylabel="observed share of bad", title="Later loans, by risk group")
    return figure


def _importance(features: Sequence[Mapping[str, Any]]) -> "Figure":
    """The mean size of the largest contributions, in points."""
    figure, axes = _empty(8.0, 0.8 + 0.32 * max(len(features), 1))
    axes.barh([f["name"] for f in features][::-1], [f["mean_abs_points"] for f in features][::-1], color="#0b5a6b")
    axes.set(xlabel="mean size of the contribution, points", title="Inputs that move scores most")
    return figure


def _empty(width: float, height: float) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _save(figure: "Figure", path: Path) -> None:
    """Write a figure as SVG, the same bytes every time: no date, and identifiers from a fixed salt."""
    import matplotlib  # noqa: PLC0415

    with matplotlib.rc_context({"svg.hashsalt": "saakh", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None, "Creator": None})

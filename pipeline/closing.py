"""How a run ends: one screen that says what came in, how good the model is, and where to look next."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import saakh
from pipeline.console import out
from pipeline.engines import read_table
from pipeline.evaluate import in_words
from pipeline.params import Params
from pipeline.policy import read_policy
from pipeline.policy.compare import removed
from pipeline.sample import refusals, refused
from pipeline.workspace import Workspace, read_json
from saakh.errors import ArtifactError
from saakh.spec import FeatureSpec

EXAMPLE_QUANTILE = 0.8  # an applicant riskier than most, whose reasons have something to say
TOP = 5
STRICT = "in-rbi-2025"
"""The policy whose cost every run shows: it bars what is read off the borrower's phone."""


def close(params: Params) -> None:
    """Print the closing screen of a complete run."""
    ws = Workspace(params.workspace)
    card = saakh.load(ws.need("export", f"scorecard-{params.export.version}.saakh"))
    body = Table.grid(padding=(0, 2))
    body.add_column(style="bold cyan", no_wrap=True)
    body.add_column()
    for label, content in (
        ("applications", _applications(ws)),
        ("consent", _consent(ws)),
        ("policy", _policy(params, ws)),
        ("out of time", _quality(ws, "out_of_time")),
        (f"{params.train.folds}-fold", _quality(ws, "out_of_fold")),
        ("warnings", _warnings(ws)),
        ("top features", _features(ws)),
        ("an applicant", _applicant(ws, card)),
        ("scorecard", f"{ws.root}/export/scorecard-{card.version}.saakh  (version {card.version})"),
        ("report", f"{ws.root}/explain/report.html"),
        ("to sign", "saakh validate writes the validation report, saakh evidence all that an auditor asks for"),
        ("restricted", f"{ws.root}/explain/applicants.html  (single applicants; readable by you alone)"),
    ):
        body.add_row(label, content)
        body.add_row()
    out.print(Panel(body, title="[bold]Saakh[/bold]", subtitle=f"as of {params.as_of:%Y-%m-%d}", padding=(1, 2)))


def _applications(ws: Workspace) -> Group:
    cohort, labels = read_json(ws.need("cohort", "cohort.json")), read_json(ws.need("label", "label.json"))
    verdicts = {**cohort["verdicts"], **labels["verdicts"]}
    labelled = {name: verdicts.pop(name, 0) for name in ("good", "bad", "indeterminate")}
    verdicts.pop("kept")
    left_out = ", ".join(f"{reason} {count:,}" for reason, count in verdicts.items()) or "nobody"
    kept = sum(labelled.values())
    return Group(
        Text(f"{cohort['rows_in']:,} read, {kept:,} kept: " + ", ".join(f"{n} {c:,}" for n, c in labelled.items())),
        Text(f"left out: {left_out}", style="dim"),
    )


def _consent(ws: Workspace) -> str:
    said = read_json(ws.need("ingest", "ingest.json"))["consent"]["basis"]
    return "each person's own artefacts" if said == "artefacts" else f"{said.replace('_', ' ')}, not by the applicants"


def _policy(params: Params, ws: Workspace) -> Group:
    """The policies of the run, and what a strict law would have removed from it."""
    specs = [FeatureSpec.from_dict(raw) for raw in read_json(ws.need("derive", "specs.json"))]
    what = removed(specs, [read_policy(STRICT)])
    features, columns = (before - after for before, after in (what.features, what.columns))
    told = f"{STRICT} would remove nothing"
    if features:
        told = f"{STRICT} would remove {features:,} of {what.features[0]:,} features, {columns:,} of "
        told += f"{what.columns[0]:,} columns" + (f", and all of {', '.join(what.categories)}" * bool(what.categories))
    return Group(Text(params.policies), Text(told, style="dim"))


def _quality(ws: Workspace, part: str) -> Group:
    found = read_json(ws.need("evaluate", "metrics.json"))
    judged = found[part]
    parts = [f"{label} {in_words(judged[key])}" for label, key in (("AUC", "auc"), ("Gini", "gini"), ("KS", "ks"))]
    size = f"{judged['rows']:,} applications, {judged['bads']:,} bad; intervals at {found['confidence']:.0%}"
    return Group(Text("   ".join(parts)), Text(size, style="dim"))


def _warnings(ws: Workspace) -> Group:
    found = read_json(ws.need("evaluate", "metrics.json"))["warnings"]
    return Group(*(Text(text, style="yellow") for text in found)) if found else Group(Text("none"))


def _features(ws: Workspace) -> Table:
    specs = {spec["name"]: spec for spec in read_json(ws.need("derive", "specs.json"))}
    table = Table.grid(padding=(0, 2))
    for row in read_json(ws.need("explain", "importance.json"))["features"][:TOP]:
        said = Text(specs[row["name"]]["description"], style="dim")
        table.add_row(f"±{row['mean_abs_points']:4.1f} points", Group(Text(row["name"]), said))
    return table


def _applicant(ws: Workspace, card: saakh.Scorecard) -> Group:
    score = card.score(*_example(ws, card))
    lines: list[Any] = [Text(f"{score.points:.0f} points, band {score.band}, PD {score.pd:.1%}", style="bold")]
    lines += [Text(f"{reason.points:+5.1f} points  {reason.text}") for reason in score.reasons]
    lines.append(Text(f"against {score.baseline:.0f} points on average", style="dim"))
    return Group(*lines)


def _example(ws: Workspace, card: saakh.Scorecard) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """The inputs of one out-of-time application, without its key, and what it refused."""
    scores = read_table(ws.need("train", "scores.parquet"))
    judged = scores.filter(pc.equal(scores["split"], "out_of_time")).sort_by([("log_odds", "ascending")])
    chosen = judged["application_id"][int(EXAMPLE_QUANTILE * (judged.num_rows - 1))]
    features = read_table(ws.need("derive", "features.parquet"))
    rows = features.filter(pc.equal(features["application_id"], chosen)).to_pylist()
    if not rows:
        raise ArtifactError("the scores and the features are of different runs; run `saakh run`")
    specs = card.manifest.features
    (withheld,) = refused(refusals(ws, pa.array([chosen.as_py()]), specs), specs)
    return {name: rows[0][name] for name in card.features}, withheld

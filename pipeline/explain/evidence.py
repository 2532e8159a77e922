"""Evidence: everything the reports say, read from the run's own files and checked to belong together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.default import DefaultModel
from pipeline import reidentify
from pipeline.doubts import said
from pipeline.engines import read_table
from pipeline.explain.contributions import TOLERANCE, Contributions, contributions, importance
from pipeline.explain.judged import Judged, nobody, read_judged
from pipeline.explain.minimality import read_audits
from pipeline.params import Params
from pipeline.sample import KEY, refusals, refused
from pipeline.workspace import Workspace, digest, read_json
from saakh.errors import ArtifactError, EmptyInputError
from saakh.scale import Scale
from saakh.spec import FeatureSpec


@dataclass(frozen=True)
class Evidence:
    """All a report says, read from the run's own files.

    `inputs` has shape (rows, features), missing as NaN; `keys`, `is_bad`, `is_out_of_time`, each source's `closed`, the
    categories `refused` and the contributions have a row per application that was trained or judged on, in the order of
    `keys`; `specs` are in model order. `reidentify` is None where it was not measured, or of other tables;
    `policy_costs` are there when they were measured on these very features.
    """

    params: Params
    specs: tuple[FeatureSpec, ...]
    keys: tuple[str, ...]
    inputs: np.ndarray
    is_bad: np.ndarray
    is_out_of_time: np.ndarray
    found: Contributions
    importance: dict[str, Any]
    stages: dict[str, dict[str, Any]]
    consent: dict[str, int]
    outcome_supplied: bool
    closed: dict[str, np.ndarray]
    refused: Sequence[tuple[str, ...]]
    selfcheck: dict[str, Any]
    membership: dict[str, Any] = field(default_factory=lambda: {"verdict": "not run"})
    reidentify: dict[str, Any] | None = None
    policy_costs: dict[str, Any] | None = None
    audits: dict[str, Any] = field(default_factory=dict)
    judged: Judged = field(default_factory=nobody)

    @property
    def factor(self) -> float:
        """Points per unit of log-odds."""
        return float(self.importance["points_per_log_odds"])


def gather(params: Params, ws: Workspace) -> Evidence:
    """Everything the pages need, checked to belong together.

    Raises:
        ArtifactError: when model, scores and metrics are not of one training, or contributions do not add up.
    """
    stages = {
        "ingest": read_json(ws.need("ingest", "ingest.json")),
        "cohort": read_json(ws.need("cohort", "cohort.json")),
        "label": read_json(ws.need("label", "label.json")),
        "derive": read_json(ws.need("derive", "derive.json")),
        "train": read_json(ws.need("train", "train.json")),
        "evaluate": read_json(ws.need("evaluate", "metrics.json")),
    }
    model = _model(ws, stages)
    scores = read_table(ws.need("train", "scores.parquet")).sort_by(KEY)
    if not scores.num_rows:
        raise EmptyInputError("train/scores.parquet holds no application; rerun `saakh train`")
    scale = Scale(params.export.base_points, params.export.base_odds, params.export.pdo)
    specs = _specs(ws, model.names)
    inputs = _inputs(read_table(ws.need("derive", "features.parquet")), scores, specs)
    lacking = refusals(ws, scores[KEY].combine_chunks(), specs)
    found = contributions(model, inputs, lacking)
    late = pc.equal(scores["split"], "out_of_time").to_numpy()
    _refuse_other_scores(found.log_odds[late], scores["log_odds"].to_numpy()[late])
    return Evidence(
        params=params,
        specs=specs,
        keys=tuple(scores[KEY].to_pylist()),
        inputs=inputs,
        is_bad=scores["is_bad"].to_numpy(),
        is_out_of_time=late,
        found=found,
        importance=importance(found, specs, scale.factor),
        stages=stages,
        consent=_consent(ws),
        outcome_supplied=_outcome_supplied(ws),
        closed=_closed(ws, scores),
        selfcheck=said(ws),
        membership=said(ws, "membership"),
        reidentify=reidentify.fresh(ws),
        refused=refused(lacking, specs),
        policy_costs=_policy_costs(ws),
        audits={
            **read_audits(ws, stages["train"]["inputs"]),
            "fairness": said(ws, "fairness"),
            "compare": _compared(ws),
        },
        judged=read_judged(ws, scores[KEY].combine_chunks()),
    )


def _compared(ws: Workspace) -> dict[str, Any] | None:
    """What `saakh compare` found beside this very model, or None."""
    path = ws.root / "compare" / "compare.json"
    found: dict[str, Any] = read_json(path) if path.exists() else {}
    return found if found.get("model_sha256") == digest(ws.need("train", "model.txt")) else None


def _policy_costs(ws: Workspace) -> dict[str, Any] | None:
    """What `saakh policy costs` found, if it was asked since the features were derived."""
    path = ws.root / "policy" / "costs.json"
    found: dict[str, Any] | None = read_json(path) if path.exists() else None
    if found is None or found.get("features_sha256") != digest(ws.need("derive", "features.parquet")):
        return None
    return found


def _model(ws: Workspace, stages: dict[str, dict[str, Any]]) -> DefaultModel:
    path = ws.need("train", "model.txt")
    for stage in ("train", "evaluate"):
        if stages[stage]["model_sha256"] != digest(path):
            raise ArtifactError(f"{path} is not the model that `{stage}` wrote about; rerun `saakh {stage}`")
    return DefaultModel.of_text(path.read_text(encoding="utf-8"))


def _specs(ws: Workspace, names: Sequence[str]) -> tuple[FeatureSpec, ...]:
    specs = {raw["name"]: FeatureSpec.from_dict(raw) for raw in read_json(ws.need("derive", "specs.json"))}
    if unknown := [name for name in names if name not in specs]:
        raise ArtifactError(
            f"the model reads {', '.join(unknown)}, which derive/specs.json does not declare; rerun both"
        )
    return tuple(specs[name] for name in names)


def _inputs(features: pa.Table, scores: pa.Table, specs: Sequence[FeatureSpec]) -> np.ndarray:
    """The model's inputs for every scored application, shape (rows, features), missing as NaN."""
    place = pc.index_in(scores[KEY], value_set=features[KEY].combine_chunks())
    if place.null_count:
        raise ArtifactError(
            f"{place.null_count} scored applications have no features; rerun `saakh derive` and `train`"
        )
    rows = features.take(place)
    return np.column_stack([rows[spec.name].to_numpy() for spec in specs]).astype(np.float64)


def _refuse_other_scores(explained: np.ndarray, scored: np.ndarray) -> None:
    gap = float(np.max(np.abs(explained - scored), initial=0.0))
    if not gap <= TOLERANCE:
        raise ArtifactError(
            f"the model's log-odds differ from train/scores.parquet by up to {gap:.1e}; rerun `saakh train`"
        )


def _consent(ws: Workspace) -> dict[str, int]:
    """How many consent artefacts rest on which basis."""
    basis = read_table(ws.need("ingest", "consents.parquet"), ["basis"])["basis"]
    return {entry["values"]: entry["counts"] for entry in sorted(basis.value_counts().to_pylist(), key=str)}


def _outcome_supplied(ws: Workspace) -> bool:
    """Whether the source brought outcomes of its own, so that labels do not rest on days past due alone."""
    outcome = read_table(ws.need("ingest", "applications.parquet"), ["outcome"])["outcome"]
    return outcome.null_count < len(outcome)


def _closed(ws: Workspace, scores: pa.Table) -> dict[str, np.ndarray]:
    """For each source, which scored applications closed it."""
    coverage = read_table(ws.need("derive", "coverage.parquet"), [KEY, "source", "status"])
    shut = coverage.filter(pc.equal(coverage["status"], "closed"))
    return {
        source: pc.is_in(scores[KEY], shut.filter(pc.equal(shut["source"], source))[KEY].combine_chunks()).to_numpy()
        for source in sorted(set(shut["source"].to_pylist()))
    }

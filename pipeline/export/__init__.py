"""Export: one versioned scorecard file, replayed through the runtime and LightGBM before it is written."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.default import DefaultModel
from models.model_text import on_grid
from pipeline.bundle import REASONS_MOST, Bundle
from pipeline.engines import read_table
from pipeline.export.golden_vectors import golden_json
from pipeline.export.inputs import rules
from pipeline.export.replay import Differences, replay
from pipeline.params import Params
from pipeline.run_page import log_run_page
from pipeline.sample import KEY, refusals, refused
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.tracking import ALIAS, fetch_bundle, log_scorecard
from pipeline.workspace import Workspace, whole
from saakh import archive
from saakh.errors import ArtifactError
from saakh.inputs import Inputs
from saakh.linear import ARRAYS as LINEAR
from saakh.manifest import MEMBER, PROTOCOL, Manifest
from saakh.scorecard import TERMS, Scorecard
from saakh.spec import FeatureSpec
from saakh.trees import ARRAYS as TREES

NAME = "scorecard"
REASON_POINTS_LEAST = 0.05
REASON_TIE_POINTS = 0.75
"""So far ahead, nine in ten are still among the four weightiest when a tenth of the loans is left out."""
RANGE_ROWS = 50_000  # held in memory at a time
TOLD_IF_KNOWN = ("tuned",)
"""Which search the values came from, if any: a release asks whether it can be made again."""
TRAINING_RECORD = ("model_sha256", "inputs", "split", "parameters", "dropped", "seed")


@dataclass(frozen=True)
class Written:
    """A scorecard that was written: where, what it is, its golden vectors, and how exactly it was replayed."""

    path: Path
    scorecard: Scorecard
    vectors: int
    replayed: Differences


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `export/scorecard-<version>.saakh`, and let the model's MLflow run tell of it."""
    with timed("export") as summary:
        bundle = Bundle.from_workspace(ws, params)
        written = write(params, ws, bundle, tell)
        log_run_page(ws, bundle, written.path, log_scorecard(params, ws, bundle, written.path))
        scorecard, found = written.scorecard, written.replayed
        summary.rows_in = summary.rows_out = found.rows
        summary.counts = {"features": len(scorecard.features), "golden vectors": written.vectors}
        summary.facts = {
            "scorecard": str(written.path),
            "version": scorecard.version,
            "size": f"{written.path.stat().st_size / 1024:,.0f} KiB",
            "replayed": f"{found.rows:,} applicants; largest difference {max(found.log_odds, found.sums):.1e}",
        }
    return summary


def write(params: Params, ws: Workspace, bundle: Bundle, tell: Tell = quiet) -> Written:
    """Write a bundle's scorecard, or nothing and an `ArtifactError` when the replay differs."""
    tell("building the scorecard", 0, 2)
    body = build(bundle)
    tell("replaying", 1, 2)
    scorecard = Scorecard.from_members(archive.unpack(body))
    verified = scorecard.verify()
    derived = read_inputs(scorecard, ws)
    refuse_out_of_range(scorecard, derived)
    chosen = sample_rows(derived, params.export.replay_rows)
    found = prove(scorecard, bundle.model, _matrix(derived.take(chosen)), read_refused(scorecard, ws, chosen))
    path = ws.stage("export") / f"{NAME}-{scorecard.version}.saakh"
    with whole(path) as temporary:
        temporary.write_bytes(body)
    return Written(path, scorecard, verified.vectors, found)


def rebuild(ws: Workspace, out: Path, version: str = ALIAS) -> None:
    """Write a registered model's scorecard from its run alone, the same bytes as `run` wrote."""
    body = build(fetch_bundle(ws, version))
    with whole(out) as temporary:
        temporary.write_bytes(body)


def build(bundle: Bundle) -> bytes:
    """The scorecard's bytes: a pure function of the bundle, the same on every machine."""
    text = on_grid(bundle.model)  # as train leaves it; a model from elsewhere is rounded here
    model = DefaultModel.of_text(text)
    specs = specs_in_order(bundle, model)
    members = {"model.txt": text.encode(), **arrays(model)}
    if "terms" in bundle.export:
        members[TERMS] = bundle.export["terms"].encode()
    draft = Manifest.from_bytes(_json(describe(bundle, model, specs, members)))
    members["golden.json"] = golden_json(Scorecard(draft, model.additive, b""))
    return archive.pack({MEMBER: _json(describe(bundle, model, specs, members)), **members})


def arrays(model: DefaultModel) -> dict[str, bytes]:
    """The arrays of the model's parts, by member."""
    parts = (("trees", TREES, model.additive.trees), ("linear", LINEAR, model.additive.linear))
    return {
        _member_of(kind, name, dtype): getattr(part, name).astype(dtype).tobytes()
        for kind, dtypes, part in parts
        for name, dtype in dtypes.items()
    }


def specs_in_order(bundle: Bundle, model: DefaultModel) -> tuple[FeatureSpec, ...]:
    """The specs of the model's inputs, in its order."""
    if list(model.names) != bundle.train.get("columns"):
        raise ArtifactError("model.txt and train.json do not name the same features in the same order; train again")
    by_name = {raw["name"]: FeatureSpec.from_dict(raw) for raw in bundle.specs}
    if missing := [name for name in model.names if name not in by_name]:
        raise ArtifactError(f"derive/specs.json does not describe {', '.join(missing[:5])}; run `saakh derive` again")
    return tuple(by_name[name] for name in model.names)


def describe(
    bundle: Bundle, model: DefaultModel, specs: Sequence[FeatureSpec], members: dict[str, bytes]
) -> dict[str, Any]:
    """The manifest as plain JSON values."""
    said, linear = bundle.export, model.additive.linear
    if missing := [key for key in TRAINING_RECORD if key not in bundle.train]:
        raise ArtifactError(f"train.json has no {', '.join(missing)}; run `saakh train` again")
    return {
        "protocol": PROTOCOL,
        "name": NAME,
        "version": said["version"],
        "as_of": said["as_of"],
        "catalogue_fingerprint": bundle.train.get("catalogue_fingerprint"),
        "features": [spec.as_dict() for spec in specs],
        "scale": {key: said[key] for key in ("base_points", "base_odds", "pdo")},
        "calibration": asdict(model.calibration),
        "bands": bands(said["bands"]),
        "reasons": {
            "most": said.get("reasons_most", REASONS_MOST),
            "least_points": REASON_POINTS_LEAST,
            "tie_points": REASON_TIE_POINTS,
            "codes": codes(specs, said.get("reasons", {})),
        },
        "input_policy": rules(specs, model.additive, bundle.train.get("spreads", {}), said.get("inputs", {})),
        "baseline_log_odds": model.additive.mean,
        "parts": [
            {"kind": "trees", "arrays": _places("trees", TREES, model.additive.trees)},
            {"kind": "linear", "intercept": linear.intercept, "arrays": _places("linear", LINEAR, linear)},
        ],
        "training": {key: bundle.train[key] for key in (*TRAINING_RECORD, *TOLD_IF_KNOWN) if key in bundle.train},
        "consent": {
            "policy": said["policy"],
            "purposes": ["score"],
            "trained_for": said["purpose"],
            "basis": said["consent_basis"],
            "categories": sorted({spec.category for spec in specs}),
        },
        "metrics": _headlines(bundle.metrics),
        "members": {name: _member(body) for name, body in sorted(members.items())},
    }


def _headlines(metrics: dict[str, Any]) -> dict[str, Any]:
    """The figures without their tables: a month with one loan would tell a reader that person's PD and outcome."""
    return {
        name: {k: v for k, v in figure.items() if not k.startswith("by_")} if isinstance(figure, dict) else figure
        for name, figure in metrics.items()
    }


def bands(cutoffs: Sequence[float]) -> list[dict[str, Any]]:
    """Bands from A, the best, down; cut-offs rise."""
    return [{"name": chr(ord("A") + i), "from_points": c} for i, c in enumerate([*reversed(cutoffs), None])]


def codes(specs: Sequence[FeatureSpec], texts: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Each reason code of the features with its text in every language that has all; English falls back on a reason."""
    reason = {spec.reason_code: spec.reason for spec in reversed(specs)}
    whole = {name: said for name, said in texts.items() if name != "en" and set(reason) <= set(said)}
    english = {code: texts.get("en", {}).get(code, said) for code, said in reason.items()}
    return [
        {"code": code, "text": {"en": english[code]} | {name: said[code] for name, said in sorted(whole.items())}}
        for code in sorted(reason)
    ]


def read_inputs(scorecard: Scorecard, ws: Workspace) -> pa.Table:
    """The scorecard's inputs of every application in `derive/features.parquet`, a column a feature."""
    table = read_table(ws.need("derive", "features.parquet"))
    if missing := [name for name in scorecard.features if name not in table.column_names]:
        shown = ", ".join(missing[:5])
        raise ArtifactError(
            f"derive/features.parquet has no {shown}, which the model was trained on; run `saakh train`"
        )
    return table.select(scorecard.features)


def read_refused(scorecard: Scorecard, ws: Workspace, rows: np.ndarray) -> list[tuple[str, ...]]:
    """The categories that these rows of `derive/features.parquet` refused, as the scorecard takes them."""
    keys, specs = read_table(ws.need("derive", "features.parquet"), [KEY])[KEY], scorecard.manifest.features
    return refused(refusals(ws, keys.take(pa.array(rows)).combine_chunks(), specs), specs)


def sample_rows(derived: pa.Table, rows: int) -> np.ndarray:
    """The positions of up to so many applications, evenly spread."""
    last, most = max(derived.num_rows - 1, 0), min(rows, derived.num_rows)
    return np.unique(np.linspace(0, last, most).round().astype(int))


def _matrix(table: pa.Table) -> np.ndarray:
    return np.column_stack([c.to_numpy().astype(float) for c in table.columns])


def prove(scorecard: Scorecard, model: str, rows: np.ndarray, refused: Sequence[Collection[str]]) -> Differences:
    """Replay golden vectors and applicants against LightGBM; an `ArtifactError` when anything differs."""
    golden, inputs = scorecard.vectors(), Inputs(scorecard.manifest.features)
    vectors = inputs.of_many([v.row for v in golden])[0]
    replay(scorecard, model, vectors, [v.refused for v in golden]).check("golden vectors")
    found = replay(scorecard, model, rows, refused)
    found.check("applicants")
    return found


def refuse_out_of_range(scorecard: Scorecard, derived: pa.Table) -> None:
    """A derived value outside its declared range would be learned from in training and taken as missing in scoring."""
    inputs, refused = Inputs(scorecard.manifest.features), np.zeros(derived.num_columns, int)
    for start in range(0, derived.num_rows, RANGE_ROWS):
        rows = _matrix(derived.slice(start, RANGE_ROWS))
        refused += (np.isnan(inputs.of_many(rows)[0]) & ~np.isnan(rows)).sum(axis=0)
    if refused.any():
        named = [f"{n} ({c} of {derived.num_rows})" for n, c in zip(scorecard.features, refused, strict=True) if c]
        raise ArtifactError(
            f"features outside their declared range: {', '.join(named[:5])}; correct low or high in features/"
        )


def _places(kind: str, dtypes: Mapping[str, str], part: object) -> dict[str, Any]:
    return {
        name: {"member": _member_of(kind, name, dtype), "dtype": dtype, "length": len(getattr(part, name))}
        for name, dtype in dtypes.items()
    }


def _member_of(kind: str, name: str, dtype: str) -> str:
    return f"{kind}/{name}.{dtype[1:]}"


def _member(body: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()

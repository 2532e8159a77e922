"""Everything a scorecard is built from, as five small files: MLflow keeps them, so that it can be rebuilt."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline import doubts
from pipeline.engines import read_table
from pipeline.lending import decision_json, read_lending
from pipeline.params import Params
from pipeline.policy import read_policies, reasons_of
from pipeline.reasons import read_reasons
from pipeline.workspace import Workspace, read_json, write_json, write_text
from saakh.errors import ArtifactError, MissingInputError

REASONS_MOST = 4
JSON_FILES = ("specs", "train", "metrics", "export")


@dataclass(frozen=True)
class Bundle:
    """What `build` reads, and nothing else: a scorecard is a pure function of it.

    `model` is LightGBM's text; `specs` the derived features' specs as plain JSON; `train` and `metrics` what train and
    evaluate wrote; `export` the section of that name with `as_of`, `policy`, `purpose`, `consent_basis`, how many
    reasons the policies allow, and what each code says.
    """

    model: str
    specs: list[dict[str, Any]]
    train: dict[str, Any]
    metrics: dict[str, Any]
    export: dict[str, Any]

    @classmethod
    def from_workspace(cls, ws: Workspace, params: Params) -> Self:
        """The bundle of a run that has been evaluated; a `MissingInputError` names the stage to run first."""
        train = read_json(ws.need("train", "train.json"))
        return cls(
            model=ws.need("train", "model.txt").read_text(encoding="utf-8"),
            specs=read_json(ws.need("derive", "specs.json")),
            train=train,
            metrics=read_json(ws.need("evaluate", "metrics.json"))
            | {"selfcheck": _checked(ws), "membership": doubts.membership(ws)},
            export=_settings(ws, params, train),
        )._checked()

    @classmethod
    def from_folder(cls, path: Path) -> Self:
        """The bundle that `to_folder` wrote."""
        if missing := [n for n in ("model.txt", *(f"{j}.json" for j in JSON_FILES)) if not (path / n).is_file()]:
            raise MissingInputError(f"{path} is not the bundle of a scorecard: it has no {', '.join(missing)}")
        contents = {name: read_json(path / f"{name}.json") for name in JSON_FILES}
        return cls(model=(path / "model.txt").read_text(encoding="utf-8"), **contents)._checked()

    def to_folder(self, path: Path) -> None:
        """Write the bundle's files into a folder, made when it is not there."""
        write_text(path / "model.txt", self.model)
        for name in JSON_FILES:
            write_json(path / f"{name}.json", getattr(self, name))

    def _checked(self) -> Self:
        """The same bundle; an `ArtifactError` when its files are not of one training."""
        trained = self.train.get("model_sha256")
        if hashlib.sha256(self.model.encode()).hexdigest() != trained:
            raise ArtifactError("model.txt is not the model that train.json describes; run `saakh train`")
        if self.metrics.get("model_sha256") != trained:
            raise ArtifactError("metrics.json is about another model than train.json; run `saakh evaluate`")
        return self


def _checked(ws: Workspace) -> dict[str, Any]:
    """The selfcheck's verdict, how large it was, and what it found, in words."""
    found = doubts.said(ws)
    if found["verdict"] == "not run":
        return found
    return {"verdict": found["verdict"], "refits": found["permuted"]["refits"], "failed": doubts.reasons(found)}


def _settings(ws: Workspace, params: Params, train: dict[str, Any]) -> dict[str, Any]:
    """The scorecard's parameters; what was true of the training is what the training says, not what is asked now."""
    basis = read_table(ws.need("ingest", "consents.parquet"), ["basis"])["basis"]
    return {
        **params.export.model_dump(mode="json", exclude={"replay_rows", "decides"}),
        **({"terms": decision_json(read_lending(params.decide.terms)).decode()} if params.export.decides else {}),
        "as_of": train.get("as_of"),
        "policy": train.get("policy"),
        "reasons": read_reasons(),
        "reasons_most": min(REASONS_MOST, reasons_of(read_policies(params.policy)).most or REASONS_MOST),
        "purpose": "train",  # training refuses any other
        "consent_basis": sorted({str(b) for b in basis.unique().to_pylist() if b is not None}),
    }

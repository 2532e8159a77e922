"""The run's own files as a validation report reads them: a figure that is not there is named, never passed over."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from models.default import DefaultModel
from pipeline.params import Params
from pipeline.sample import FILES
from pipeline.validate.bands import Band, bands_of
from pipeline.workspace import Workspace, digest, read_json
from saakh.errors import MissingInputError, SaakhError
from saakh.scale import Scale

AUDITS = {
    "membership": ("membership", "membership.json"),
    "fairness": ("fairness", "fairness.json"),
    "minimise": ("minimise", "minimise.json"),
    "proxies": ("proxies", "proxies.json"),
    "policy costs": ("policy", "costs.json"),
    "reidentify": ("reidentify", "reidentify.json"),
    "compare": ("compare", "compare.json"),
}
"""Commands beside the line whose files a report reads when they are there, each with where it writes."""


class IncompleteReportError(SaakhError):
    """A report lacks a section or a figure that it must not lack."""

    exit_code = 17


class LackingError(Exception):
    """A figure is not in its file. The section that asked for it turns this into an `IncompleteReportError`."""


class Found(dict[str, Any]):
    """An object of a JSON file that knows where it stands, as in `evaluate/metrics.json: out_of_time.auc`."""

    def __init__(self, content: Mapping[str, Any], at: str) -> None:
        super().__init__({key: _placed(value, _below(at, key)) for key, value in content.items()})
        self.at = at

    def __missing__(self, key: str) -> Any:
        raise LackingError(f"{self.path(key)} is not there")

    def some(self, key: str) -> list[Any]:
        """A list that must hold something."""
        if not (held := self[key]):
            raise LackingError(f"{self.path(key)} holds nothing")
        return list(held)

    def need(self, *keys: str) -> None:
        """Stop where one of these is not there."""
        for key in keys:
            self[key]

    def path(self, key: str) -> str:
        """Where a value of this object stands."""
        return _below(self.at, key)


def _below(at: str, key: str) -> str:
    return f"{at}{key}" if at.endswith(": ") else f"{at}.{key}"


def _placed(value: Any, at: str) -> Any:
    if isinstance(value, dict):
        return Found(value, at)
    if isinstance(value, list):
        return [_placed(item, f"{at}.{place}") for place, item in enumerate(value)]
    return value


class Record:
    """A finished run: its parameters, and its files by stage, each read once."""

    def __init__(self, params: Params, ws: Workspace) -> None:
        self.params, self.ws = params, ws
        self.scale = Scale(params.export.base_points, params.export.base_odds, params.export.pdo)
        self._read: dict[tuple[str, str], Any] = {}

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """All comers by band of the score."""
        return bands_of(self.ws, self.params.export, self.scale)

    @cached_property
    def importance(self) -> Found:
        """What `explain` found of the inputs, if it was of this model."""
        found: Found = self.file("explain", "importance.json")
        model = DefaultModel.of_text(self.need("train", "model.txt").read_text(encoding="utf-8"))
        names = {entry["name"] for entry in found.some("features")}
        if found["base_log_odds"] != model.base or names != set(model.names):
            raise LackingError("explain/importance.json is of another model than train's; rerun `saakh explain`")
        return found

    def need(self, stage: str, name: str) -> Path:
        """The path of a file that a stage must have written."""
        try:
            return self.ws.need(stage, name)
        except MissingInputError as error:
            raise LackingError(str(error)) from None

    def file(self, stage: str, name: str) -> Any:
        """A file that a stage wrote, as `Found` where it is an object."""
        if (stage, name) not in self._read:
            self._read[stage, name] = _placed(read_json(self.need(stage, name)), f"{stage}/{name}: ")
        return self._read[stage, name]

    def stage(self, name: str) -> Found:
        """The account a stage keeps of itself."""
        found: Found = self.file(name, "metrics.json" if name == "evaluate" else f"{name}.json")
        return found

    def audit(self, command: str) -> Found | str:
        """What a command beside the line found of this model and its data; else why that cannot be told."""
        folder, name = AUDITS[command]
        if not (self.ws.root / folder / name).exists():
            return "was not run"
        found: Found = self.file(folder, name)
        return found if self._is_fresh(command, found) else "was run on another model or other data"

    def _is_fresh(self, command: str, found: Found) -> bool:
        train = self.stage("train")
        if command == "policy costs":
            return bool(found["features_sha256"] == train["inputs"]["features.parquet"])
        if command in ("minimise", "proxies"):
            return all(found["inputs"].get(file) == sum_ for file, sum_ in train["inputs"].items())
        if command == "reidentify":
            from pipeline.reidentify import fresh  # noqa: PLC0415 - heavy

            return fresh(self.ws) is not None
        return bool(found["model_sha256"] == train["model_sha256"])

    def refuse_other_models(self) -> None:
        """Stop when the stages' accounts are not of one model, or its tables are others than it learned from."""
        model = digest(self.ws.need("train", "model.txt"))
        for stage in ("train", "evaluate"):
            if self.stage(stage)["model_sha256"] != model:
                raise LackingError(f"{stage} tells of another model than train/model.txt; rerun `saakh {stage}`")
        learned = self.stage("train")["inputs"]
        for stage, file in FILES:
            if file in learned and learned[file] != digest(self.need(stage, file)):
                raise LackingError(f"{stage}/{file} is not what the model learned from; rerun `saakh train`")

"""Data lineage as OpenLineage events, one a stage: what it read, what it wrote, each with its digest."""

import json
import uuid
from importlib.metadata import version
from typing import Any

from pipeline.run import STAGES
from pipeline.validate.record import AUDITS, Record
from pipeline.workspace import digest

SPEC = "https://openlineage.io/spec"
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
VERSION_FACET = f"{SPEC}/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
NAMESPACE = "saakh"
IDS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:saakh:lineage")
RAW = "raw"
READS: dict[str, tuple[str, ...]] = {
    "ingest": (RAW,),
    "check": ("ingest",),
    "cohort": ("ingest", "check"),
    "label": ("ingest", "cohort"),
    "derive": ("ingest", "cohort"),
    "train": ("ingest", "cohort", "label", "derive"),
    "evaluate": ("cohort", "derive", "train"),
    "selfcheck": ("ingest", "cohort", "label", "derive", "train", "evaluate"),
    "explain": ("ingest", "cohort", "label", "derive", "train", "evaluate", "selfcheck"),
    "export": ("ingest", "derive", "train", "evaluate", "selfcheck", "explain"),
    "reidentify": ("ingest", "cohort"),
    **dict.fromkeys(
        ("membership", "fairness", "minimise", "proxies", "policy"), ("ingest", "cohort", "derive", "train")
    ),
}
"""The folders each stage reads, and each audit beside the line; of the stages, those that `dvc.yaml` names."""


def digests(record: Record) -> dict[str, str]:
    """The SHA-256 of every file that a stage or an audit wrote, by its path in the workspace, and of the raw drops."""
    folders = (*STAGES, *sorted({folder for folder, _ in AUDITS.values()}))
    paths = sorted(p for name in folders for p in (record.ws.root / name).rglob("*") if p.is_file())
    held = {path.relative_to(record.ws.root).as_posix(): path for path in paths}
    found = {name: digest(path) for name, path in held.items() if not any(p.startswith(".") for p in name.split("/"))}
    return {f"{RAW}/{file['file']}": file["sha256"] for file in record.stage("ingest").some("files")} | found


def lineage(record: Record, held: dict[str, str]) -> str:
    """One event a line, in the order of the stages; ids follow from digests and times from `as_of`."""
    written = {name.split("/")[0] for name in held}
    events = [_event(record, stage, held) for stage in READS if stage in written]
    return "".join(json.dumps(event, sort_keys=True) + "\n" for event in events)


def _event(record: Record, stage: str, held: dict[str, str]) -> dict[str, Any]:
    inputs = [_dataset(name, held[name]) for name in sorted(held) if name.split("/")[0] in READS[stage]]
    outputs = [_dataset(name, held[name]) for name in sorted(held) if name.split("/")[0] == stage]
    told = json.dumps([stage, inputs, outputs], sort_keys=True)
    return {
        "eventType": "COMPLETE",
        "eventTime": record.params.as_of.isoformat(),
        "run": {"runId": str(uuid.uuid5(IDS, told))},
        "job": {"namespace": NAMESPACE, "name": stage},
        "inputs": inputs,
        "outputs": outputs,
        "producer": _producer(),
        "schemaURL": EVENT,
    }


def _dataset(name: str, sum_: str) -> dict[str, Any]:
    facet = {"_producer": _producer(), "_schemaURL": VERSION_FACET, "datasetVersion": sum_}
    return {"namespace": NAMESPACE, "name": name, "facets": {"version": facet}}


def _producer() -> str:
    return f"urn:saakh:pipeline:{version('saakh-pipeline')}"

"""Retire: wind a version down. No service uses it any more, its data are sealed or destroyed, its partners are listed.

What may be sealed is the version's own record: the scorecard, what it was built from, the figures it was judged by. The
rows of people it learned from are never sealed with it, for then nobody could be erased from them: they go.
"""

import io
import secrets
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pipeline import audit
from pipeline.audit.heads import UNSIGNED, public_of, read_signer
from pipeline.audit.register import shares
from pipeline.erase import stores
from pipeline.erase.journal import Hold
from pipeline.params import Params
from pipeline.release import champion, now
from pipeline.release.errors import ReleaseError
from pipeline.release.records import FOLDER, Retirement, write_record
from pipeline.release.registry import withdraw
from pipeline.retention.enforce import hold_for, today
from pipeline.retention.keys import read_store_key
from pipeline.retention.sealed import VersionHeader, store_of
from pipeline.run import STAGES
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, write_json
from saakh import archive, signature
from saakh.errors import ArtifactError
from saakh.manifest import MEMBER, Manifest
from saakh.stops import RETIRED, digests_of

EVIDENCE = (
    *("train/train.json", "evaluate/metrics.json", "selfcheck/selfcheck.json", "membership/membership.json"),
    *("fairness/fairness.json", "explain/report.html"),
)
"""What a version was judged by, as figures: what a regulator may ask for, and nobody's row."""
LEARNING = list(STAGES)[list(STAGES).index("cohort") : list(STAGES).index("export")]
"""The stages whose folders hold what a version learned from, or what was made of it."""


@dataclass(frozen=True)
class Asked:
    """Why a version is retired, and what is to become of its data: destroyed, or sealed under this hold."""

    why: str
    data: Literal["seal", "destroy"]
    purpose: str | None = None
    until: date | None = None
    is_champion_meant: bool = False


def run(params: Params, ws: Workspace, path: Path, asked: Asked, tell: Tell = quiet) -> Summary:
    """Retire the scorecard at `path`. Stopped half-way, the same command finishes: the file goes last."""
    audit.ready(params, ws)
    with timed("retire") as summary:
        members, manifest = _read(path)
        digests = digests_of(members)
        _refuse_champion(ws, digests, asked)
        stores.refuse_runs_elsewhere(ws)  # a copied workspace names another's files, which are not its to remove
        recipients = told(params, ws, members, manifest)
        hold = _hold(params, asked)
        tell("stopping", 0, 3)
        stop(ws, manifest.version, digests, asked.why)
        tell("sealing", 1, 3)
        copy = _seal(params, ws, members, manifest, hold) if hold else None
        tell("destroying", 2, 3)
        model = str(manifest.training.get("model_sha256"))
        files = _files(ws, digests["manifest_sha256"])
        removed = _destroy(ws, model, files, keep=path)
        record = Retirement(
            at=now(),
            scorecard=manifest.version,
            artefact=digests["scorecard_sha256"],
            manifest=digests["manifest_sha256"],
            why=asked.why,
            data="sealed" if hold else "destroyed",
            copy_id=copy,
            sealed_until=hold.destroy_by if hold else None,
            recipients=recipients,
            files_removed=removed + 1,
        )
        written = write_record(ws, record, read_signer(params.audit))
        audit.retired(params, ws, record, written)
        path.unlink()
        summary.counts = {"files removed": record.files_removed, "recipients to be told": len(recipients)}
        summary.facts = _facts(manifest, record, written)
    return summary


def stop(ws: Workspace, version: str, digests: dict[str, str], why: str) -> None:
    """Put a version on the list that services, `saakh score` and the runtime heed; once."""
    path = ws.stage(FOLDER) / RETIRED
    listed: list[dict[str, Any]] = read_json(path) if path.exists() else []
    if all(stopped.get("manifest_sha256") != digests["manifest_sha256"] for stopped in listed):
        reasons = [f"it was retired: {why.replace('_', ' ')}"]
        write_json(path, [*listed, {"scorecard": version, **digests, "as_of": now(), "reasons": reasons}])


def told(params: Params, ws: Workspace, members: dict[str, bytes], manifest: Manifest) -> tuple[str, ...]:
    """Who was given this version, its model or it unsigned, by the sharing register: they must be told."""
    path = audit.path_of(ws)
    if not path.exists():
        return ()
    unsigned = {name: body for name, body in members.items() if name != signature.MEMBER}
    known = {digests_of(form)["scorecard_sha256"] for form in (members, unsigned)}
    known |= {str(manifest.training.get("model_sha256"))}
    trusted = (public_of(read_signer(params.audit)) or UNSIGNED,)
    return tuple(sorted({line.recipient for line in shares(path, trusted) if line.artefact in known}))


def _read(path: Path) -> tuple[dict[str, bytes], Manifest]:
    try:
        members = archive.read(path)
        return members, Manifest.from_bytes(members.get(MEMBER, b""))
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from None


def _refuse_champion(ws: Workspace, digests: dict[str, str], asked: Asked) -> None:
    decides = champion(ws)
    if decides and decides.manifest == digests["manifest_sha256"] and not asked.is_champion_meant:
        raise ReleaseError(
            "this version is the champion, and nothing would decide in its place: release another or `saakh rollback` "
            "first, or say --champion to stop deciding"
        )


def _hold(params: Params, asked: Asked) -> Hold | None:
    if asked.data == "destroy":
        if asked.purpose or asked.until:
            raise ReleaseError("--hold and --until are for data that are sealed; with --data destroy nothing is kept")
        return None
    hold = hold_for(params, asked.purpose, asked.until)
    if hold is None:
        raise ReleaseError(
            "nothing says how long the sealed copy is to be kept: no policy of the run does, so give --hold and --until"
        )
    read_store_key(params)  # a missing key stops here, before anything is done
    return hold


def _seal(params: Params, ws: Workspace, members: dict[str, bytes], manifest: Manifest, hold: Hold) -> str:
    """Seal the version's own record, and return the copy's id."""
    header = VersionHeader(
        id=secrets.token_hex(16),
        purpose=hold.purpose,
        version=digests_of(members)["manifest_sha256"],
        policies=params.policy,
        sealed_on=today().isoformat(),
        destroy_by=hold.destroy_by,
    )
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"scorecard-{manifest.version}.saakh", archive.pack(members))
        if _is_of(ws, str(manifest.training.get("model_sha256"))):
            for name in EVIDENCE:
                if (path := ws.root / name).is_file():
                    file.write(path, name)
    store_of(ws, read_store_key(params)).seal(header, body.getvalue())
    return header.id


def _is_of(ws: Workspace, model: str) -> bool:
    """Whether the workspace's own training is that of this model, and not of a later version."""
    path = ws.root / "train" / "model.txt"
    return path.exists() and digest(path) == model


def _files(ws: Workspace, manifest: str) -> list[Path]:
    """The scorecard's files in the workspace: as exported, as released, as champion."""
    found = []
    for path in sorted((*(ws.root / "export").glob("*.saakh"), *(ws.root / FOLDER).glob("*.saakh"))):
        try:
            if digests_of(archive.read(path))["manifest_sha256"] == manifest:
                found.append(path)
        except (ArtifactError, KeyError):
            continue  # a damaged file is another's
    return found


def _destroy(ws: Workspace, model: str, files: Collection[Path], keep: Path) -> int:
    """Remove the version's run, its files but the one named, and what it learned from; returns how many files."""
    names = [name for name in (*LEARNING, *stores.beside(ws)) if (ws.root / name).is_dir()] if _is_of(ws, model) else []
    others = [path for path in files if path.resolve() != keep.resolve()]
    count = sum(path.is_file() for name in names for path in (ws.root / name).rglob("*")) + len(others)
    withdraw(ws, model)
    for path in others:
        path.unlink()
    stores.clear(ws, names)
    return count


def _facts(manifest: Manifest, record: Retirement, written: Path) -> dict[str, str]:
    until = f", sealed copy {record.copy_id} until {record.sealed_until}" if record.copy_id else ""
    return {
        "retired": f"{manifest.name} {manifest.version}: {record.why.replace('_', ' ')}",
        "data": record.data + until,
        "tell": ", ".join(record.recipients) or "nobody: the sharing register has no share of it",
        "record": str(written),
        "stopped by": f"{FOLDER}/{RETIRED}; a service elsewhere needs a copy beside its scorecard",
    }

"""The audit log's hooks: who ran what on which digests, under which policy and purpose, and what left the house.

The log tells the time by the wall clock: of a workspace's files, it alone differs between two equal runs.
"""

import hashlib
import os
import pwd
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.columns import Category
from features.tables import BY_NAME
from pipeline.audit import log
from pipeline.audit.heads import Head, read_signer
from pipeline.audit.records import (
    ACTOR,
    ERROR,
    FILE,
    WORDS,
    Consent,
    Entry,
    Erasure,
    Export,
    Release,
    Retention,
    Retire,
    Run,
    Scoring,
    Share,
    Signing,
    Stage,
    entry,
)
from pipeline.params import Params
from pipeline.run import STAGES
from pipeline.summary import Summary
from pipeline.workspace import Workspace, digest, read_json
from saakh.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.release.records import Approval, Retirement

POLICIES = Path(__file__).parents[2] / "data" / "policies"
NAME_MAX = 64
RESEARCH = ("fairness", "membership", "proxies")
"""Audits that look at what people agreed to show for research alone."""
UNNAMED = "unnamed"
"""What counts are summed under whose names have capitals or digits: these might be a person's."""


def path_of(ws: Workspace) -> Path:
    """Where a workspace keeps its log."""
    return ws.root / "audit" / "audit.jsonl"


def ready(params: Params, ws: Workspace) -> None:
    """Raise, before a stage begins, what would keep its record from being written: a missing key, a tampered log."""
    actor_of(params)
    log.ready(path_of(ws), read_signer(params.audit))


def record(params: Params, ws: Workspace, summary: Summary) -> Head:
    """Record a stage that ended well; with derive also what consents opened, with export also what was written."""
    entries: list[Entry] = [_stage(params, ws, summary)]
    if summary.stage == "derive":
        entries.append(_consent(params, ws, {}))
    if summary.stage == "export":
        entries.append(_export(params, Path(summary.facts["scorecard"])))
    return _append(params, ws, *entries)


def ran(params: Params, ws: Workspace, stages: Iterable[str], failed: str | None = None, error: Any = None) -> Head:
    """Record a whole run: its stages, and the one that failed with the class of its error; never the message."""
    kind = None if error is None else type(error).__name__
    if kind is not None and not re.fullmatch(ERROR, kind):
        kind = Exception.__name__  # a record of a failure must not fail on its name
    return _append(params, ws, entry(Run, **_asked(params), stages=tuple(stages), failed=failed, error=kind))


def opened(params: Params, ws: Workspace, artefacts: Mapping[str, int]) -> Head:
    """Record what consents opened after derive, with the number of artefacts in force for each category."""
    return _append(params, ws, _consent(params, ws, artefacts))


def exported(params: Params, ws: Workspace, file: Path) -> Head:
    """Record a file that was made to leave the house."""
    return _append(params, ws, _export(params, file))


def share(params: Params, ws: Workspace, recipient: str, what: str, artefact: Path, why: str, rows: int = 0) -> Head:
    """Enter into the sharing register that a recipient is given a file.

    Args:
        params: of the run; its purpose is recorded as `share`.
        ws: whose log it is.
        recipient: a short name of the house's own, as `credit-bureau`; never a person's.
        what: one of `records.SHARED`.
        artefact: the file; its digest is recorded, not its name.
        why: one of `records.WHYS`.
        rows: how many applicants it holds.
    """
    asked = _asked(params) | {"purpose": "share"}
    given = {"recipient": recipient, "what": what, "artefact": digest(artefact), "rows": rows, "why": why}
    return _append(params, ws, entry(Share, **asked, **given))


def erased(
    params: Params,
    ws: Workspace,
    people: int,
    removed: Mapping[str, int],
    receipt: Path,
    *,
    why: str = "request",
    replaced: int = 0,
    rebuilt: Iterable[str] = (),
    sealed_until: date | None = None,
) -> Head:
    """Record an erasure: people, rows removed by table, pseudonyms replaced in others' rows, and its receipt."""
    counted = {"people": people, "removed": dict(removed), "replaced": replaced, "rebuilt": tuple(rebuilt)}
    kept = {"receipt": digest(receipt), "sealed_until": sealed_until.isoformat() if sealed_until else None}
    return _append(params, ws, entry(Erasure, **_asked(params), why=why, **counted, **kept))


def retained(params: Params, ws: Workspace, destroyed: int, kept: int, receipt: Path | None = None) -> Head:
    """Record that sealed copies were looked through, how many were destroyed and how many are kept on."""
    proof = digest(receipt) if receipt else None
    return _append(params, ws, entry(Retention, **_asked(params), destroyed=destroyed, kept=kept, receipt=proof))


def signed(params: Params, ws: Workspace, before: str, artefact: str, key: str) -> Head:
    """Record that a scorecard was signed: its digest before and after, and the public key."""
    return _append(params, ws, entry(Signing, **_asked(params), before=before, artefact=artefact, key=key))


def scored(params: Params, ws: Workspace, account: Mapping[str, Any], scores: Path, *, is_verified: bool) -> Head:
    """Record that a scorecard scored applicants, by the account that `saakh score` writes beside the scores."""
    by = {"scorecard": account["scorecard"]["version"], "artefact": account["scorecard"]["sha256"]}
    on = {"features": account["features_sha256"], "scores": digest(scores), "rows": account["applications"]}
    return _append(params, ws, entry(Scoring, **_asked(params), **by, **on, is_verified=is_verified))


def released(params: Params, ws: Workspace, approval: "Approval", record: Path) -> Head:
    """Record that a scorecard became the champion, or the former one again."""
    names = ("act", "scorecard", "artefact", "former", "approver")
    said = {name: getattr(approval, name) for name in names}
    return _append(params, ws, entry(Release, **_asked(params), **said, record=digest(record)))


def retired(params: Params, ws: Workspace, retirement: "Retirement", record: Path) -> Head:
    """Record that a version was wound down."""
    said = {name: getattr(retirement, name) for name in ("scorecard", "artefact", "why", "data", "sealed_until")}
    told = {"recipients": len(retirement.recipients), "record": digest(record)}
    return _append(params, ws, entry(Retire, **_asked(params), **said, **told))


def tree(folder: Path) -> str:
    """A folder's digest: the SHA-256 of what `sha256sum` prints for its files, sorted by path, without hidden ones."""
    return _sum_of(_files(folder)).hexdigest()


def actor_of(params: Params) -> str:
    """Who acts: `audit.actor`, or the user of the operating system (not of the environment, which anybody sets)."""
    if params.audit.actor is not None:
        return params.audit.actor
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"
    if not re.fullmatch(ACTOR, name):
        raise ConfigError("the name of this user has characters the audit log has no place for; set audit.actor")
    return name


def _append(params: Params, ws: Workspace, *entries: Entry) -> Head:
    return log.append(path_of(ws), actor_of(params), entries, read_signer(params.audit))


def _stage(params: Params, ws: Workspace, summary: Summary) -> Stage:
    folder = params.simulate.out if summary.stage == "simulate" else ws.root / summary.stage
    written = _files(folder)
    return entry(
        Stage,
        **_asked(params, summary.stage),
        stage=summary.stage,
        version=version("saakh-pipeline"),
        params=hashlib.sha256(params.model_dump_json().encode()).hexdigest(),
        inputs=_inputs(params, ws, summary.stage),
        outputs={name: found for name, found in written.items() if re.fullmatch(FILE, name) and len(name) <= NAME_MAX},
        tree=_sum_of(written).hexdigest(),
        rows_in=summary.rows_in,
        rows_out=summary.rows_out,
        counts=_named(summary.counts),
    )


def _inputs(params: Params, ws: Workspace, stage: str) -> dict[str, str]:
    """The folders a stage may have read, as they are when it has ended: of every stage before it, or the raw drops."""
    if stage == "simulate":
        return {}
    if stage == "ingest":
        return {"source": tree(params.ingest.source)}
    names = list(STAGES)
    before = names[: names.index(stage)] if stage in names else names
    return {name: tree(ws.root / name) for name in before if (ws.root / name).is_dir()}


def _named(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts by their names, as far as the log has room for these."""
    kept: dict[str, int] = {}
    for name, count in counts.items():
        said = name if re.fullmatch(WORDS, name) and len(name) <= NAME_MAX else UNNAMED
        kept[said] = kept.get(said, 0) + count
    return kept


def _consent(params: Params, ws: Workspace, artefacts: Mapping[str, int]) -> Consent:
    """For each category, to how many applications its best-covered table was open."""
    account = read_json(ws.need("derive", "derive.json"))
    opened = {Category.CREDIT.value: account["applications"]}  # nobody else is in the cohort
    for name, status in account["coverage"].items():
        if name in BY_NAME and status["absent"] < account["applications"]:
            category, number = BY_NAME[name].category.value, status["present"] + status["silent"]
            opened[category] = max(opened.get(category, 0), number)
    counted = {"applications": account["applications"], "opened": opened, "artefacts": dict(artefacts)}
    return entry(Consent, **_asked(params), **counted)


def _export(params: Params, file: Path) -> Export:
    return entry(Export, **_asked(params), file=file.name, artefact=digest(file))


def _asked(params: Params, stage: str = "") -> dict[str, Any]:
    names = (params.policy,) if isinstance(params.policy, str) else tuple(params.policy)
    is_research = stage in RESEARCH
    names = tuple(dict.fromkeys([*names, params.proxies.policy])) if is_research else names
    files = {name: POLICIES / f"{name}.yaml" for name in names}
    return {
        "as_of": params.as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "purpose": "research" if is_research else params.cohort.purpose,
        "policies": {name: digest(file) if file.is_file() else None for name, file in files.items()},
    }


def _files(folder: Path) -> dict[str, str]:
    """The digest of every file in a folder by its path there, sorted."""
    paths = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    return {name: _digest(path) for name, path in paths if not any(part.startswith(".") for part in name.split("/"))}


def _sum_of(files: Mapping[str, str]) -> Any:
    return hashlib.sha256("".join(f"{found}  {name}\n" for name, found in files.items()).encode())


def _digest(path: Path) -> str:
    """The digest of a file, read once a process as long as neither its bytes nor its place are touched."""
    seen = path.stat()
    return _read_once(path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


@lru_cache(maxsize=65_536)
def _read_once(path: Path, *_: int) -> str:
    return digest(path)

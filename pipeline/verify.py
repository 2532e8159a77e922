"""Verify: a scorecard's digests, its arrays against its own LightGBM text, and its golden vectors."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from models.default import DefaultModel
from pipeline.summary import Summary, Tell, quiet, timed
from saakh import archive
from saakh.errors import ArtifactError
from saakh.golden import Verification
from saakh.linear import ARRAYS as LINEAR
from saakh.scorecard import Scorecard
from saakh.signature import Trust
from saakh.trees import ARRAYS as TREES

TEXT = "model.txt"


def run(path: Path, tell: Tell = quiet, trust: Trust | None = None) -> Summary:
    """Verify the scorecard at `path`; an `ArtifactError` says what is not as it was exported.

    With `trust` one of these public keys must have signed it.
    """
    with timed("verify") as summary:
        tell("reading", 0, 2)
        try:
            members = archive.read(path)
            scorecard = Scorecard.from_members(members, trust)
            tell("replaying", 1, 2)
            verified = replayed(scorecard, members)
        except ArtifactError as error:
            raise ArtifactError(f"{path}: {error}") from None
        summary.rows_in = summary.rows_out = verified.vectors
        summary.counts = {
            "members": len(members),
            "features": len(scorecard.features),
            "golden vectors": verified.vectors,
        }
        summary.facts = _facts(path, scorecard, verified)
    return summary


def replayed(scorecard: Scorecard, members: dict[str, bytes]) -> Verification:
    """That the model is one in both its forms, and gives the golden vectors."""
    check_text(scorecard, members)
    return scorecard.verify()


def check_text(scorecard: Scorecard, members: dict[str, bytes]) -> None:
    """The model as text and the model as arrays must be one."""
    if TEXT not in members:
        raise ArtifactError(f"no {TEXT}: the model cannot be read by anything but this runtime")
    model, held = DefaultModel.of_text(members[TEXT].decode("utf-8", errors="replace")), scorecard.model
    same = (
        model.names == scorecard.features
        and model.calibration == scorecard.manifest.calibration
        and model.additive.linear.intercept == held.linear.intercept
        and _are_equal(model.additive.trees, held.trees, TREES)
        and _are_equal(model.additive.linear, held.linear, LINEAR)
    )
    if not same:
        raise ArtifactError(f"{TEXT} is another model than the arrays hold")


def _are_equal(one: object, other: object, names: Iterable[str]) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def _facts(path: Path, scorecard: Scorecard, verified: Verification) -> dict[str, str]:
    manifest = scorecard.manifest
    scale, largest = manifest.scale, verified.largest_difference
    return {
        "scorecard": f"{path} ({manifest.name} {manifest.version}, as of {manifest.as_of[:10]})",
        "scale": f"{scale.base_points:g} points at {scale.base_odds:g} good to one bad; {scale.pdo:g} double the odds",
        "baseline": f"{scorecard.baseline:.1f} points",
        "digests": "as exported",
        "signature": str(scorecard.signature),
        "golden vectors": f"{verified.vectors:,} reproduced, largest difference {largest:.1e} points",
    }

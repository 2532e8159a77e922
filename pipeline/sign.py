"""Sign: put an Ed25519 signature into a scorecard that verifies, in place of any it had."""

from pathlib import Path
from stat import S_IMODE

from pipeline import audit
from pipeline.audit.heads import read_private
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.verify import replayed
from pipeline.workspace import Workspace, digest, whole
from saakh import archive, signature
from saakh.errors import ArtifactError
from saakh.manifest import MEMBER
from saakh.scorecard import Scorecard


def run(path: Path, key_file: Path, tell: Tell = quiet, params: Params | None = None) -> Summary:
    """Sign the scorecard at `path` with the private key in a file; the same key gives the same bytes again.

    One that does not verify is never signed. The file is rewritten whole or not at all, and keeps its mode. The audit
    log of the workspace that `params` name tells of it; without, as on a machine for keys alone, none does.
    """
    with timed("sign") as summary:
        if params:
            audit.ready(params, Workspace(params.workspace))
        signer = read_private(key_file, "--key")
        tell("verifying", 0, 2)
        try:
            members = archive.read(path)
            verified = replayed(Scorecard.from_members(members), members)
        except ArtifactError as error:
            raise ArtifactError(f"{path}: {error}; it was not signed") from None
        tell("signing", 1, 2)
        public = signer.public_key().public_bytes_raw()
        members[signature.MEMBER] = signature.member(public, signer.sign(signature.said(members[MEMBER])))
        signed = Scorecard.from_members(members, public.hex()).signature
        before = digest(path)
        with whole(path, S_IMODE(path.stat().st_mode)) as temporary:
            temporary.write_bytes(archive.pack(members))
        if params:
            audit.signed(params, Workspace(params.workspace), before, digest(path), public.hex())
        summary.rows_in = summary.rows_out = verified.vectors
        summary.facts = {"scorecard": str(path), "signature": str(signed), "public key": public.hex()}
        summary.facts["audit log"] = "recorded" if params else "not recorded: no parameters name a workspace"
    return summary

"""Receipts of what was erased or destroyed: digests, counts and days, signed by the audit log's key."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.audit.heads import UNSIGNED, public_of
from pipeline.audit.records import ERASURES, Count, Counts, Day, Digest, Moment, Word
from pipeline.params import Section
from pipeline.retention.errors import ErasureError
from pipeline.workspace import Workspace, whole

FOLDER = "erasures"
DOMAIN = b"saakh/receipt/1\n"
"""What comes before a receipt when it is signed, so that no signature made for another thing fits."""


class Signed(Section):
    """What every receipt ends in: the public half of the key that signed it, and the signature; both null without."""

    key: Digest | None = None
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$")] | None = None

    def said(self) -> bytes:
        """What is signed."""
        return DOMAIN + self.model_dump_json(exclude={"signature"}).encode()

    def signed(self, signer: Ed25519PrivateKey | None) -> Self:
        """The receipt with its signature; as it is when there is no signer."""
        named = self.model_copy(update={"key": public_of(signer)})
        return named if signer is None else named.model_copy(update={"signature": signer.sign(named.said()).hex()})


class Removed(Signed):
    """Rows went, `removed` of each table, and all that was made of them.

    `rebuilt` is the digest of each stage's folder, made anew; `superseded` are digests of models and scorecards that
    had learned from them and are no more.
    """

    at: Moment
    removed: Counts
    rebuilt: dict[Word, Digest]
    superseded: tuple[Digest, ...]
    runs_removed: Count
    copies_removed: Count


class Erased(Removed):
    """People were erased.

    `people` are digests of their pseudonyms; `replaced` are fields of others that named them; `searched` are files in
    which they were looked for afterwards, in vain.
    """

    kind: Literal["erased"] = "erased"
    why: Annotated[str, Field(pattern=f"^({'|'.join(ERASURES)})$")]
    people: tuple[Digest, ...]
    replaced: Count
    searched: Count
    sealed_until: Day | None


class Outlived(Removed):
    """Rows of so many people had outlived their data life by a day; the people are still there."""

    kind: Literal["outlived"] = "outlived"
    day: Day
    people: Count


class Destroyed(Signed):
    """Sealed copies came to their day and were destroyed; so many are kept on."""

    kind: Literal["destroyed"] = "destroyed"
    at: Moment
    as_of: Day
    copies: tuple[Annotated[str, Field(pattern="^[0-9a-f]{32}$")], ...]
    kept: Count


Receipt = Erased | Outlived | Destroyed
R = TypeVar("R", bound=Signed)
_RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Annotated[Receipt, Field(discriminator="kind")])


def write_receipt(ws: Workspace, receipt: R, signer: Ed25519PrivateKey | None) -> Path:
    """Sign a receipt and write it as the next of its kind; returns where."""
    folder = ws.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    last = max((int(path.stem.rsplit("-", 1)[1]) for path in folder.glob("receipt-*.json")), default=0)
    path = folder / f"receipt-{last + 1:06d}.json"
    with whole(path) as out:
        out.write_bytes(receipt.signed(signer).model_dump_json().encode() + b"\n")
    return path


def read_receipt(path: Path, trusted: Collection[str | None] = (UNSIGNED,)) -> Receipt:
    """A receipt that bears out its signature; `UNSIGNED` among the trusted keys lets it be unsigned."""
    body = path.read_bytes()
    try:
        receipt = _RECEIPT.validate_json(body)
    except ValidationError:
        raise ErasureError(f"{path} is no receipt of an erasure: it was edited, or is another file") from None
    if receipt.model_dump_json().encode() + b"\n" != body:
        raise ErasureError(f"{path} is not in the one form a receipt is written in: it was edited")
    if receipt.key not in trusted:
        whose = "not signed, and a key is named" if receipt.key is None else "signed by another key than the one named"
        raise ErasureError(f"{path} is {whose}; name the public key it should bear (--key)")
    if receipt.key is not None:
        try:
            by = Ed25519PublicKey.from_public_bytes(bytes.fromhex(receipt.key))
            by.verify(bytes.fromhex(receipt.signature or ""), receipt.said())
        except InvalidSignature:
            raise ErasureError(
                f"{path} does not bear out its signature: it was edited, or another key was used"
            ) from None
    elif receipt.signature is not None:
        raise ErasureError(f"{path} has a signature and no key: it was edited")
    return receipt

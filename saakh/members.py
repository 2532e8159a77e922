"""The members of a scorecard: that they are those the manifest lists, and how arrays are read from them."""

import hashlib
from collections.abc import Mapping

import numpy as np

from saakh import golden, signature
from saakh.errors import ArtifactError
from saakh.manifest import MEMBER, ArrayRef, Manifest, Part
from saakh.trees import Array


def check_digests(manifest: Manifest, members: Mapping[str, bytes]) -> None:
    """An `ArtifactError` unless the members are those the manifest lists, with their digests."""
    if set(manifest.members) != set(members) - {MEMBER, signature.MEMBER}:
        raise ArtifactError("the manifest does not list the members that are there")
    if golden.MEMBER not in members:
        raise ArtifactError(f"no {golden.MEMBER}: nothing to verify it by")
    for name, member in manifest.members.items():
        body = members[name]
        if len(body) != member.bytes or hashlib.sha256(body).hexdigest() != member.sha256:
            raise ArtifactError(f"member '{name}' does not have the digest the manifest gives")


def arrays(members: Mapping[str, bytes], part: Part, dtypes: Mapping[str, str]) -> dict[str, Array]:
    """The arrays of a part, each of the type it must have; an `ArtifactError` names one that is not."""
    if set(part.arrays) != set(dtypes):
        raise ArtifactError(f"a part of kind '{part.kind}' has the arrays {', '.join(dtypes)}")
    return {name: _array(members, ref, dtypes[name]) for name, ref in part.arrays.items()}


def _array(members: Mapping[str, bytes], ref: ArrayRef, dtype: str) -> Array:
    body = members.get(ref.member)
    if body is None or ref.dtype != dtype or len(body) != ref.length * np.dtype(dtype).itemsize:
        raise ArtifactError(f"array '{ref.member[:60]}' is not {ref.length} values of type {dtype}")
    return np.frombuffer(body, dtype).astype(np.dtype(dtype).newbyteorder("="))

"""Damage to a scorecard file, drawn from a seed: by accident, by other tools, by a forger who puts digests right."""

import hashlib
import io
import json
import math
import struct
import warnings
import zipfile
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.export import build
from saakh import archive, signature
from saakh.manifest import MEMBER
from tests.lending_terms import raw as terms
from tests.small_scorecard import booster, bundle, table

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = SIGNER.public_key().public_bytes_raw().hex()
FEATURES, TREES = 3, 4
HUGE = ("1e999", "-1e999", "NaN", "9" * 400, "9" * 5_000, "1e308", "5e-324", "-0.0", "18446744073709551616")
ODD: tuple[Any, ...] = (None, True, -1, 2**31, 10**30, 1e308, -0.0, "", "\ud800", "x" * 5_000, [], {}, [[]], {"a": 1})
EDGES = (math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, -0.0, 2.0**63, -1.0)
Members = dict[str, bytes]


@cache
def good() -> bytes:
    """A small scorecard that decides, signed by `SIGNER`."""
    grown = booster(table(features=FEATURES), TREES).model_to_string()
    members = archive.unpack(build(bundle(grown, FEATURES, terms=json.dumps(terms()))))
    made = SIGNER.sign(signature.said(members[MEMBER]))
    return archive.pack(members | {signature.MEMBER: signature.member(bytes.fromhex(KEY), made)})


def damaged(number: int) -> tuple[str, bytes]:
    """The mutant of that number: which kind of damage, and its bytes."""
    draw = Random(number)
    kind = KINDS[number % len(KINDS)]
    return kind.__name__, kind(draw)


def flipped(draw: Random) -> bytes:
    raw = bytearray(good())
    for _ in range(draw.choice((1, 1, 2, 8))):
        raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
    return bytes(raw)


def edited(draw: Random) -> bytes:
    raw = good()
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(raw))
        raw = raw[:at] + draw.randbytes(draw.randrange(1, 40)) + raw[at + draw.randrange(40) :]
    return raw


def truncated(draw: Random) -> bytes:
    raw, at = good(), draw.randrange(len(good()))
    return draw.choice((raw[:at], raw[at:], raw[:at] + raw, raw + raw[at:], raw[:at] + bytes(len(raw) - at)))


def header_edited(draw: Random) -> bytes:
    """A number in the headers of the zip at its least, its largest, or anything."""
    raw = bytearray(good())
    marks = [at for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06") for at in _places(bytes(raw), mark)]
    at = draw.choice(marks) + draw.randrange(4, 22)
    raw[at : at + 4] = struct.pack("<I", draw.choice((0, 1, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, draw.getrandbits(32))))
    return bytes(raw)


def members_swapped(draw: Random) -> bytes:
    members = _members()
    one, other = draw.sample(sorted(members), 2)
    swapped = members | {one: members[other], other: members[one]}
    return archive.pack(swapped) if draw.random() < 0.5 else _put_right(swapped)


def members_renamed(draw: Random) -> bytes:
    members = _members()
    name = draw.choice(sorted(members))
    other = draw.choice(("../x.json", "/etc/x.json", "a//b.json", "manifest.json.bak", "x.py", "x/value.f4", name * 9))
    body = members.pop(name)
    return archive.pack(members | ({other: body} if draw.random() < 0.7 else {}))


def rezipped(draw: Random) -> bytes:
    """The same members by another tool: compressed, doubled, commented, a bomb among them, under zip64."""
    out = io.BytesIO()
    how = draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2))
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", how) as file:
        warnings.simplefilter("ignore")  # of doubled names
        members = list(_members().items())
        draw.shuffle(members)
        for name, body in members + draw.sample(members, draw.randrange(3)):
            with file.open(zipfile.ZipInfo(name), "w", force_zip64=draw.random() < 0.3) as stream:
                stream.write(body)
        if draw.random() < 0.3:
            file.writestr(draw.choice(("bomb.json", MEMBER)), bytes(4_000_000), zipfile.ZIP_DEFLATED)
        file.comment = draw.randbytes(draw.randrange(20))
    return out.getvalue()


def numbers_huge(draw: Random) -> bytes:
    """A number in one of the JSON members gives way to one that no float, or no integer, holds."""
    name = draw.choice(_jsons())
    content = json.loads(_members()[name])
    _replace(draw, content, "\x00here")
    body = json.dumps(content).replace('"\\u0000here"', draw.choice(HUGE))
    return _put_right(_members() | {name: body.encode()})


def nested_deep(draw: Random) -> bytes:
    name, depth = draw.choice(_jsons()), draw.choice((50, 900, 5_000, 200_000))
    opened, closed = draw.choice((("[", "]"), ('{"a":', "}")))
    nest = opened * depth + "1" + closed * draw.choice((depth, 0))
    content = json.loads(_members()[name])
    _replace(draw, content, "\x00here")
    body = draw.choice((nest, json.dumps(content).replace('"\\u0000here"', nest)))
    return _put_right(_members() | {name: body.encode()})


def fields_odd(draw: Random) -> bytes:
    name = draw.choice(_jsons())
    content = json.loads(_members()[name])
    for _ in range(draw.randint(1, 3)):
        _replace(draw, content, deepcopy(draw.choice(ODD)))
    return _put_right(_members() | {name: json.dumps(content).encode()})


def arrays_forged(draw: Random) -> bytes:
    members = _members()
    for _ in range(draw.randint(1, 3)):
        name = draw.choice([n for n in sorted(members) if "/" in n])
        values = np.frombuffer(members[name], f"<{name[-2:]}" if name[-1] != "1" else "u1").copy()
        if len(values):
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an edge that an integer does not hold is cast to what it may
                values[draw.randrange(len(values))] = np.array(draw.choice(EDGES)).astype(values.dtype)
        members[name] = values.tobytes()
    if draw.random() < 0.1:
        members[name] = members[name][: draw.randrange(len(members[name]) + 1)]
    return _put_right(members)


KINDS: tuple[Callable[[Random], bytes], ...] = (
    flipped,
    edited,
    truncated,
    header_edited,
    members_swapped,
    members_renamed,
    rezipped,
    numbers_huge,
    nested_deep,
    fields_odd,
    arrays_forged,
)


@cache
def _unpacked() -> Members:
    return archive.unpack(good())


def _members() -> Members:
    return dict(_unpacked())


def _jsons() -> list[str]:
    return [name for name in sorted(_unpacked()) if name.endswith(".json")]


def _places(raw: bytes, mark: bytes) -> list[int]:
    found, at = [], raw.find(mark)
    while at >= 0:
        found.append(at)
        at = raw.find(mark, at + 1)
    return found


def _put_right(members: Members) -> bytes:
    """With the digests that the manifest should give, where it is still one; the signature cannot be put right."""
    try:
        manifest = json.loads(members[MEMBER])
        listed = manifest["members"]
        for name in listed:
            body = members[name]
            listed[name] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        if json.loads(_unpacked()[MEMBER]) == json.loads(members[MEMBER]):
            members = members | {MEMBER: json.dumps(manifest).encode()}
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return archive.pack(members)


def _replace(draw: Random, content: Any, by: Any) -> None:
    """Put something in the place of a value, wherever it may lie."""
    at = content
    while True:
        key = draw.choice(sorted(at) if isinstance(at, dict) else range(len(at)))
        if not (isinstance(at[key], dict | list) and at[key]) or draw.random() < 0.2:
            break
        at = at[key]
    at[key] = by

"""The manifest: every field is checked, and a message names the one that is not right."""

import json

import numpy as np
import pytest

from saakh import archive
from saakh.errors import ArtifactError
from saakh.lookup import Lookup
from saakh.manifest import MEMBER, Manifest
from saakh.trees import Trees
from tests.small_scorecard import packed

NOWHERE = object()


def manifest() -> dict:
    return json.loads(archive.unpack(packed())[MEMBER])


def changed(path: str, value: object) -> bytes:
    """The manifest with one field, named by a path of keys and positions, set to a value or taken out."""
    content = at = manifest()
    *parents, last = [int(p) if p.isdigit() else p for p in path.split("/" if "/" in path else ".")]
    for part in parents:
        at = at[part]
    if value is NOWHERE:
        del at[last]
    else:
        at[last] = value
    return json.dumps(content).encode()


def test_the_manifest_of_a_scorecard_is_read():
    read = Manifest.from_bytes(json.dumps(manifest()).encode())
    assert (read.name, read.version, read.as_of) == ("scorecard", "0.1.0", "2026-06-01T00:00:00+00:00")
    assert [b.name for b in read.bands] == ["A", "B", "C", "D", "E"]
    assert read.reasons.most == 4
    assert read.consent == {
        "policy": "explicit-consent",
        "purposes": ["score"],
        "trained_for": "train",
        "basis": ["explicit"],
        "categories": ["airtime", "payments"],
    }


@pytest.mark.parametrize(
    "path, value, says",
    [
        ("protocol", 3, "newer saakh"),
        ("protocol", NOWHERE, "protocol"),
        ("protocol", True, "protocol"),
        ("protocol", "1", "protocol"),
        ("version", "1.0", "version"),
        ("version", "01.0.0", "version"),
        ("version", NOWHERE, "version"),
        ("name", "../x", "name"),
        ("as_of", "yesterday", "as_of"),
        ("surprise", 1, "surprise"),
        ("features", [], "features"),
        ("features", {}, "not a list"),
        ("features.0.name", "input_1_30d", "names of their own"),
        ("features.0.name", "Input", "name"),
        ("features.0.low", "0", "low"),
        ("features.0.low", 9, "low is above high"),
        ("features.0.risk", 2, "risk"),
        ("features.0.risk", 0.5, "risk"),
        ("features.0.family", "zodiac", "family"),
        ("features.0.reason", "Because", "reason"),
        ("features.0.fingerprint", "12", "fingerprint"),
        ("features.0.more", 1, "more"),
        ("scale.pdo", 0, "pdo"),
        ("scale.pdo", -20, "pdo"),
        ("scale.base_odds", 1e300, "base_odds"),
        ("scale.base_points", 10**400, "base_points"),
        ("scale.base_points", True, "base_points"),
        ("calibration.slope", 0, "slope"),
        ("calibration.slope", -1, "slope"),
        ("bands", [], "bands"),
        ("bands.0.from_points", 1.0, "best to the worst"),
        ("bands.4.from_points", 1.0, "best to the worst"),
        ("bands.1.name", "A", "names of their own"),
        ("reasons.most", 100, "most"),
        ("reasons.codes.0.code", "Not A Slug", "code"),
        ("reasons.codes.0.text", "plain", "object"),
        ("reasons.codes.0.text.en", "\ud800", "text"),
        ("reasons.codes", [], "reason"),
        ("baseline_log_odds", None, "baseline"),
        ("parts", [], "one part"),
        ("parts.0.kind", "neural", "kind"),
        ("parts.0.arrays.value.length", -1, "length"),
        ("metrics", [], "metrics"),
        ("members/golden.json/sha256", "0", "sha256"),
        ("members/golden.json/bytes", -1, "bytes"),
        ("members/golden.json", {"sha256": "0"}, "bytes"),
    ],
)
def test_a_field_that_is_not_right_is_named(path, value, says):
    with pytest.raises(ArtifactError, match=says):
        Manifest.from_bytes(changed(path, value))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{",
        b'{"protocol": NaN}',
        b'{"protocol": Infinity}',
        b'{"protocol": 1, "protocol": 1}',
        b'{"protocol": ' + b"9" * 5_000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
    ids=[
        "empty",
        "bytes",
        "list",
        "null",
        "open",
        "nan",
        "infinity",
        "repeated",
        "huge number",
        "deep list",
        "deep object",
    ],
)
def test_what_is_no_manifest_is_refused(body):
    with pytest.raises(ArtifactError):
        Manifest.from_bytes(body)


def test_a_manifest_too_large_is_refused_unread():
    with pytest.raises(ArtifactError, match="larger"):
        Manifest.from_bytes(b" " * (2 * 1024 * 1024 + 1))


SOUND = {
    "splits": [1, 2],
    "feature": [0, 1, 0],
    "threshold": [0.5, 1.0, -1.0],
    "missing_left": [0, 1, 0],
    "zero_is_missing": [0, 0, 0],
    "left": [-1, 1, -1],
    "right": [-2, -3, -2],
    "value": [0.1, -0.1, 0.2, 0.3, -0.2],
    "cover": [10, 5, 4, 3, 2],
}


def test_sound_trees_are_taken():
    mean = (0.1 * 10 - 0.1 * 5) / 15 + (0.2 * 4 + 0.3 * 3 - 0.2 * 2) / 9
    assert Lookup(Trees.of(2, **SOUND), 2).mean == pytest.approx(mean)


@pytest.mark.parametrize(
    "array, value",
    [
        ("splits", [1, 8]),
        ("splits", [1, -2]),
        ("splits", [1]),
        ("splits", [3]),
        ("feature", [0, 2, 0]),
        ("feature", [0, -1, 0]),
        ("feature", [0, 1]),
        ("threshold", [0.5, float("nan"), 0.0]),
        ("missing_left", [0, 2, 0]),
        ("zero_is_missing", [0, 0, 255]),
        ("left", [-1, 0, -1]),
        ("left", [-1, 1, 1]),
        ("left", [-1, 2, -1]),
        ("left", [-1, -1, -1]),
        ("left", [-1, 1, -2]),
        ("right", [-3, -3, -2]),
        ("right", [-2, 1, -2]),
        ("value", [0.1, -0.1, 0.2, 0.3, float("inf")]),
        ("value", [0.1, -0.1, 0.2, 0.3, float("nan")]),
        ("value", [1e7, -0.1, 0.2, 0.3, 0.0]),
        ("cover", [0, 5, 4, 3, 2]),
        ("cover", [-1, 5, 4, 3, 2]),
        ("cover", [2**62, 5, 4, 3, 2]),
        ("cover", [10, 5, 4, 3]),
    ],
)
def test_trees_that_are_not_sound_are_refused(array, value):
    with pytest.raises(ArtifactError, match="not sound"):
        Trees.of(2, **(SOUND | {array: value}))


def test_too_many_trees_are_refused():
    with pytest.raises(ArtifactError, match="more than"):
        Trees.of(
            1,
            **(
                {name: [] for name in SOUND}
                | {"splits": np.zeros(10_001), "value": np.ones(10_001), "cover": np.ones(10_001)}
            ),
        )

"""Whatever happens to a scorecard's bytes: it is refused by a typed error, or it scores as it did.

`make test` judges a few hundred mutants of `tests/damage.py`, `make prove` (SAAKH_FULL=1) 100,000: in seven minutes.
"""

import hashlib
import json
import os
import resource
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from saakh import archive
from saakh.errors import ArtifactError
from saakh.scorecard import Scorecard
from tests.damage import KEY, KINDS, damaged, good
from tests.small_scorecard import packed, scorecard

ROW = {"input_0_30d": 0.5, "input_1_30d": 0.0, "input_6_30d": -2.0}
RAW = packed()
MEMBERS = archive.unpack(RAW)
MUTANTS = 100_000 if os.environ.get("SAAKH_FULL") else 330
SECONDS_MOST, MEGABYTES_MOST = 5, 512
APPLICANT = {"input_0_30d": 0.5, "input_2_30d": None}
ASKED = {"id": "a", "on": "2026-06-01", "amount_minor": 500_000, "income_minor": 4_000_000, "is_adult": True}
MANY, FEW = settings(max_examples=150, deadline=None), settings(max_examples=40, deadline=None)


def refused_or_the_same(raw: bytes) -> None:
    try:
        card = Scorecard.from_members(archive.unpack(raw))
    except ArtifactError:
        return
    assert card.score(ROW) == scorecard().score(ROW)
    card.verify()


def refused_or_finite(members: dict[str, bytes]) -> None:
    """For a forger's work, with digests put right: it may be another scorecard, but nothing else may happen."""
    manifest = json.loads(members["manifest.json"])
    for name in manifest["members"]:
        body = members[name]
        manifest["members"][name] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    refused_or_verified(members | {"manifest.json": json.dumps(manifest).encode()})


def refused_or_verified(members: dict[str, bytes]) -> None:
    try:
        card = Scorecard.from_members(archive.unpack(archive.pack(members)))
        score = card.score({})
        assert 0 <= score.pd <= 1
        card.verify()
    except ArtifactError:
        return


EDIT = st.tuples(st.integers(0, len(RAW)), st.integers(0, 40), st.binary(max_size=40))


@MANY
@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused(at, change):
    raw = bytearray(RAW)
    raw[at] ^= change
    refused_or_the_same(bytes(raw))


@MANY
@given(
    st.lists(st.tuples(st.integers(0, len(RAW)), st.integers(0, 40), st.binary(max_size=40)), min_size=1, max_size=4)
)
def test_bytes_put_in_left_out_or_replaced_are_refused(edits):
    raw = RAW
    for at, gone, new in edits:
        raw = raw[:at] + new + raw[at + gone :]
    refused_or_the_same(raw)


@MANY
@given(st.integers(0, len(RAW)), st.integers(0, len(RAW)))
def test_a_file_cut_short_or_begun_late_is_refused(start, stop):
    refused_or_the_same(RAW[start:stop])


@MANY
@given(st.sampled_from(sorted(MEMBERS)), st.sampled_from(sorted(MEMBERS)))
def test_swapped_members_are_refused_or_harmless(one, other):
    swapped = MEMBERS | {one: MEMBERS[other], other: MEMBERS[one]}
    refused_or_the_same(archive.pack(swapped))
    if "manifest.json" not in (one, other):
        refused_or_finite(swapped)


ARRAY_NAMES = sorted(name for name in MEMBERS if name.startswith("trees/"))


@MANY
@given(st.sampled_from(ARRAY_NAMES), st.data())
def test_forged_arrays_are_refused_or_score_in_bounds(name, data):
    body = bytearray(MEMBERS[name])
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    refused_or_finite(MEMBERS | {name: bytes(body)})


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 10**30, 1e308, 1e-308, -0.0, "", "A", "\ud800", "x" * 5_000, [], {}, [[]], {"en": "?"}]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=20),
)


@FEW
@given(st.data(), ODD)
def test_a_forged_manifest_is_refused_or_scores_in_bounds(data, odd):
    content = at = json.loads(MEMBERS["manifest.json"])
    while True:
        keys = sorted(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(at[key], dict | list) and at[key]) or data.draw(st.integers(0, 4)) == 0:
            break
        at = at[key]
    at[key] = odd
    refused_or_verified(MEMBERS | {"manifest.json": json.dumps(content).encode()})


@FEW
@given(st.data(), ODD)
def test_forged_golden_vectors_are_refused_or_reproduced(data, odd):
    content = json.loads(MEMBERS["golden.json"])
    vector = data.draw(st.sampled_from(content["vectors"]))
    vector[data.draw(st.sampled_from(sorted(vector)))] = odd
    refused_or_finite(MEMBERS | {"golden.json": json.dumps(content).encode()})


@contextmanager
def bounded() -> Iterator[None]:
    """No one step may take more processor time, or all together more memory: else `TimeoutError` or `MemoryError`."""

    def late(*_: object) -> None:
        raise TimeoutError

    before, limit = signal.signal(signal.SIGVTALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEGABYTES_MOST * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, limit[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limit)


def outcome(raw: bytes) -> str:
    """What became of a mutant: `refused`, or `scored` and all it says is sound."""
    try:
        card = Scorecard.from_members(archive.unpack(raw))
        score, decision = card.score(APPLICANT), card.decide(APPLICANT, ASKED)
        assert 0 <= score.pd <= 1
        assert decision.outcome in ("offer", "refer", "decline")
        card.verify()
    except ArtifactError:
        return "refused"
    return "scored"


def test_mutants_of_every_kind_are_refused_or_sound_and_under_a_key_refused_or_the_same():
    """A forger without the key may make another scorecard, and nothing else; with the key asked for, not even that."""
    whole = Scorecard.from_members(archive.unpack(good()), KEY)
    expected = whole.score(APPLICANT), whole.decide(APPLICANT, ASKED)
    found: Counter[tuple[str, str]] = Counter()
    with bounded():
        for number in range(MUTANTS):
            kind, raw = damaged(number)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_MOST)
            found[kind, outcome(raw)] += 1
            try:
                card = Scorecard.from_members(archive.unpack(raw), KEY)
            except ArtifactError:
                continue
            assert (card.score(APPLICANT), card.decide(APPLICANT, ASKED)) == expected
    assert {kind for kind, _ in found} == {kind.__name__ for kind in KINDS}
    assert {kind for kind, what in found if what == "scored"} <= {
        *("header_edited", "members_renamed", "members_swapped", "numbers_huge"),
        *("fields_odd", "nested_deep", "arrays_forged"),
    }

"""The manifest: what a scorecard says of itself, read into types. `docs/artifact.md` describes protocols 1 and 2."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, NamedTuple, Self

from saakh.errors import ArtifactError
from saakh.fields import Fields, parse_json
from saakh.input_policy import InputRule, rule_of
from saakh.scale import Band, Calibration, Scale
from saakh.spec import FAMILIES, FeatureSpec

PROTOCOL = 2
"""What is written; all protocols from 1 are read."""
MEMBER = "manifest.json"
BYTES_MAX = 2 * 1024 * 1024
FEATURES_MAX = 5_000
SEMVER = r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})"
DIGEST = r"[0-9a-f]{64}"
CODE = r"[a-z0-9-]{0,120}"
SINCE_2 = ("code", "actionable")
"""What protocol 1 did not say of a feature."""
SPEC_KEYS = tuple(f.name for f in fields(FeatureSpec))
SPEC_KEYS_1 = tuple(name for name in SPEC_KEYS if name not in SINCE_2)
FAMILY = "|".join(FAMILIES)


class Member(NamedTuple):
    """A file of the scorecard: its SHA-256 and its size."""

    sha256: str
    bytes: int


class ReasonCode(NamedTuple):
    """A reason an applicant may be given: a code that stays, and its text in each language, English among them."""

    code: str
    texts: Mapping[str, str]

    @property
    def text(self) -> str:
        """Its English text."""
        return self.texts["en"]


class ReasonRule(NamedTuple):
    """How reasons are chosen: at most so many, each lowering the score by `least_points` or more.

    The last one told must lie `tie_points` or more ahead of the first left out.
    """

    most: int
    least_points: float
    tie_points: float
    codes: tuple[ReasonCode, ...]


class ArrayRef(NamedTuple):
    """A plain array: the member that holds its bytes, how they are to be read, and how many values there are."""

    member: str
    dtype: str
    length: int


class Part(NamedTuple):
    """A model whose output is added up with those of the others: `trees`, or `linear` with its intercept."""

    kind: str
    intercept: float
    arrays: dict[str, ArrayRef]


@dataclass(frozen=True)
class Manifest:
    """A scorecard's account of itself.

    `parts` are the models whose outputs are added up: one of trees and, from protocol 2, one that is linear.
    `input_policy` has a rule for each feature. `baseline_log_odds` is the parts' output averaged over the training
    rows. `training`, `consent` and `metrics` are a record for people: kept as they are, read by nothing here.
    """

    protocol: int
    name: str
    version: str
    as_of: str
    catalogue_fingerprint: str
    features: tuple[FeatureSpec, ...]
    scale: Scale
    calibration: Calibration
    bands: tuple[Band, ...]
    reasons: ReasonRule
    input_policy: tuple[InputRule, ...]
    baseline_log_odds: float
    parts: tuple[Part, ...]
    training: dict[str, Any]
    consent: dict[str, Any]
    metrics: dict[str, Any]
    members: dict[str, Member]

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """The manifest in a scorecard's `manifest.json`; an `ArtifactError` names the field that is not right."""
        if len(body) > BYTES_MAX:
            raise ArtifactError(f"the manifest is larger than {BYTES_MAX:,} bytes")
        raw = parse_json(body, MEMBER)
        protocol = _protocol(raw)
        keys = [f.name for f in fields(cls) if protocol > 1 or f.name != "input_policy"]
        field = Fields(raw, "manifest", *keys)
        features = tuple(_spec(*item, protocol) for item in field.each("features"))
        manifest = cls(
            protocol=protocol,
            name=field.text("name", r"[a-z0-9-]{1,64}"),
            version=field.text("version", SEMVER),
            as_of=field.text("as_of", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00"),
            catalogue_fingerprint=field.text("catalogue_fingerprint", DIGEST),
            features=features,
            scale=_scale(raw["scale"], field.at("scale")),
            calibration=_calibration(raw["calibration"], field.at("calibration")),
            bands=tuple(_band(*item) for item in field.each("bands")),
            reasons=_reasons(raw["reasons"], field.at("reasons"), protocol),
            input_policy=tuple(rule_of(*item) for item in field.each("input_policy"))
            if protocol > 1
            else (InputRule(),) * len(features),
            baseline_log_odds=field.number("baseline_log_odds"),
            parts=tuple(_part(*item, protocol) for item in field.each("parts")),
            training=field.named("training"),
            consent=field.named("consent"),
            metrics=field.named("metrics"),
            members={name: _member(item, f"members of {MEMBER}") for name, item in field.named("members").items()},
        )
        _check(manifest)
        return manifest


def _protocol(raw: Any) -> int:
    protocol = raw.get("protocol") if isinstance(raw, dict) else None
    if type(protocol) is not int or protocol < 1:
        raise ArtifactError("the manifest names no protocol: this is not a scorecard")
    if protocol > PROTOCOL:
        raise ArtifactError(f"protocol {str(protocol)[:20]}; this reader knows 1 to {PROTOCOL}: install a newer saakh")
    return protocol


def _spec(raw: Any, where: str, protocol: int) -> FeatureSpec:
    field = Fields(raw, where, *(SPEC_KEYS if protocol > 1 else SPEC_KEYS_1))
    spec = FeatureSpec(
        name=field.text("name", r"[a-z][a-z0-9_]{0,119}"),
        description=field.text("description"),
        family=field.text("family", FAMILY),  # type: ignore[arg-type]
        table=field.text("table"),
        category=field.text("category"),
        unit=field.text("unit"),
        risk=field.whole("risk", -1, 1),  # type: ignore[arg-type]
        reason=field.text("reason"),
        fingerprint=field.text("fingerprint", DIGEST),
        window_days=None if raw["window_days"] is None else field.whole("window_days", 1, 100_000),
        low=field.maybe_number("low"),
        high=field.maybe_number("high"),
        sensitivity=field.text("sensitivity"),
        code=field.text("code", CODE) if protocol > 1 else "",
        actionable=field.flag("actionable") if protocol > 1 else False,
    )
    if spec.low is not None and spec.high is not None and spec.low > spec.high:
        raise ArtifactError(f"{where}: low is above high")
    return spec


def _scale(raw: Any, where: str) -> Scale:
    field = Fields(raw, where, "base_points", "base_odds", "pdo")
    points, odds = field.number("base_points", -1e6, 1e6), field.number("base_odds", 1e-6, 1e6)
    return Scale(points, odds, field.number("pdo", 1e-3, 1e6))


def _calibration(raw: Any, where: str) -> Calibration:
    field = Fields(raw, where, "slope", "intercept")
    return Calibration(field.number("slope", 1e-3, 1e3), field.number("intercept", -1e3, 1e3))


def _band(raw: Any, where: str) -> Band:
    field = Fields(raw, where, "name", "from_points")
    return Band(field.text("name", r"[A-Za-z0-9 _-]{1,40}"), field.maybe_number("from_points"))


def _reasons(raw: Any, where: str, protocol: int) -> ReasonRule:
    field = Fields(raw, where, "most", "least_points", *(["tie_points"] if protocol > 1 else []), "codes")
    return ReasonRule(
        field.whole("most", 1, 10),
        field.number("least_points", 0, 1e6),
        field.number("tie_points", 0, 1e6) if protocol > 1 else 0.0,
        tuple(_code(*c) for c in field.each("codes")),
    )


def _code(raw: Any, where: str) -> ReasonCode:
    field = Fields(raw, where, "code", "text")
    languages = field.named("text")
    text = Fields(languages, field.at("text"), "en", *(name for name in languages if re.fullmatch("[a-z]{2,3}", name)))
    return ReasonCode(field.text("code", r"[a-z0-9-]{1,120}"), {name: text.text(name) for name in languages})


def _part(raw: Any, where: str, protocol: int) -> Part:
    is_linear = protocol > 1 and isinstance(raw, dict) and raw.get("kind") == "linear"
    field = Fields(raw, where, "kind", "arrays", *(["intercept"] if is_linear else []))
    arrays = {name: _array(item, f"{where}.arrays") for name, item in field.named("arrays").items()}
    if is_linear:
        return Part("linear", field.number("intercept", -1e6, 1e6), arrays)
    return Part(field.text("kind", "trees"), 0.0, arrays)


def _array(raw: Any, where: str) -> ArrayRef:
    field = Fields(raw, where, "member", "dtype", "length")
    return ArrayRef(field.text("member"), field.text("dtype"), field.whole("length", 0, 10**8))


def _member(raw: Any, where: str) -> Member:
    field = Fields(raw, where, "sha256", "bytes")
    return Member(field.text("sha256", DIGEST), field.whole("bytes", 0, 10**9))


def _check(manifest: Manifest) -> None:
    """Rules between fields: names are unique, bands descend, each reason has one code."""
    specs, bands, codes = manifest.features, manifest.bands, manifest.reasons.codes
    rules = {
        f"between 1 and {FEATURES_MAX} features": 1 <= len(specs) <= FEATURES_MAX,
        "features with names of their own": len({s.name for s in specs}) == len(specs),
        "bands with names of their own": len({b.name for b in bands}) == len(bands),
        "bands from the best to the worst, the last without a cut-off": _descend([b.from_points for b in bands]),
        "one code for each reason": len({c.code for c in codes}) == len({c.text for c in codes}) == len(codes),
        "a code for the reason of each feature": {s.reason_code for s in specs} == {c.code for c in codes},
        "reasons in the same languages": len({frozenset(c.texts) for c in codes}) == 1,
        "an input policy for each feature": len(manifest.input_policy) == len(specs),
        "one part of trees, and at most one that is linear": sorted(p.kind for p in manifest.parts)
        in (["trees"], ["linear", "trees"]),
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ArtifactError(f"the manifest does not hold what it must: {'; '.join(broken)}")


def _descend(cutoffs: list[float | None]) -> bool:
    above = [c for c in cutoffs[:-1] if c is not None]
    return len(above) == len(cutoffs) - 1 and cutoffs[-1] is None and all(a > b for a, b in pairwise(above))

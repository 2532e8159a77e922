"""Diff: what changed from one scorecard to another, in what they say and in what they make of the same vectors."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import saakh
from saakh.scorecard import Score, Scorecard

MOVED_LEAST = 0.05
"""Points; what moved less is the same to an applicant, who sees whole points."""
SHOWN_MOST = 10
LEVELS = ("none", "patch", "minor", "major")
Vector = tuple[dict[str, float | None], frozenset[str]]
Changed = dict[str, tuple[Any, Any]]
"""What is another, by name: before and after."""


@dataclass(frozen=True)
class Inputs:
    """Inputs by what became of them; `redefined` measure something else under the same name."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    redefined: tuple[str, ...]
    retold: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """What both make of the same vectors; `bands` counts those that cross, by where from and where to.

    `reasons` counts vectors whose principal reasons are others or come in another order, `first_reason` those whose
    first is another; `points` are the differences, after less before.
    """

    vectors: int
    moved: int
    points: dict[str, float]
    bands: dict[str, int]
    reasons: int
    first_reason: int


@dataclass(frozen=True)
class Difference:
    """What changed, and the kind of version that this asks for: `major`, `minor`, `patch` or `none`."""

    versions: tuple[str, str]
    level: str
    is_told: bool
    inputs: Inputs
    scaling: Changed
    bands: Changed
    reasons: Changed
    consent: Changed
    sample: Sample


def diff(before: Scorecard, after: Scorecard) -> Difference:
    """What changed; the sample are the golden vectors of both, which no person has.

    A vector keeps the values of inputs that a scorecard has; the others are missing to it.
    """
    inputs, scaling, sample = _inputs(before, after), _scaling(before, after), _sample(before, after)
    bands, reasons, consent = _bands(before, after), _reasons(before, after), _consent(before, after)
    is_rule = bool({"most", "least_points"} & set(reasons))
    is_other = bool(sample.moved or scaling or bands or is_rule or _model(before) != _model(after))
    texts = bool(inputs.retold or reasons or consent)
    needs = (True, texts, is_other, bool(inputs.added or inputs.removed or inputs.redefined))
    level = max(i for i, holds in enumerate(needs) if holds)
    versions = (before.version, after.version)
    is_told = _step(*versions) >= level
    return Difference(versions, LEVELS[level], is_told, inputs, scaling, bands, reasons, consent, sample)


def _inputs(before: Scorecard, after: Scorecard) -> Inputs:
    old, new = ({spec.name: spec for spec in card.manifest.features} for card in (before, after))
    both = [name for name in new if name in old]
    same = [name for name in both if old[name].fingerprint == new[name].fingerprint]
    return Inputs(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        redefined=tuple(name for name in both if name not in same),
        retold=tuple(name for name in same if old[name] != new[name]),
    )


def _scaling(before: Scorecard, after: Scorecard) -> Changed:
    old, new = ({**asdict(c.manifest.scale), **asdict(c.manifest.calibration)} for c in (before, after))
    return _changed(old | {"baseline_points": before.baseline}, new | {"baseline_points": after.baseline})


def _bands(before: Scorecard, after: Scorecard) -> Changed:
    return _changed(*({band.name: band.from_points for band in card.manifest.bands} for card in (before, after)))


def _reasons(before: Scorecard, after: Scorecard) -> Changed:
    rules = [card.manifest.reasons for card in (before, after)]
    texts = [{f"text of {c.code}": c.text for c in rule.codes} for rule in rules]
    return _changed(*(t | {"most": r.most, "least_points": r.least_points} for t, r in zip(texts, rules, strict=True)))


def _consent(before: Scorecard, after: Scorecard) -> Changed:
    return _changed(before.manifest.consent, after.manifest.consent)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changed:
    return {
        name: (before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if (name in before, before.get(name)) != (name in after, after.get(name))
    }


def _model(card: Scorecard) -> dict[str, str]:
    """The digests of the model's parts."""
    members = card.manifest.members
    return {ref.member: members[ref.member].sha256 for part in card.manifest.parts for ref in part.arrays.values()}


def _step(before: str, after: str) -> int:
    """Which part of the version tells of a change."""
    one, other = (tuple(map(int, version.split("."))) for version in (before, after))
    first = next((i for i, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), len(one))
    return len(one) - first


def _sample(before: Scorecard, after: Scorecard) -> Sample:
    vectors = [*_vectors(before), *_vectors(after)]
    pairs = [(_scored(before, vector), _scored(after, vector)) for vector in vectors]
    points = np.array([new.points - old.points for old, new in pairs])
    codes = [tuple([reason.code for reason in score.reasons] for score in pair) for pair in pairs]
    crossed = Counter(f"{old.band} to {new.band}" for old, new in pairs if old.band != new.band)
    return Sample(
        vectors=len(vectors),
        moved=int(np.count_nonzero(np.abs(points) >= MOVED_LEAST)),
        points={
            "mean": float(points.mean()),
            "mean_abs": float(np.abs(points).mean()),
            **{f"p{q}": float(np.quantile(points, q / 100)) for q in (5, 50, 95)},
            "least": float(points.min()),
            "most": float(points.max()),
        },
        bands=dict(sorted(crossed.items())),
        reasons=sum(old != new for old, new in codes),
        first_reason=sum(old[:1] != new[:1] for old, new in codes),
    )


def _vectors(card: Scorecard) -> list[Vector]:
    return [(vector.row, frozenset(vector.refused)) for vector in card.vectors()]


def _scored(card: Scorecard, vector: Vector) -> Score:
    row, refused = vector
    return card.score({name: row[name] for name in card.features if name in row}, refused & set(card.categories))


def read(path: Path) -> Scorecard:
    """A scorecard that gives its own golden vectors."""
    card = saakh.load(path)
    card.verify()
    return card


def in_words(found: Difference) -> list[tuple[str, str]]:
    """The difference in lines of two columns."""
    sample = found.sample
    return [
        ("version", f"{found.versions[0]} to {found.versions[1]}; {_asked(found)}"),
        *((what, _some(names)) for what, names in asdict(found.inputs).items() if names),
        *_lines("scaling", found.scaling),
        *_lines("band", found.bands),
        *_reason_lines(found.reasons),
        *_lines("consent", found.consent),
        ("vectors", f"{sample.vectors:,}, of which {sample.moved:,} moved by {MOVED_LEAST} points or more"),
        ("points", ", ".join(f"{name} {value:+.2f}" for name, value in sample.points.items())),
        ("bands crossed", _some([f"{way}: {count:,}" for way, count in sample.bands.items()]) or "none"),
        ("reasons changed", f"{sample.reasons:,} vectors; the first reason in {sample.first_reason:,}"),
    ]


def _asked(found: Difference) -> str:
    if found.level == "none":
        return "nothing changed"
    kind = {"major": "inputs changed", "minor": "the model, scale, bands or rules changed", "patch": "texts changed"}
    told = "as it says" if found.is_told else f"the version does not tell: it asks for a new {found.level} version"
    return f"{kind[found.level]}, {told}"


def _lines(what: str, part: Changed) -> Iterable[tuple[str, str]]:
    return ((what, f"{name}: {_said(old)} to {_said(new)}") for name, (old, new) in part.items())


def _reason_lines(reasons: Changed) -> Iterable[tuple[str, str]]:
    """New and former reasons by their words, on a line each; reworded ones and changed rules on lines of their own."""
    added, removed = (tuple(pair[i] for pair in reasons.values() if pair[1 - i] is None) for i in (1, 0))
    lines = {"new reasons": added, "former reasons": removed}
    yield from ((what, _some(texts, "; ")) for what, texts in lines.items() if texts)
    yield from _lines("reasons", {name: pair for name, pair in reasons.items() if None not in pair})


def _said(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "nothing" if value is None else str(value)


def _some(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - SHOWN_MOST:,} more" if len(names) > SHOWN_MOST else ""
    return between.join(names[:SHOWN_MOST]) + more


def print_diff(before: Path, after: Path, *, as_json: bool = False) -> None:
    """Print what changed, in words or as JSON."""
    from rich.text import Text  # noqa: PLC0415

    from pipeline.console import out  # noqa: PLC0415

    found = diff(read(before), read(after))
    if as_json:
        out.print(Text(json.dumps(asdict(found), indent=2, ensure_ascii=False)), soft_wrap=True)
        return
    lines = in_words(found)
    width = max(len(what) for what, _ in lines)
    for what, said in lines:
        out.print(Text(f"{what:<{width}}  {said}"), soft_wrap=True)

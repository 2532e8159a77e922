"""LightGBM's text model, version 4, read into flat arrays: pure parsing, no LightGBM.

Only what a scorecard may hold is accepted: one binary-logistic output, numerical splits, constant leaves. The rules of
prediction are those of LightGBM 4 (`Tree::NumericalDecision`, `kZeroThreshold`): values within 1e-35 of zero count as
zero; a missing value follows the split's default side, or counts as zero where training saw none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from saakh.errors import ArtifactError
from saakh.grid import rounded
from saakh.trees import SPLITS_MAX, Trees

ZERO = float(np.float32(1e-35))
CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2
ARRAYS: Mapping[str, str] = MappingProxyType(
    {
        "feature": "split_feature",
        "threshold": "threshold",
        "missing": "decision_type",
        "default_left": "decision_type",
        "left": "left_child",
        "right": "right_child",
        "value": "leaf_value",
        "cover": "leaf_count",
    }
)
"""What is read of a tree, and the field it comes from."""


@dataclass(frozen=True)
class TextModel:
    """A parsed model: the names of its inputs in order, and its trees."""

    features: tuple[str, ...]
    trees: Trees


def parse(text: str) -> TextModel:
    """The model in LightGBM's text; an `ArtifactError` names what a scorecard cannot hold."""
    head, *blocks = text.split("\n\nend of trees", maxsplit=1)[0].split("\nTree=")
    header = fields_of(head)
    _check_header(header, head)
    if len(blocks) != len(header.get("tree_sizes", "").split()) or "\nend of trees" not in text:
        raise ArtifactError("model.txt is cut short: it does not hold the trees its header counts; train again")
    features = tuple(header["feature_names"].split())
    trees = [_tree(number, fields_of(block)) for number, block in enumerate(blocks)]
    arrays = {name: np.array([value for tree in trees for value in tree[name]], float) for name in ARRAYS}
    raw, missing = arrays["threshold"], arrays.pop("missing")
    given, arrays["threshold"] = arrays.pop("default_left"), plain_thresholds(raw)
    left = np.where(missing == MISSING_NONE, raw >= 0, given)
    arrays |= {"missing_left": left, "zero_is_missing": missing == MISSING_ZERO}
    return TextModel(features, Trees.of(len(features), splits=[len(t["feature"]) for t in trees], **arrays))


def edited(text: str, head: Callable[[str], str], tree: Callable[[str], str]) -> str:
    """The text with its header and each of its trees changed, and the sizes it is read by."""
    body, end, tail = text.partition("\nend of trees")
    first, *trees = body.split("\nTree=")
    changed = [tree(old) for old in trees]
    grown = [len(new) - len(old) for new, old in zip(changed, trees, strict=True)]
    sizes = (int(size) + more for size, more in zip(fields_of(first)["tree_sizes"].split(), grown, strict=True))
    first = re.sub(r"^tree_sizes=.*$", f"tree_sizes={' '.join(map(str, sizes))}", first, flags=re.MULTILINE)
    return "\nTree=".join((head(first), *changed)) + end + tail


def on_grid(text: str) -> str:
    """The text with the values of its leaves rounded to the grid; one whose values are on it already is left alone."""

    def nearest(match: re.Match[str]) -> str:
        return f"leaf_value={' '.join(map(repr, rounded(numbers(match[1])).tolist()))}"

    def tree(old: str) -> str:
        return re.sub(r"^leaf_value=(.+)$", nearest, old, flags=re.MULTILINE)

    return edited(text, lambda head: head, tree)


def merged(texts: Sequence[str], rounds: int, factor: float) -> str:
    """The first so many trees of each model as one model, the values of their leaves times `factor`."""
    kept = [tree for text in texts for tree in text.partition("\nend of trees")[0].split("\nTree=")[1:][:rounds]]
    blocks = [_scaled(number, tree.partition("\n")[2].rstrip("\n"), factor) for number, tree in enumerate(kept)]
    first = texts[0].partition("\nend of trees")[0]
    sizes = " ".join(str(len(f"Tree={block}\n")) for block in blocks)
    head = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", first.split("\nTree=")[0], count=1, flags=re.MULTILINE)
    return "\nTree=".join((head.rstrip("\n") + "\n", *blocks)) + "\nend of trees\n\npandas_categorical:null\n"


def _scaled(number: int, tree: str, factor: float) -> str:
    def times(match: re.Match[str]) -> str:
        return f"{match[1]}={' '.join(repr(float(value) * factor) for value in match[2].split())}"

    return f"{number}\n" + re.sub(r"^(leaf_value|internal_value)=(.+)$", times, tree, flags=re.MULTILINE) + "\n\n"


def restricted(text: str, names: Sequence[str]) -> str:
    """The same model with these inputs alone, in this order; each feature that a tree reads must be among them."""
    known = fields_of(text.partition("\nTree=")[0])["feature_names"].split()
    place = {known.index(name): new for new, name in enumerate(names)}

    def head(old: str) -> str:
        def chosen(match: re.Match[str]) -> str:
            values = match[2].split(" ")
            return f"{match[1]}={' '.join(values[index] for index in place)}"

        new = re.sub(r"^(feature_names|feature_infos|monotone_constraints)=(.*)$", chosen, old, flags=re.MULTILINE)
        return re.sub(r"^max_feature_idx=.*$", f"max_feature_idx={len(names) - 1}", new, flags=re.MULTILINE)

    def tree(old: str) -> str:
        def moved(match: re.Match[str]) -> str:
            return f"split_feature={' '.join(str(place[int(index)]) for index in match[1].split())}"

        return re.sub(r"^split_feature=(.+)$", moved, old, flags=re.MULTILINE)

    return edited(text, head, tree)


def _check_header(header: dict[str, str], head: str) -> None:
    wanted = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "objective": "binary sigmoid:1"}
    for key, value in wanted.items():
        if header.get(key) != value:
            raise ArtifactError(
                f"model.txt has {key}={header.get(key)}; a scorecard holds LightGBM models with {key}={value}"
            )
    if "feature_names" not in header:
        raise ArtifactError("model.txt names no features")
    if "average_output" in head.splitlines():
        raise ArtifactError("model.txt is a random forest; a scorecard holds boosted trees, whose outputs add up")


def fields_of(block: str) -> dict[str, str]:
    """The `key=value` lines of a part of the text."""
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _tree(number: int, fields: dict[str, str]) -> dict[str, list[float]]:
    """The numbers of a tree by what they are; plain lists, for of a handful arrays are slow to make."""
    try:
        if int(fields["num_cat"]) or int(fields["is_linear"]):
            raise ArtifactError(f"tree {number} has categorical splits or linear leaves; encode categories as numbers")
        leaves = int(fields["num_leaves"])
        if leaves > SPLITS_MAX + 1:
            raise ArtifactError(
                f"tree {number} has {leaves} leaves; a scorecard holds {SPLITS_MAX + 1} at most: lower train.leaves"
            )
        return _grown(number, fields) if leaves > 1 else _constant(fields)
    except (KeyError, ValueError, IndexError, OverflowError) as error:
        raise ArtifactError(f"model.txt is damaged in tree {number} ({error}); train again") from None


def _constant(fields: dict[str, str]) -> dict[str, list[float]]:
    return {**{name: [] for name in ARRAYS}, "value": numbers(fields["leaf_value"])[:1], "cover": [1.0]}


def _grown(number: int, fields: dict[str, str]) -> dict[str, list[float]]:
    tree = {name: numbers(fields[field]) for name, field in ARRAYS.items()}
    decision = [int(value) for value in tree["default_left"]]
    splits = len(tree["feature"])
    if wrong := [name for name, field in ARRAYS.items() if len(tree[name]) != splits + field.startswith("leaf")]:
        raise ValueError(f"of {wrong[0]} there is not one for each of {splits} splits")
    if any(value & CATEGORICAL for value in decision):
        raise ArtifactError(f"tree {number} has categorical splits; encode categories as numbers before training")
    tree["default_left"] = [float(value & DEFAULT_LEFT != 0) for value in decision]
    tree["missing"] = [float(value >> 2 & 3) for value in decision]
    if not {MISSING_NONE, MISSING_ZERO, MISSING_NAN}.issuperset(tree["missing"]):
        raise ArtifactError(f"tree {number} treats missing values in a way LightGBM 4 does not know")
    _check_covers(number, tree, numbers(fields["internal_count"]))
    return tree


def plain_thresholds(raw: np.ndarray) -> np.ndarray:
    """Thresholds for which a plain `x <= threshold` answers as LightGBM does after taking |x| ≤ 1e-35 for zero."""
    below = np.where((raw >= -ZERO) & (raw < 0), np.nextafter(-ZERO, -np.inf), raw)
    return np.where((raw >= 0) & (raw < ZERO), ZERO, below)


def _check_covers(number: int, tree: dict[str, list[float]], counted: list[float]) -> None:
    """Shapley values weigh by rows; a split's rows must be those of its two sides."""
    rows = counted + tree["cover"]

    def of(child: float) -> float:
        place = int(child)
        return rows[place if place >= 0 else len(counted) + ~place]

    if counted != [of(left) + of(right) for left, right in zip(tree["left"], tree["right"], strict=True)]:
        raise ArtifactError(
            f"tree {number} counts rows that do not add up; train without refitting or quantised gradients"
        )


def numbers(text: str) -> list[float]:
    """The numbers of a field, in order."""
    return [float(part) for part in text.split()]

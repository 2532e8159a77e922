"""LightGBM's text model, version 4, read into flat arrays: pure parsing, no LightGBM.

Only what a scorecard may hold is accepted: one binary-logistic output, numerical splits, constant leaves. The rules of
prediction are those of LightGBM 4 (`Tree::NumericalDecision`, `kZeroThreshold`): values within 1e-35 of zero count as
zero; a missing value follows the split's default side, or counts as zero where training saw none.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from saakh.errors import ArtifactError
from saakh.grid import rounded
from saakh.trees import SPLITS_MAX, Trees

ZERO = float(np.float32(1e-35))
CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2


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
    names = ("feature", "threshold", "missing_left", "zero_is_missing", "left", "right", "value", "cover")
    arrays = {name: np.concatenate([t[name] for t in trees]) if trees else np.zeros(0) for name in names}
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


def _tree(number: int, fields: dict[str, str]) -> dict[str, np.ndarray]:
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


def _constant(fields: dict[str, str]) -> dict[str, np.ndarray]:
    none = np.zeros(0)
    splits = dict.fromkeys(("feature", "threshold", "missing_left", "zero_is_missing", "left", "right"), none)
    return {**splits, "value": numbers(fields["leaf_value"])[:1], "cover": np.ones(1)}


def _grown(number: int, fields: dict[str, str]) -> dict[str, np.ndarray]:
    decision = numbers(fields["decision_type"]).astype(np.int64)
    if (decision & CATEGORICAL).any():
        raise ArtifactError(f"tree {number} has categorical splits; encode categories as numbers before training")
    raw, missing = numbers(fields["threshold"]), (decision >> 2) & 3
    if not np.isin(missing, (MISSING_NONE, MISSING_ZERO, MISSING_NAN)).all():
        raise ArtifactError(f"tree {number} treats missing values in a way LightGBM 4 does not know")
    tree = {
        "feature": numbers(fields["split_feature"]),
        "threshold": plain_thresholds(raw),
        "missing_left": np.where(missing == MISSING_NONE, raw >= 0, (decision & DEFAULT_LEFT) != 0),
        "zero_is_missing": missing == MISSING_ZERO,
        "left": numbers(fields["left_child"]),
        "right": numbers(fields["right_child"]),
        "value": numbers(fields["leaf_value"]),
        "cover": numbers(fields["leaf_count"]),
    }
    _check_covers(number, tree, numbers(fields["internal_count"]))
    return tree


def plain_thresholds(raw: np.ndarray) -> np.ndarray:
    """Thresholds for which a plain `x <= threshold` answers as LightGBM does after taking |x| ≤ 1e-35 for zero."""
    below = np.where((raw >= -ZERO) & (raw < 0), np.nextafter(-ZERO, -np.inf), raw)
    return np.where((raw >= 0) & (raw < ZERO), ZERO, below)


def _check_covers(number: int, tree: dict[str, np.ndarray], counted: np.ndarray) -> None:
    """Shapley values weigh by rows; a split's rows must be those of its two sides."""
    rows = np.concatenate((counted, tree["cover"]))
    left, right = (rows[np.where(c >= 0, c, len(counted) - 1 - c).astype(int)] for c in (tree["left"], tree["right"]))
    if not np.array_equal(counted, left + right):
        raise ArtifactError(
            f"tree {number} counts rows that do not add up; train without refitting or quantised gradients"
        )


def numbers(text: str) -> np.ndarray:
    """The numbers of a field, in order."""
    return np.array([float(part) for part in text.split()])

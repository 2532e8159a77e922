"""A declared outcome for inputs that were never missing in training.

LightGBM takes such an input for zero when it is missing later, and zero can be the best value there is: a blank field
would win points. Here a missing value goes, at each split, to the side with the worse mean outcome instead.
"""

import re

from models.lightgbm_text import CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_NONE, edited, fields_of, numbers

LEAVES = ("leaf_count", "leaf_value")
DECISIONS = re.compile(r"^decision_type=.*$", re.MULTILINE)


def send_unseen_missing_to_worse(text: str) -> str:
    """The same LightGBM text, except for where values go that are missing and never were in training.

    Worse is the side whose leaves, weighted by training rows, have the higher log-odds of bad; the right on a tie.
    """
    return edited(text, lambda head: head, _changed)


def _changed(tree: str) -> str:
    fields = fields_of(tree)
    if int(fields["num_leaves"]) == 1:
        return tree
    decision = [int(value) for value in numbers(fields["decision_type"])]
    unseen = [not value & CATEGORICAL and value >> 2 == MISSING_NONE for value in decision]
    if not any(unseen):
        return tree
    declared = [MISSING_NAN << 2 | DEFAULT_LEFT * is_worse for is_worse in _left_is_worse(fields)]
    changed = [new if of else old for of, new, old in zip(unseen, declared, decision, strict=True)]
    return DECISIONS.sub("decision_type=" + " ".join(map(str, changed)), tree)


def _left_is_worse(fields: dict[str, str]) -> list[bool]:
    """For each split, whether the left side's mean log-odds of bad is above the right side's."""
    left, right, rows, values = (numbers(fields[name]) for name in ("left_child", "right_child", *LEAVES))
    splits = len(left)
    total = [0.0] * splits + [value * count for value, count in zip(values, rows, strict=True)]
    rows = [0.0] * splits + rows
    sides = [[int(c) if c >= 0 else splits + ~int(c) for c in pair] for pair in zip(left, right, strict=True)]
    for split in reversed(range(splits)):  # a child comes after its parent
        for place in sides[split]:
            rows[split] += rows[place]
            total[split] += total[place]
    return [total[a] / rows[a] > total[b] / rows[b] for a, b in sides]

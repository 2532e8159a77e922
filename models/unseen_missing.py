"""A declared outcome for inputs that were never missing in training.

LightGBM takes such an input for zero when it is missing later, and zero can be the best value there is: a blank field
would win points. Here a missing value goes, at each split, to the side with the worse mean outcome instead.
"""

import re

import numpy as np

from models.lightgbm_text import CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_NONE, edited, fields_of, numbers

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
    decision = numbers(fields["decision_type"]).astype(int)
    unseen = ((decision & CATEGORICAL) == 0) & ((decision >> 2) == MISSING_NONE)
    declared = MISSING_NAN << 2 | np.where(_left_is_worse(fields), DEFAULT_LEFT, 0)
    return DECISIONS.sub("decision_type=" + " ".join(map(str, np.where(unseen, declared, decision))), tree)


def _left_is_worse(fields: dict[str, str]) -> np.ndarray:
    """[split]: whether the left side's mean log-odds of bad is above the right side's."""
    left, right = (numbers(fields[side]).astype(int) for side in ("left_child", "right_child"))
    splits = len(left)
    rows = np.concatenate((np.zeros(splits), numbers(fields["leaf_count"])))
    total = np.concatenate((np.zeros(splits), numbers(fields["leaf_value"]) * rows[splits:]))
    places = [np.where(child >= 0, child, splits + ~child) for child in (left, right)]
    for split in reversed(range(splits)):  # a child comes after its parent
        for place in places:
            rows[split] += rows[place[split]]
            total[split] += total[place[split]]
    on_left, on_right = (total[place] / rows[place] for place in places)
    return np.asarray(on_left > on_right)

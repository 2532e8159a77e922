"""How well each family of features ranks alone, and what leaving one out costs, judged by true probabilities."""

from collections.abc import Sequence

import numpy as np

from pipeline.judge import expected_auc
from pipeline.world.direct import normal_scores
from pipeline.world.draws import Draws, Flags, Floats, Ints

ALL = "all five"


def auc_by_family(x: Floats, families: Sequence[str], person: Ints, pd: Floats, is_bad: Flags) -> dict[str, float]:
    """Expected AUC of an L2 logistic on normal scores: all features, `family` alone, and `without family`.

    `x` is applications × features, NaN where missing; half the people teach, the other half are judged.
    """
    teaches = Draws.of(0, person).chance("teaches", 0.5)
    scores = np.nan_to_num(np.stack([normal_scores(column) for column in x.T], axis=1))
    kinds = np.array(families)
    chosen = {ALL: np.ones(len(kinds), np.bool_)}
    for family in dict.fromkeys(families):
        chosen |= {family: kinds == family, f"without {family}": kinds != family}
    return {
        name: expected_auc(_fitted(scores[:, columns], is_bad, teaches), pd[~teaches])
        for name, columns in chosen.items()
    }


def _fitted(scores: Floats, is_bad: Flags, teaches: Flags) -> Floats:
    """Log-odds of the people who do not teach."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (slow to import, needed here only)

    model = LogisticRegression(C=0.01, max_iter=500).fit(scores[teaches], is_bad[teaches])
    said: Floats = model.decision_function(scores[~teaches])
    return said

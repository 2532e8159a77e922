"""The input policy of a scorecard: a rule for each input, the ranges training showed, its best and its worst value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from models.arrays import Codes, Floats
from saakh.additive import Additive
from saakh.errors import ConfigError
from saakh.input_policy import FINDINGS, InputRule
from saakh.lookup import Lookup
from saakh.spec import FeatureSpec
from saakh.trees import Trees

OF_SPLITS = ("feature", "threshold", "missing_left", "zero_is_missing", "left", "right")
OF_LEAVES = ("value", "cover")


def rules(
    specs: Sequence[FeatureSpec], model: Additive, spreads: Mapping[str, Any], said: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The rules as plain JSON values, in the order of the specs.

    Args:
        specs: the inputs.
        model: what they are scored by.
        spreads: `seen` and `usual` ranges by input, as train told them; None where too few people are known.
        said: the section `export.inputs` of the parameters.
    """
    of = said.get("of", {})
    if unknown := sorted(set(of) - {name for spec in specs for name in (spec.name, spec.measure, spec.table)}):
        raise ConfigError(f"export.inputs.of names {', '.join(unknown[:5])}, which the scorecard does not read")
    general = {key: value for key, value in said.items() if key != "of"}
    found = []
    for number, spec in enumerate(specs):
        spread = spreads.get(spec.name) or {}
        usual = tuple(spread["usual"]) if spread else None
        rule = InputRule(**general, usual=usual, seen=tuple(spread["seen"]) if spread else None)
        if usual:
            better, worse = ends(model, number, spec, usual)
            rule = replace(rule, better=better, worse=worse)
        for name in (spec.table, spec.measure, spec.name):
            rule = replace(rule, **{key: value for key, value in of.get(name, {}).items() if value is not None})
        if rule.worse is None and "worst" in (getattr(rule, finding) for finding in FINDINGS):
            raise ConfigError(f"{spec.name} was known for too few people to say which value of it is the worst")
        found.append(asdict(rule))
    return found


def ends(model: Additive, feature: int, spec: FeatureSpec, usual: tuple[float, float]) -> tuple[float, float]:
    """The values of the usual range that on average earn and cost most: its ends where a direction is declared."""
    if spec.risk:
        return usual if spec.risk > 0 else (usual[1], usual[0])
    trees = model.trees
    bends = trees.threshold[trees.feature == feature]
    inside = bends[(bends >= usual[0]) & (bends < usual[1])]
    values = np.unique(np.concatenate((usual, inside, np.nextafter(inside, np.inf))))
    effect = main_effect(model, feature, values)
    return float(values[effect.argmin()]), float(values[effect.argmax()])


def main_effect(model: Additive, feature: int, values: Floats) -> Floats:
    """Log-odds, up to a constant, when this input alone is known to have one of these values [values]."""
    x = np.full((len(values), model.inputs), np.nan)
    x[:, feature] = values
    grown = with_input(model.trees, feature)
    others = frozenset(np.unique(grown.feature).tolist()) - {feature}
    lookup = Lookup(grown, model.inputs)
    effect = lookup.answers(others).log_odds(lookup.patterns(x))
    place = np.flatnonzero(model.linear.feature == feature)
    return effect + (model.linear.effects_of(x)[:, place[0]] if len(place) else 0.0)


def with_input(trees: Trees, feature: int) -> Trees:
    """The trees that ask for an input."""
    of_split = np.repeat(np.arange(len(trees.splits)), trees.splits)
    of_leaf = np.repeat(np.arange(len(trees.splits)), trees.splits + 1)
    chosen: Codes = np.unique(of_split[trees.feature == feature])
    split, leaf = np.isin(of_split, chosen), np.isin(of_leaf, chosen)
    return Trees(
        splits=trees.splits[chosen],
        **{name: getattr(trees, name)[split] for name in OF_SPLITS},
        **{name: getattr(trees, name)[leaf] for name in OF_LEAVES},
    )

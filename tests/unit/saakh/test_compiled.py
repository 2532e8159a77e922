"""Compiled code and numpy: the same bits, and no table that lets a lookup leave it."""

import copy
import pickle
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.model_text import with_rest
from pipeline.export import build
from saakh import archive, compiled
from saakh.linear import FAR, REACH, Linear
from saakh.manifest import FEATURES_MAX
from saakh.scale import Calibration
from saakh.scorecard import Scorecard
from saakh.trees import SPLITS_MAX, Trees
from tests.small_scorecard import booster, bundle, names, packed, table

pytestmark = pytest.mark.skipif(not compiled.IS_THERE, reason="saakh was installed without a compiler")
ODD = (None, True, 0, -0.0, 1e-36, 7, 10**400, float("inf"), float("nan"), "text", Decimal("0.5"), np.float64(0.3), [1])


def cards(raw: bytes) -> tuple[Scorecard, Scorecard]:
    """A scorecard twice: with compiled code, and with numpy alone."""
    quick, plain = (Scorecard.from_members(archive.unpack(raw)) for _ in range(2))
    assert quick.model.is_compiled
    plain.model.is_compiled = False
    return quick, plain


def grown(trees: int, leaves: int, inputs: int, linear: Linear | None) -> bytes:
    model = booster(table(600, inputs), trees, num_leaves=leaves).model_to_string()
    return build(bundle(with_rest(model, linear or Linear.none(), Calibration()), inputs))


def whole(inputs: int) -> Linear:
    arrays = {"center": 0.1, "scale": 1.5, "coefficient": 0.2, "mean": 0.0}
    parts = {name: np.full(inputs, number) for name, number in arrays.items()}
    return Linear.of(inputs, 0.25, feature=np.arange(inputs), **parts)


@pytest.mark.parametrize("refused", [(), ("payments",), ("airtime", "payments")])
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(packed, id="trees and three straight inputs"),
        pytest.param(lambda: grown(30, 4, 9, whole(9)), id="all inputs straight"),
        pytest.param(lambda: grown(30, 2, 5, None), id="stumps alone"),
        pytest.param(lambda: grown(12, 8, 4, None), id="trees alone"),
    ],
)
def test_a_score_is_the_same_to_the_last_bit(raw, refused):
    quick, plain = cards(raw())
    for row in np.clip(table(150, len(quick.features), seed=23), -8, 8).tolist():
        given = dict(zip(quick.features, row, strict=True))
        assert repr(quick.score(given, refused)) == repr(plain.score(given, refused))
        assert repr(quick.counterfactual(given, refused)) == repr(plain.counterfactual(given, refused))


@pytest.mark.parametrize("rows", [0, 1, 31, 32, 33, 150])
def test_contributions_of_many_are_the_same_to_the_last_bit(rows):
    quick, plain = cards(packed())
    x = np.clip(table(rows, 8, seed=29), -8, 8)
    refused = [("payments",) if row % 3 else () for row in range(rows)]
    for of in (x, np.asfortranarray(x)):
        assert quick.explain_many(of, refused).tobytes() == plain.explain_many(x, refused).tobytes()


def test_rows_of_any_layout_give_the_same_reasons():
    quick, plain = cards(packed())
    x = np.clip(table(40, 8, seed=31), -8, 8)
    expected = plain.reasons_many(x)
    for of in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x.astype(np.float32).astype(float)):
        assert len(quick.reasons_many(of)) == 40
    assert quick.reasons_many(np.asfortranarray(x)) == expected
    assert repr(quick.model.both(x[0].astype(np.float32)).effects) == repr(
        plain.model.both(x[0].astype(np.float32).astype(float)).effects
    )


def test_a_model_that_scored_can_be_copied_and_pickled(monkeypatch):
    quick, _ = cards(packed())
    x = np.zeros(8)
    before = quick.model.both(x)
    for again in (copy.deepcopy(quick.model), pickle.loads(pickle.dumps(quick.model))):
        assert again.is_compiled
        assert repr(again.both(x)[:4]) == repr(before[:4])
    monkeypatch.setattr(compiled, "IS_THERE", False)
    assert not pickle.loads(pickle.dumps(quick.model)).is_compiled


@pytest.mark.parametrize(
    ("name", "known"),
    [("FAR_AWAY", FAR), ("REACH", REACH), ("SPLITS_MAX", SPLITS_MAX), ("INPUTS_MAX", FEATURES_MAX)],
)
def test_compiled_code_goes_by_the_same_numbers(name, known):
    header = (Path(compiled.__file__).parent / "_tables.h").read_text()
    (said,) = re.findall(rf"^#define {name} (\S+)$", header, re.MULTILINE)
    assert float(said) == known


def test_inputs_far_and_near_come_out_alike():
    quick, plain = cards(packed())
    values = [0.0, -0.0, 1e-36, 5e-324, 0.1, 1.6, 8.0, -8.0, 1e9, -1e300]
    for value in values:
        x = np.full(8, value)
        one, other = quick.model.both(x), plain.model.both(x)
        assert all(repr(a) == repr(b) for a, b in zip(one[:4], other[:4], strict=True))


@given(st.lists(st.sampled_from(ODD) | st.floats(-9, 9), min_size=8, max_size=8), st.permutations(range(8)))
def test_odd_values_mean_what_they_mean_in_python(values, order):
    quick, plain = cards(packed())
    row = {quick.features[i]: values[i] for i in order}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "IS_THERE", False)
        expected = repr(plain.score(row))
    assert repr(quick.score(row)) == expected


@pytest.mark.parametrize("row", [{}, {"input_0_30d": 1.0}, dict.fromkeys(names(9), 1.0), dict.fromkeys(names(8), "x")])
def test_rows_that_are_not_plain_are_left_to_python(row):
    assert not compiled.take(row, tuple(names(8)), np.empty(8))


def test_sums_that_depend_on_their_order_are_left_to_numpy():
    from saakh.additive import Additive

    stump = {
        "splits": [1], "feature": [0], "threshold": [0.5], "missing_left": [0], "zero_is_missing": [0],
        "left": [-1], "right": [-2], "cover": [3, 4],
    }  # fmt: skip
    assert not Additive(Trees.of(1, value=[0.1, 0.2], **stump), Linear.none(), 1).is_compiled
    assert Additive(Trees.of(1, value=[0.125, 0.25], **stump), Linear.none(), 1).is_compiled


SOUND = {
    "order": [0], "start": [0, 1], "feature": [0], "kind": [0], "threshold": [0.5], "slot_start": [0, 1], "of": [0],
    "block_at": [0], "blocks": [1.0, 0.5, 2.0, 1.5], "read": [1], "center": [0.0], "scale": [1.0],
    "coefficient": [1.0], "mean": [0.0],
}  # fmt: skip


def lay_out(**changed: list) -> object:
    arrays = {name: np.array(values, float if any(map(is_real, values)) else int) for name, values in SOUND.items()}
    arrays |= {name: np.array(values) for name, values in changed.items()}
    return compiled.kernel.lay_out(arrays, 2, 1e-35, 2.0**-44, 0.0)


def is_real(value: object) -> bool:
    return isinstance(value, float)


def test_sound_tables_are_laid_out_and_looked_up():
    found, each, straight, effects = lay_out(), np.empty(1), np.empty(1), np.empty(2)
    assert compiled.kernel.both(found, np.array([0.5, 0.0]), each, straight, effects) == 2.0
    assert (each.tolist(), straight.tolist(), effects.tolist()) == ([2.0], [0.0], [1.5, 0.0])
    assert compiled.kernel.in_trees(found, np.array([0.6, 0.0]), each, np.array([0])) == -1.0


@pytest.mark.parametrize(
    "changed",
    [
        {"start": [0, 2]}, {"start": [1, 1]}, {"start": [0]}, {"start": [0, -1]}, {"feature": [2]}, {"feature": [-1]},
        {"kind": [4]}, {"kind": [0, 0]}, {"threshold": [0.5, 0.5]}, {"order": [1]}, {"order": [-1]}, {"order": [0, 0]},
        {"slot_start": [0, 2]}, {"slot_start": [1, 1]}, {"slot_start": [0]}, {"slot_start": [0, 8], "of": [0] * 8},
        {"block_at": [1]}, {"block_at": [-1]}, {"block_at": [2**62]}, {"blocks": [1.0, 0.5, 2.0]}, {"of": [2]},
        {"of": [-1]}, {"of": [0, 0]}, {"of": [0, 0], "slot_start": [0, 2]}, {"block_at": [0, 0]}, {"read": [2]},
        {"read": [-1]}, {"read": [0, 1, 1]}, {"center": []}, {"scale": [1.0, 1.0]}, {"coefficient": []}, {"mean": []},
        {"feature": [0.0]}, {"blocks": [1, 1, 2, 2]}, {"of": np.array([0], np.int32)}, {"mean": np.zeros((1, 1))},
    ],
)  # fmt: skip
def test_tables_that_would_lead_astray_are_refused(changed):
    with pytest.raises((ValueError, TypeError)):
        lay_out(**changed)


@pytest.mark.parametrize("missing", sorted(SOUND))
def test_a_table_that_is_not_there_is_named(missing):
    arrays = {name: np.array(values) for name, values in SOUND.items() if name != missing}
    with pytest.raises((ValueError, TypeError), match=missing):
        compiled.kernel.lay_out(arrays, 2, 1e-35, 2.0**-44, 0.0)


def test_calls_that_do_not_fit_the_tables_are_refused():
    found, x, one, two = lay_out(), np.zeros(2), np.zeros(1), np.zeros(2)
    for call in (
        lambda: compiled.kernel.both(found, one, one, one, two),
        lambda: compiled.kernel.both(found, x, two, one, two),
        lambda: compiled.kernel.both(found, x, one, two, two),
        lambda: compiled.kernel.both(found, x, one, one, one),
        lambda: compiled.kernel.both(found, np.zeros(4)[::2], one, one, two),
        lambda: compiled.kernel.both(None, x, one, one, two),
        lambda: compiled.kernel.both(found, x, one, one, np.broadcast_to(0.0, 2)),
        lambda: compiled.kernel.effects(found, np.zeros(3), np.zeros(3)),
        lambda: compiled.kernel.effects(found, np.zeros(4), np.zeros(2)),
        lambda: compiled.kernel.effects(found, None, x),
        lambda: compiled.kernel.in_trees(found, x, one, np.array([1])),
        lambda: compiled.kernel.in_trees(found, x, one, np.array([-1])),
        lambda: compiled.kernel.in_trees(found, x, one, np.array([0.0])),
        lambda: compiled.kernel.take({"a": 1.0}, ("a",), np.float64, x),
    ):
        with pytest.raises((ValueError, TypeError, BufferError)):
            call()

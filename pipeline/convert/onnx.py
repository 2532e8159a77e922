"""A scorecard as ONNX: inputs and refusals in, log-odds, PD and points out, in double precision throughout."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.decisions import Node, Refused, Split, decisions
from pipeline.convert.parts import Parts
from saakh.grid import BITS, STEP
from saakh.input_policy import OUTCOMES
from saakh.linear import FAR, REACH
from saakh.lookup import ZERO

OPSET, TREES_OPSET, IR = 18, 5, 10
LEQ, SUM, NO_TRANSFORM = 0, 1, 0
OUTPUTS = {"log_odds": TensorProto.DOUBLE, "pd": TensorProto.DOUBLE, "points": TensorProto.DOUBLE} | dict.fromkeys(
    ("missing", "unseen", "out_of_range", "handling"), TensorProto.INT64
)


def model(parts: Parts, *, takes_floats: bool = False) -> onnx.ModelProto:
    """The scorecard as a graph over `inputs` [rows, features], NaN where missing, and `refused` [rows, categories].

    Inputs are doubles, or floats where `takes_floats`. Floats are made doubles before anything is asked of them, and so
    are compared with thresholds as they are: the same as rounding the thresholds down to floats.
    """
    graph = Graph()
    used, told = _inputs(graph, parts, takes_floats)
    total = graph.do("Add", _trees(graph, parts, used), _straight(graph, parts, used))
    log_odds = graph.do("Add", graph.do("Mul", total, graph.number(parts.slope)), graph.number(parts.intercept))
    points = graph.do("Sub", graph.number(parts.offset), graph.do("Mul", graph.number(parts.factor), log_odds))
    found = {"log_odds": log_odds, "pd": graph.do("Sigmoid", log_odds), "points": points} | told
    for name, what in found.items():
        graph.nodes.append(helper.make_node("Identity", [what], [name]))
    kind = TensorProto.FLOAT if takes_floats else TensorProto.DOUBLE
    given = [
        helper.make_tensor_value_info("inputs", kind, ["rows", len(parts.features)]),
        helper.make_tensor_value_info("refused", TensorProto.BOOL, ["rows", len(parts.categories)]),
    ]
    out = [helper.make_tensor_value_info(name, kind, ["rows"]) for name, kind in OUTPUTS.items()]
    made = helper.make_model(
        helper.make_graph(graph.nodes, parts.name, given, out, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)],
        ir_version=IR,
        producer_name="saakh",
    )
    helper.set_model_props(made, {name: json.dumps(value, ensure_ascii=False) for name, value in parts.about().items()})
    onnx.checker.check_model(made, full_check=True)
    return made


@dataclass
class Graph:
    """Nodes and constants in the making; a result goes by its name."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, values: np.ndarray) -> str:
        """The name of an array."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def number(self, value: float) -> str:
        """The name of a double."""
        return self.constant(np.array(value, dtype=np.float64))

    def do(self, op: str, *given: str, domain: str = "", **attributes: Any) -> str:
        """The name of what an operator makes of some results."""
        name = f"r{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, given, [name], domain=domain, **attributes))
        return name

    def total(self, what: str) -> str:
        """The sum of each row."""
        return self.do("ReduceSum", what, self.constant(np.array([1])), keepdims=0)

    def count(self, what: str) -> str:
        """How many of each row are true."""
        return self.total(self.do("Cast", what, to=TensorProto.INT64))


def _inputs(graph: Graph, parts: Parts, takes_floats: bool) -> tuple[str, dict[str, str]]:
    """The inputs as they are scored, NaN where missing or refused; and what was found in them, counted and handled."""
    x = graph.do("Cast", "inputs", to=TensorProto.DOUBLE) if takes_floats else "inputs"
    asked = graph.do("Not", graph.do("Gather", "refused", graph.constant(np.array(parts.category)), axis=1))
    absent, fits = graph.do("IsNaN", x), _between(graph, x, parts.least, parts.most)
    possible = graph.do("And", asked, fits)
    low, high = np.array([parts.seen(i) for i in range(len(parts.features))]).T
    found = {
        "missing": graph.do("And", asked, absent),
        "unseen": graph.do("And", possible, graph.do("Not", _between(graph, x, low, high))),
        "out_of_range": graph.do("And", asked, graph.do("Not", graph.do("Or", absent, fits))),
    }
    used = graph.do("Where", possible, x, graph.number(np.nan))
    for name, where in found.items():
        worst = [parts.instead(i, name) for i in range(len(parts.features))]
        if any(value is not None for value in worst):
            is_worst = graph.constant(np.array([value is not None for value in worst]))
            instead = graph.constant(np.array(worst, dtype=np.float64))
            used = graph.do("Where", graph.do("And", where, is_worst), instead, used)
    counts = {name: graph.count(where) for name, where in found.items()}
    return used, {**counts, "handling": _handling(graph, parts, found)}


def _between(graph: Graph, x: str, low: np.ndarray, high: np.ndarray) -> str:
    """Where inputs are within bounds; NaN is not."""
    above = graph.do("GreaterOrEqual", x, graph.constant(low))
    return graph.do("And", above, graph.do("LessOrEqual", x, graph.constant(high)))


def _handling(graph: Graph, parts: Parts, found: Mapping[str, str]) -> str:
    """The strictest outcome of each row: 0 score, 1 refer, 2 reject."""
    outcomes = [
        graph.do(
            "Where",
            where,
            graph.constant(np.array([parts.outcome(i, name) for i in range(len(parts.features))])),
            graph.constant(np.array(0)),
        )
        for name, where in found.items()
    ]
    strictest = graph.do("ReduceMax", graph.do("Max", *outcomes), graph.constant(np.array([1])), keepdims=0)
    above_worst = graph.do("Sub", strictest, graph.constant(np.array(OUTCOMES.index("worst"))))
    return graph.do("Max", above_worst, graph.constant(np.array(0)))


def _straight(graph: Graph, parts: Parts, used: str) -> str:
    """What the linear part adds [rows], each input's term rounded to the grid."""
    linear = parts.linear
    if not len(linear.feature):
        return graph.number(linear.intercept)
    x = graph.do("Gather", used, graph.constant(linear.feature.astype(np.int64)), axis=1)
    off = graph.do("Div", graph.do("Sub", x, graph.constant(linear.center)), graph.constant(linear.scale))
    bent = _transformed(graph, off)
    term = graph.do("Mul", graph.do("Sub", bent, graph.constant(linear.mean)), graph.constant(linear.coefficient))
    steps = graph.do("Add", graph.do("Mul", term, graph.number(2.0**BITS)), graph.number(0.5))
    whole = graph.do("Mul", graph.do("Floor", steps), graph.number(STEP))
    known = graph.do("Where", graph.do("IsNaN", x), graph.number(0.0), whole)
    return graph.do("Add", graph.total(known), graph.number(linear.intercept))


def _transformed(graph: Graph, off: str) -> str:
    """`saakh.linear.transformed`, operation by operation, of inputs as scales off their centres."""

    def with_number(op: str, what: str, value: float) -> str:
        return graph.do(op, what, graph.number(value))

    size = with_number("Min", graph.do("Abs", off), FAR)
    root = graph.do("Sqrt", with_number("Add", graph.do("Mul", size, size), 1.0))
    root = graph.do("Sqrt", graph.do("Sqrt", graph.do("Add", size, root)))
    part = graph.do("Div", with_number("Sub", root, 1.0), with_number("Add", root, 1.0))
    square = graph.do("Mul", part, part)
    series = with_number("Add", with_number("Mul", square, 3.0), 5.0)
    series = with_number("Add", graph.do("Mul", series, square), 15.0)
    series = with_number("Div", with_number("Mul", graph.do("Mul", series, part), 8.0), 15.0)
    return graph.do("Mul", with_number("Min", series, REACH), graph.do("Sign", off))


def _trees(graph: Graph, parts: Parts, used: str) -> str:
    """What the trees add [rows]; their columns are the inputs, the inputs without zeros, and what was refused."""
    nodes = decisions(parts.trees, parts.category)
    constant = sum(node for node in nodes if isinstance(node, float))
    asked = [node for node in nodes if not isinstance(node, float)]
    if not asked:
        return graph.number(constant)
    near_zero = graph.do("LessOrEqual", graph.do("Abs", used), graph.number(ZERO))
    without_zeros = graph.do("Where", near_zero, graph.number(np.nan), used)
    closed = graph.do("Cast", "refused", to=TensorProto.DOUBLE)
    columns = graph.do("Concat", used, without_zeros, closed, axis=1)
    said = graph.do("TreeEnsemble", columns, domain="ai.onnx.ml", **_ensemble(asked, len(parts.features)))
    flat = graph.do("Squeeze", said, graph.constant(np.array([1])))
    return graph.do("Add", flat, graph.number(constant))


def _ensemble(roots: Sequence[Split | Refused], inputs: int) -> dict[str, object]:
    """The attributes of the operator: each node a column and a threshold, and where its two sides are."""
    laid = list(_nodes(roots))
    place = {id(node): i for i, node in enumerate(laid)}
    asked = [_question(node, inputs) for node in laid]
    values: list[float] = []

    def side(node: Node) -> tuple[int, int]:
        if not isinstance(node, float):
            return place[id(node)], 0
        values.append(node)
        return len(values) - 1, 1

    true, false = ([side(question[i]) for question in asked] for i in (3, 4))
    return {
        "n_targets": 1,
        "aggregate_function": SUM,
        "post_transform": NO_TRANSFORM,
        "tree_roots": [place[id(root)] for root in roots],
        "nodes_featureids": [column for column, *_ in asked],
        "nodes_modes": numpy_helper.from_array(np.full(len(laid), LEQ, np.uint8), "modes"),
        "nodes_splits": numpy_helper.from_array(np.array([question[1] for question in asked]), "splits"),
        "nodes_missing_value_tracks_true": [int(question[2]) for question in asked],
        "nodes_truenodeids": [at for at, _ in true],
        "nodes_trueleafs": [is_leaf for _, is_leaf in true],
        "nodes_falsenodeids": [at for at, _ in false],
        "nodes_falseleafs": [is_leaf for _, is_leaf in false],
        "leaf_targetids": [0] * len(values),
        "leaf_weights": numpy_helper.from_array(np.array(values), "weights"),
    }


def _nodes(roots: Sequence[Node]) -> Iterator[Split | Refused]:
    """All questions, a tree's from its root down."""
    for root in roots:
        if not isinstance(root, float):
            yield root
            yield from _nodes((root.left, root.right) if isinstance(root, Split) else (root.closed, root.open))


def _question(node: Split | Refused, inputs: int) -> tuple[int, float, bool, Node, Node]:
    """The column, the threshold, whether a missing value goes the true way, and the two ways."""
    if isinstance(node, Refused):
        return 2 * inputs + node.category, 0.5, False, node.open, node.closed
    column = node.feature + inputs * node.zero_is_missing
    return column, node.threshold, node.missing_left, node.left, node.right

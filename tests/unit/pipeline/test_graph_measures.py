"""Societies and what ties say against them: worked by hand where small, against their definitions where not."""

import math

import igraph
import numpy as np
import pytest

from features.graph import BY_COLUMN, FEATURES, SPECS, social_graph
from features.sources import view_of
from pipeline.graph.measures import Ties, measures
from pipeline.graph.society import society
from pipeline.policy import Policy, allowed, read_policy
from saakh.spec import FeatureSpec

NOBODY_KNOWN = np.zeros(200, bool)


def flags(*people: int) -> np.ndarray:
    return np.isin(np.arange(200), people)


def tied(person: int, *others: int) -> Ties:
    """One application of a person, with ties both ways."""
    both = np.ones(len(others), bool)
    return Ties(1, np.array([person]), np.zeros(len(others), int), np.array(others, int), both, both)


def clique(people: range) -> list[tuple[int, int]]:
    return [(a, b) for a in people for b in people if a < b]


def counted(edges: list[tuple[int, int]], ties: Ties, known: np.ndarray, default: np.ndarray) -> dict:
    source, target = np.array(edges, int).reshape(-1, 2).T
    found = measures(society(source, target, known, default), ties, known, default)
    return {name: values[0].item() for name, values in found.items()}


def test_two_cliques_joined_by_one_tie_are_two_communities() -> None:
    """Person 0 is of the clique 0-4, and has a tie to 5 of the clique 5-9: four of the others are in the circle."""
    edges = [*clique(range(5)), *clique(range(5, 10)), (0, 5)]
    found = counted(edges, tied(0, 1, 2, 3, 4, 5), flags(0, 1, 2, 6), flags(0, 2, 6))
    assert (found["community_size"], found["community_known"], found["community_defaults"]) == (4, 2, 1)
    assert (found["contacts_known"], found["contacts_defaulted"]) == (2, 1)
    assert (found["second_degree"], found["pairs"], found["pairs_in_touch"], found["core_number"]) == (4, 10, 6, 4)


def test_whoever_the_society_does_not_know_joins_the_circle_of_most_contacts() -> None:
    edges = [*clique(range(5)), *clique(range(5, 10))]
    found = counted(edges, tied(99, 0, 5, 6), flags(5, 6, 7), flags(7))
    assert (found["community_size"], found["community_known"], found["community_defaults"]) == (5, 3, 1)
    assert (found["second_degree"], found["pairs_in_touch"]) == (7, 1)


def test_of_two_circles_with_as_many_contacts_the_larger_counts() -> None:
    edges = [*clique(range(5)), *clique(range(5, 11))]
    assert counted(edges, tied(99, 0, 5), NOBODY_KNOWN, NOBODY_KNOWN)["community_size"] == 6


def test_cores_of_a_clique_with_a_tail() -> None:
    """The clique 0-3 has core number 3, the tail 3-4-5 has 1. Person 6 knows 0, 1, 4: two with 2 or more."""
    edges = [*clique(range(4)), (3, 4), (4, 5)]
    assert counted(edges, tied(0, 1, 2, 3), NOBODY_KNOWN, NOBODY_KNOWN)["core_number"] == 3
    assert counted(edges, tied(4, 3, 5), NOBODY_KNOWN, NOBODY_KNOWN)["core_number"] == 1
    assert counted(edges, tied(6, 0, 1, 4), NOBODY_KNOWN, NOBODY_KNOWN)["core_number"] == 2
    assert counted(edges, tied(6, 7), NOBODY_KNOWN, NOBODY_KNOWN)["core_number"] == 1


def test_a_star_spreads_a_leafs_default() -> None:
    """Centre 0, leaves 1, 2, 3; leaf 1 in default. r(0) = 0.85 (r(1) + r(2) + r(3)), r(1) = 0.15 + 0.85 r(0) / 3.

    r(2) = r(3) = 0.85 r(0) / 3, so r(0) = 0.85 (0.15 + 0.85 r(0)) = 0.1275 / 0.2775 = 17/37; of leaf 2: 289/2220.
    """
    star = [(0, 1), (0, 2), (0, 3)]
    assert counted(star, tied(0, 1, 2, 3), flags(1), flags(1))["default_rank"] == pytest.approx(68 / 37, abs=1e-6)
    assert counted(star, tied(2, 0), flags(1), flags(1))["default_rank"] == pytest.approx(289 / 555, abs=1e-6)
    assert math.isnan(counted(star, tied(1, 0), flags(1), flags(1))["default_rank"])


def test_a_default_out_of_reach_gives_no_rank_and_none_at_all_gives_nothing() -> None:
    edges = [(0, 1), (2, 3)]
    assert counted(edges, tied(0, 1), flags(2), flags(2))["default_rank"] == 0
    assert math.isnan(counted(edges, tied(0, 1), flags(2), flags())["default_rank"])
    assert counted([], tied(0), flags(2), flags(2))["contacts"] == 0


def random_society(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    edges = rng.integers(0, 120, (260, 2))
    return *edges[edges[:, 0] != edges[:, 1]].T, rng.random(200) < 0.6, rng.random(200) < 0.2


def everyone(source: np.ndarray, target: np.ndarray) -> Ties:
    """Every person's own ties, as the society knows them."""
    ends = np.unique(np.concatenate([np.column_stack([source, target]), np.column_stack([target, source])]), axis=0)
    people, application = np.unique(ends[:, 0], return_inverse=True)
    return Ties(len(people), people, application, ends[:, 1], np.ones(len(ends), bool), np.zeros(len(ends), bool))


@pytest.mark.parametrize("seed", range(3))
def test_where_the_society_knows_the_ties_the_measures_are_those_of_the_node(seed: int) -> None:
    source, target, known, default = random_society(seed)
    ties = everyone(source, target)
    found = measures(society(source, target, known, default), ties, known, default)
    graph = igraph.Graph(n=200, edges=list(zip(source.tolist(), target.tolist(), strict=True))).simplify()
    graph.delete_vertices([v for v in range(200) if not graph.degree(v)])
    seeds = default[ties.person]
    for n in range(ties.count):
        assert found["contacts"][n] == graph.degree(n)
        assert found["core_number"][n] == graph.coreness()[n]
        assert found["second_degree"][n] == graph.neighborhood_size(n, order=2) - 1 - graph.degree(n)
        near = graph.subgraph(graph.neighbors(n)).ecount()
        assert found["pairs_in_touch"][n] == near
        reset = seeds.astype(float)
        reset[n] = 0
        rank = graph.personalized_pagerank(damping=0.85, reset=reset.tolist())[n] * graph.vcount()
        assert found["default_rank"][n] == pytest.approx(rank, abs=2e-6)


@pytest.mark.parametrize("seed", range(5))
def test_other_names_and_another_order_give_the_same_numbers(seed: int) -> None:
    source, target, known, default = random_society(seed)
    ties = everyone(source, target)
    before = measures(society(source, target, known, default), ties, known, default)
    rng = np.random.default_rng(seed)
    name, order = rng.permutation(200), rng.permutation(len(source))
    was = np.argsort(name)
    people = society(name[target[order]], name[source[order]], known[was], default[was])
    renamed = Ties(ties.count, name[ties.person], ties.application, name[ties.other], ties.is_out, ties.is_in)
    after = measures(people, renamed, known[was], default[was])
    assert all(np.array_equal(before[n], after[n], equal_nan=True) for n in before)


def test_the_random_numbers_of_others_are_left_alone() -> None:
    source, target, known, default = random_society(1)
    first = society(source, target, known, default).community
    igraph.Graph.Erdos_Renyi(n=50, m=100)
    assert np.array_equal(society(source, target, known, default).community, first)


def test_every_declaration_is_sensitive_told_and_bounded() -> None:
    assert len(FEATURES) == len(SPECS) == len({spec.fingerprint for spec in SPECS}) == 12
    for spec in SPECS:
        assert (spec.family, spec.sensitivity, spec.category, spec.low) == ("social", "sensitive", "communication", 0)
        assert spec.reason
        assert spec.description.endswith(".")
        assert FeatureSpec.from_dict(spec.as_dict()) == spec
    assert all(set(feature.lineage) <= set(social_graph.by_name) for feature in BY_COLUMN.values())
    assert set(view_of(social_graph).columns) == set(social_graph.by_name)


def test_the_rules_of_the_graph_are_part_of_a_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [feature.specs()[0].fingerprint for feature in FEATURES]
    monkeypatch.setattr("features.graph.MEANING", "other rules")
    assert not set(before) & {feature.specs()[0].fingerprint for feature in FEATURES}


def test_the_graph_is_off_unless_a_policy_allows_both_it_and_what_is_sensitive() -> None:
    house = read_policy("explicit-consent")
    assert not any(allowed(feature, [house]) for feature in FEATURES)
    for allows, expected in (
        ({"social_graph": True}, False),
        ({"sensitivities": ["sensitive"]}, False),
        ({"social_graph": True, "sensitivities": ["sensitive"]}, True),
    ):
        policy = Policy.model_validate(house.model_dump() | {"allows": allows})
        assert {allowed(feature, [policy]) for feature in FEATURES} == {expected}


def test_a_ring_is_cut_by_names_and_nothing_else_is() -> None:
    """All are alike in a ring, so only where it is cut may follow the names: the sizes of its circles do not."""
    ring = np.arange(12)
    names = np.random.default_rng(1).permutation(12)
    first, second = (society(order, np.roll(order, 1), flags(), flags()) for order in (ring, names))
    assert np.array_equal(np.bincount(first.community), np.bincount(second.community))
    assert set(first.core.tolist()) == set(second.core.tolist()) == {2}

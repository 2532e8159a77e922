"""The graph of one vintage: people and their ties as arrays, cores, communities and PageRank by igraph.

Nothing here depends on how people are called, as far as that can be: vertices are numbered by their place in the
graph, told by colour refinement (Weisfeiler and Leman 1968), and by name only where that cannot tell two apart.
Degrees, cores, distances and, up to rounding, PageRank do not show it. Communities may, in a graph with symmetries: a
ring of equal people must be cut somewhere, and where follows the names.
"""

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from features.graph import DAMPING
from models.arrays import Codes, Flags, Floats

if TYPE_CHECKING:
    import igraph
    from scipy import sparse

REFINEMENTS_MAX = 64
LEIDEN_ITERATIONS = 2
NOBODY = -1
Colours = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Society:
    """People who have ties, as nodes 0 to n - 1.

    `node_of` maps a person's code to the node, `NOBODY` for those without a tie; `touching` is the symmetric matrix of
    ties, 0 or 1. By node: `core`, `community` (the largest is 0), `known` and `default`: whether the outcome is known,
    and is a default.
    """

    node_of: Codes
    graph: "igraph.Graph"
    touching: "sparse.csr_array"
    core: Codes
    community: Codes
    known: Flags
    default: Flags

    def __len__(self) -> int:
        return len(self.core)

    @property
    def degree(self) -> Codes:
        """How many ties each node has."""
        return np.diff(self.touching.indptr).astype(np.int64)

    def rank(self, left_out: int = NOBODY) -> Floats | None:
        """PageRank personalised to those in default, one node left out; sums to 1. None when nobody is left."""
        seeds = self.default.copy()
        if left_out != NOBODY:
            seeds[left_out] = False
        if not seeds.any():
            return None
        ranks = self.graph.personalized_pagerank(
            damping=DAMPING, reset=seeds.astype(float).tolist(), directed=False, implementation="prpack"
        )
        return np.array(ranks)


def society(source: Codes, target: Codes, known: Flags, default: Flags) -> Society:
    """The graph over edges, given as codes of people, in any order and number; `known` and `default` go by code."""
    people, ends = np.unique(_pairs(np.stack([source, target], axis=1), len(known)), return_inverse=True)
    ends = ends.reshape(-1, 2)
    order = np.lexsort([np.arange(len(people)), _colours(_matrix(ends, len(people)))])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    people, ends = people[order], _pairs(place[ends], len(people))
    import igraph  # noqa: PLC0415 - it brings a library of drawing with it, which few runs wait for

    graph = igraph.Graph(n=len(people), edges=ends)
    node_of = np.full(len(known), NOBODY)
    node_of[people] = np.arange(len(people))
    return Society(
        node_of=node_of,
        graph=graph,
        touching=_matrix(ends, len(people)),
        core=np.array(graph.coreness(), np.int64),
        community=_communities(graph),
        known=known[people],
        default=default[people],
    )


def _pairs(ends: Codes, count: int) -> Codes:
    """Each pair of different numbers below `count` once, the lower first, sorted; shape (pairs, 2)."""
    low, high = ends.min(axis=1), ends.max(axis=1)
    joined = np.unique((low * count + high)[low != high])
    return np.stack(np.divmod(joined, max(count, 1)), axis=1)


def _matrix(ends: Codes, count: int) -> "sparse.csr_array":
    from scipy import sparse  # noqa: PLC0415 - heavy, and most runs have no graph

    one, other = np.concatenate([ends, ends[:, ::-1]]).T if len(ends) else (np.empty(0, int), np.empty(0, int))
    return sparse.csr_array((np.ones(len(one), np.int64), (one, other)), shape=(count, count))


def _colours(touching: "sparse.csr_array") -> Colours:
    """A number for each node that depends on its place in the graph alone: its colour and its neighbours', repeatedly.

    Wrapping sums of mixed numbers do not depend on the order of neighbours. Ends when no more nodes are told apart.
    """
    colour = np.diff(touching.indptr).astype(np.uint64)
    different = len(np.unique(colour))
    for _ in range(REFINEMENTS_MAX if len(colour) else 0):
        around = np.add.reduceat(_mixed(colour)[touching.indices], touching.indptr[:-1])
        colour = _mixed(colour * np.uint64(3) + around)
        before, different = different, len(np.unique(colour))
        if different == before:
            break
    return colour


def _mixed(numbers: Colours) -> Colours:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): near numbers far apart."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _communities(graph: "igraph.Graph") -> Codes:
    """Each node's community (Leiden, Traag et al. 2019, by modularity): the largest is 0; ties by first node."""
    import igraph  # noqa: PLC0415

    igraph.set_random_number_generator(random.Random(1))
    try:
        found = graph.community_leiden(objective_function="modularity", n_iterations=LEIDEN_ITERATIONS)
    finally:
        igraph.set_random_number_generator(random)
    member = np.array(found.membership, np.int64)
    _, first, community, size = np.unique(member, return_index=True, return_inverse=True, return_counts=True)
    place = np.empty(len(first), np.int64)
    place[np.lexsort([first, -size])] = np.arange(len(first))
    return place[community]

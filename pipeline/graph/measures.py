"""What an applicant's ties say against a society: the counts of `features.graph.social_graph`, a row an application.

The society is as of the vintage and may or may not know the applicant; the ties are the applicant's own, as of the
snapshot. So nothing is read off the applicant's node: all is said of the people the ties lead to. Where the society
knows the same ties, core number and PageRank are the node's own, by the equations that define them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.graph import DAMPING
from models.arrays import Codes, Flags, Floats
from pipeline.graph.society import NOBODY, Society

if TYPE_CHECKING:
    from scipy import sparse

GRID = 2**20
"""PageRank is rounded to multiples of 1/GRID: what floating-point sums owe to the order of vertices does not show."""
ROWS_AT_ONCE = 4_096


@dataclass(frozen=True)
class Ties:
    """Ties of applications 0 to `count` - 1: each pair of `application` and `other` (a person's code) once.

    `person` holds the code of each application's applicant; a tie goes out, comes in, or both.
    """

    count: int
    person: Codes
    application: Codes
    other: Codes
    is_out: Flags
    is_in: Flags


def measures(people: Society, ties: Ties, known: Flags, default: Flags) -> dict[str, Codes | Floats]:
    """The counts of each application by name; `known` and `default` go by a person's code."""
    own, to = people.node_of[ties.person], people.node_of[ties.other]
    contacts = _count(ties)
    return {
        "contacts": contacts,
        "contacts_in": _count(ties, ties.is_in),
        "contacts_out": _count(ties, ties.is_out),
        "contacts_mutual": _count(ties, ties.is_in & ties.is_out),
        "pairs": contacts * (contacts - 1) // 2,
        **_around(people, ties, own, to),
        "core_number": _core_number(people, ties, to),
        **_community(people, ties, own, to),
        "contacts_known": _count(ties, known[ties.other]),
        "contacts_defaulted": _count(ties, default[ties.other]),
        "default_rank": _default_rank(people, ties, own, to),
    }


def _count(ties: Ties, where: Flags | None = None) -> Codes:
    rows = ties.application if where is None else ties.application[where]
    return np.bincount(rows, minlength=ties.count).astype(np.int64)


def _around(people: Society, ties: Ties, own: Codes, to: Codes) -> dict[str, Codes]:
    """People at distance two, and pairs of contacts in touch: walks of two steps, a matrix product."""
    from scipy import sparse  # noqa: PLC0415 - heavy, and most runs have no graph

    there = to != NOBODY
    rows, columns = ties.application[there], to[there]
    steps = sparse.csr_array((np.ones(len(rows), np.int64), (rows, columns)), shape=(ties.count, len(people)))
    second, in_touch = np.zeros(ties.count, np.int64), np.zeros(ties.count, np.int64)
    for begin in range(0, ties.count, ROWS_AT_ONCE):
        part = slice(begin, begin + ROWS_AT_ONCE)
        step = steps[part]
        two = step @ people.touching
        back = two.multiply(step).tocsr()  # walks that end at a contact: twice the pairs in touch
        in_touch[part] = back.sum(axis=1) // 2
        at = np.flatnonzero(own[part] != NOBODY)
        second[part] = np.diff(two.indptr) - np.diff(back.indptr)
        second[begin + at] -= _entries(two, at, own[part][at]) > 0  # the way back to the applicant
    return {"second_degree": second, "pairs_in_touch": in_touch}


def _core_number(people: Society, ties: Ties, to: Codes) -> Codes:
    """The h-index of the contacts' core numbers (Lü et al. 2016); whoever has a tie to the applicant is in a 1-core."""
    core = np.ones(len(to), np.int64)
    core[to != NOBODY] = people.core[to[to != NOBODY]]
    order = np.lexsort([-core, ties.application])
    application = ties.application[order]
    enough = core[order] > _place(application)
    return np.bincount(application[enough], minlength=ties.count).astype(np.int64)


def _community(people: Society, ties: Ties, own: Codes, to: Codes) -> dict[str, Codes]:
    """The community of most contacts, the larger when two have as many; counted without the applicant."""
    there = to != NOBODY
    pair, size = np.unique(
        np.column_stack([ties.application[there], people.community[to[there]]]), axis=0, return_counts=True
    )
    order = np.lexsort([pair[:, 1], -size, pair[:, 0]])
    chosen = np.full(ties.count, NOBODY)
    first = order[_place(pair[order, 0]) == 0]
    chosen[pair[first, 0]] = pair[first, 1]
    is_own = own != NOBODY
    is_own[is_own] = people.community[own[is_own]] == chosen[is_own]
    counted = {"size": np.ones(len(people), bool), "known": people.known, "defaults": people.default}
    return {f"community_{name}": _members(people, chosen, is_own, own, flag) for name, flag in counted.items()}


def _members(people: Society, chosen: Codes, is_own: Flags, own: Codes, flag: Flags) -> Codes:
    """How many members of the community chosen have a flag, the applicant not counted."""
    count = int(people.community.max(initial=NOBODY)) + 1
    total = np.append(np.bincount(people.community[flag], minlength=count), 0)  # the last for those who chose none
    return total[chosen] - _looked_up(flag, own, is_own)


def _looked_up(flag: Flags, node: Codes, where: Flags) -> Codes:
    found = np.zeros(len(node), np.int64)
    found[where] = flag[node[where]]
    return found


def _default_rank(people: Society, ties: Ties, own: Codes, to: Codes) -> Floats:
    """PageRank from those in default, the applicant excluded, times the number of people; NaN when there is none.

    A walk that is at a contact goes on to the applicant with the probability DAMPING / degree of the contact, where the
    degree counts the applicant: r(applicant) = DAMPING * sum of r(contact) / degree(contact).
    """
    there = to != NOBODY
    application, node = ties.application[there], to[there]
    is_new = ~_is_edge(people, own[application], node)
    shares = 1.0 / (people.degree[node] + is_new)
    rank = np.full(ties.count, np.nan)
    left_out = np.where(_looked_up(people.default, own, own != NOBODY) == 1, own, NOBODY)
    order = np.lexsort([node, application, left_out[application]])
    application, node, shares = application[order], node[order], shares[order]
    for left in np.unique(left_out):
        ranks = people.rank(int(left))
        if ranks is not None:
            begin, end = np.searchsorted(left_out[application], [left, left + 1])
            passed = ranks[node[begin:end]] * shares[begin:end]
            total = np.bincount(application[begin:end], weights=passed, minlength=ties.count)
            asked = left_out == left
            rank[asked] = np.round(DAMPING * len(people) * total[asked] * GRID) / GRID
    return rank


def _is_edge(people: Society, one: Codes, other: Codes) -> Flags:
    """Whether the society knows a tie between two nodes."""
    found = np.zeros(len(one), bool)
    both = one != NOBODY
    found[both] = _entries(people.touching, one[both], other[both]) > 0
    return found


def _entries(matrix: "sparse.csr_array", rows: Codes, columns: Codes) -> Codes:
    """Single entries of a matrix; scipy answers an empty question with another type."""
    return matrix[rows, columns] if len(rows) else np.empty(0, np.int64)


def _place(groups: Codes) -> Codes:
    """The place of each row among those of its group, from 0; the groups are sorted."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)

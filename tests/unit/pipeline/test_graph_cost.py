"""What a graph costs: 100,000 people and 1,000,000 edges at full size (SAAKH_FULL=1), a twentieth of it otherwise."""

import os
from time import perf_counter

import numpy as np

from pipeline.graph.measures import Ties, measures
from pipeline.graph.society import society
from tests.conftest import Claim

PEOPLE, EDGES = (100_000, 1_000_000) if os.environ.get("SAAKH_FULL") else (5_000, 50_000)
APPLICATIONS, RETURNING = PEOPLE // 10, 10


def test_a_vintage_is_measured_in_seconds(claim: Claim) -> None:
    rng = np.random.default_rng(1)
    source, target = rng.integers(0, PEOPLE, (2, EDGES))
    known, default = rng.random(PEOPLE) < 0.5, np.arange(PEOPLE) % 20 == 1
    began = perf_counter()
    people = society(source, target, known, known & default)
    built = perf_counter() - began
    first, returning = np.flatnonzero(~default)[: APPLICATIONS - RETURNING], np.flatnonzero(known & default)[:RETURNING]
    person = np.sort(np.concatenate([first, returning]))
    application, node = people.touching[people.node_of[person]].nonzero()
    code = np.argsort(people.node_of)[PEOPLE - len(people) :]
    yes = np.ones(len(node), bool)
    ties = Ties(len(person), person, application.astype(np.int64), code[node], yes, yes)
    began = perf_counter()
    found = measures(people, ties, known, known & default)
    measured = perf_counter() - began
    assert np.array_equal(found["contacts"], people.degree[people.node_of[person]])
    size = f"{PEOPLE:,} people, {EDGES:,} edges"
    claim(f"graph of {size}: order, cores, communities", "60 s", f"{built:.1f} s")
    claim(f"{APPLICATIONS:,} applications against it, {RETURNING} by people in default", "60 s", f"{measured:.1f} s")
    assert built < 60
    assert measured < 60

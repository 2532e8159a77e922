"""From tables to arrays: people as numbers, what was known at each vintage, and its applications' counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.graph import social_graph
from models.arrays import Codes, Flags, Times
from pipeline.canonical import schema
from pipeline.engines import Engine
from pipeline.graph.edges import KEY, Standing, between
from pipeline.graph.measures import Ties, measures
from pipeline.graph.society import society

AHEAD = np.datetime64("2200-01-01", "us")
"""Later than any vintage."""


@dataclass(frozen=True)
class Records:
    """What a moment's vintages are made of, with people as codes: the place of their id among all, sorted."""

    source: Codes
    target: Codes
    since: Times
    until: Times
    known_since: Times
    default_since: Times
    asking: pa.Table
    person: Codes
    ties: pa.Table
    tie_other: Codes

    @classmethod
    def read(cls, engine: Engine, asking: pa.Table, people: Standing, ties: pa.Table, shown: pa.Table) -> Self:
        """Fetch edges and outcomes from the engine; of `asking`, the applications that show anything stay."""
        edges = engine.arrow(between(people), ["source", "target", "since"])
        outcomes = engine.arrow(people.outcomes, ["person"])
        asking = asking.filter(pc.is_in(asking[KEY], shown[KEY].combine_chunks())).sort_by(KEY)
        ids = [edges["source"], edges["target"], outcomes["person"], asking["person_id"], ties["other"]]
        everyone = pc.unique(pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.string())).sort()
        source, target, judged, person, other = (_codes(column, everyone) for column in ids)
        known, default = (np.full(len(everyone), AHEAD) for _ in range(2))
        known[judged], default[judged] = _moments(outcomes["since"]), _moments(outcomes["default_since"])
        since, until = _moments(edges["since"]), _moments(edges["until"])
        return cls(source, target, since, until, known, default, asking, person, ties, other)

    def counted(self) -> Iterator[pa.Table]:
        """The rows of `social_graph`, a table a vintage."""
        vintages = self.asking["vintage"].to_numpy()
        for vintage in np.unique(vintages):
            yield self._of(vintage, vintages == vintage)

    def _of(self, vintage: np.datetime64, asked: Flags) -> pa.Table:
        there = (self.since < vintage) & (vintage <= self.until)
        known, default = self.known_since < vintage, self.default_since < vintage
        people = society(self.source[there], self.target[there], known, default)
        keys = self.asking[KEY].filter(pa.array(asked)).combine_chunks()
        found = measures(people, self._ties(keys, self.person[asked]), known, default)
        numbers = {n: pa.array(v, mask=np.isnan(v)) if v.dtype == np.float64 else pa.array(v) for n, v in found.items()}
        return pa.table({KEY: keys, **numbers}).select(social_graph.by_name).cast(schema(social_graph))

    def _ties(self, keys: pa.Array, person: Codes) -> Ties:
        row = pc.index_in(self.ties[KEY], value_set=keys)
        ours = row.is_valid().to_numpy()
        return Ties(
            count=len(keys),
            person=person,
            application=row.drop_null().to_numpy().astype(np.int64),
            other=self.tie_other[ours],
            is_out=self.ties["is_out"].to_numpy()[ours],
            is_in=self.ties["is_in"].to_numpy()[ours],
        )


def _codes(ids: pa.ChunkedArray, everyone: pa.Array) -> Codes:
    return pc.index_in(ids, value_set=everyone).to_numpy().astype(np.int64)


def _moments(column: pa.ChunkedArray) -> Times:
    return pc.fill_null(column, pa.scalar(AHEAD.item(), column.type)).to_numpy()

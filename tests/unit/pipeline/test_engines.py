"""The engine room: what it says when it cannot go on."""

from contextlib import closing

import ibis
import pytest

from pipeline.engines import Engine
from saakh.errors import ConfigError


def test_too_little_memory_is_a_matter_of_the_parameters() -> None:
    rows = ibis.range(3_000_000).unnest().name("n").as_table()
    with closing(Engine(threads=1, memory_gb=0.02)) as engine, pytest.raises(ConfigError, match="memory_gb"):
        engine.arrow(rows.agg(all=rows.n.cast("string").collect()), ["all"])

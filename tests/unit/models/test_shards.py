"""A shard as a parcel: what goes in comes out, and trees of another version are not taken."""

import numpy as np
import pytest

from models.boosting import Inputs, Settings
from models.shards import Shard, grow_packed, unpacked
from saakh.errors import ContractError


def shard() -> Shard:
    rng = np.random.default_rng(2)
    x, bad = rng.normal(size=(300, 2)), rng.random(300) < 0.3
    x[::7, 1] = np.nan
    settings = Settings(4, 20, 1.0, 1.0, 1.0, 0.1, 5, 7)
    return Shard(x, bad, np.arange(300) % 3, 3, Inputs(("a", "b"), (1, 0), ((0.0, None), (None, 9.5))), settings)


def test_a_shard_comes_out_of_its_parcel_as_it_went_in() -> None:
    given = shard()
    back = Shard.unpacked(given.packed())
    assert back.digest == given.digest
    assert (back.inputs, back.settings) == (given.inputs, given.settings)
    assert unpacked(grow_packed(given.packed())) == given.grow()


def test_trees_of_another_lightgbm_are_refused() -> None:
    answer = grow_packed(shard().packed()).replace(b'{"lightgbm": "', b'{"lightgbm": "0.')
    with pytest.raises(ContractError, match="install the same version wherever shards are grown"):
        unpacked(answer)

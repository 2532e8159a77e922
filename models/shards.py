"""One shard's work as a parcel: all that growing its trees looks at, so that it can be done anywhere."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from typing import Self

import lightgbm
import numpy as np

from models.arrays import Codes, Flags, Floats
from models.boosting import Grown, Inputs, Settings, grow
from saakh.errors import ContractError

ARRAYS = ("x", "bad", "fold")


@dataclass(frozen=True)
class Shard:
    """The rows of a shard, the number of folds, and how its trees are grown."""

    x: Floats
    bad: Flags
    fold: Codes
    folds: int
    inputs: Inputs
    settings: Settings

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that `grow` looks at."""
        told = sha256(repr((self.x.shape, self.folds, self.inputs, self.settings, lightgbm.__version__)).encode())
        for name in ARRAYS:
            told.update(np.ascontiguousarray(getattr(self, name)).data)
        return told.hexdigest()

    def grow(self) -> Grown:
        """Its trees, grown on one thread."""
        return grow(self.x, self.bad, self.fold, self.folds, self.inputs, self.settings)

    def packed(self) -> bytes:
        """The shard as bytes: NumPy's own format, in which nothing can run."""
        rest = {"folds": self.folds, "inputs": asdict(self.inputs), "settings": asdict(self.settings)}
        out = BytesIO()
        np.savez(out, rest=np.frombuffer(json.dumps(rest).encode(), np.uint8), **{n: getattr(self, n) for n in ARRAYS})
        return out.getvalue()

    @classmethod
    def unpacked(cls, parcel: bytes) -> Self:
        """The shard in a parcel."""
        with np.load(BytesIO(parcel), allow_pickle=False) as held:
            rest = json.loads(held["rest"].tobytes())
            arrays = {name: held[name] for name in ARRAYS}
        told = rest["inputs"]
        bounds = tuple((low, high) for low, high in told["bounds"])
        inputs = Inputs(tuple(told["names"]), tuple(told["monotone"]), bounds)
        return cls(**arrays, folds=rest["folds"], inputs=inputs, settings=Settings(**rest["settings"]))


Growing = Callable[[Callable[[int], Shard], Sequence[int]], Sequence[Grown]]
"""Given what makes a shard by its number, grows those of some numbers, wherever that is done."""


def beside(threads: int) -> Growing:
    """Shards side by side on threads of this process."""

    def grown(shard: Callable[[int], Shard], numbers: Sequence[int]) -> Sequence[Grown]:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda number: shard(number).grow(), numbers))

    return grown


def grow_packed(parcel: bytes) -> bytes:
    """What growing a parcel's shard gives, as bytes, with the version of LightGBM that grew it."""
    return json.dumps({"lightgbm": lightgbm.__version__, **asdict(Shard.unpacked(parcel).grow())}).encode()


def unpacked(answer: bytes) -> Grown:
    """The trees in an answer; a `ContractError` where another version of LightGBM grew them."""
    told = json.loads(answer)
    if told["lightgbm"] != lightgbm.__version__:
        raise ContractError(
            f"a shard was grown by LightGBM {told['lightgbm']}, and this machine has {lightgbm.__version__}; install "
            "the same version wherever shards are grown, or the bytes of a model depend on where it was learned"
        )
    return Grown(told["text"], tuple(told["without"]))

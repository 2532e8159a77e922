"""Arrow without pandas, for commands that meet no DataFrame: importing pandas takes longer than all they read."""

import sys
from collections.abc import Sequence
from types import ModuleType

import pyarrow as pa

PANDAS = "pandas"


class _Hidden:
    """A finder of modules, before all others, that finds no pandas."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        del path, target
        if name == PANDAS:
            raise ModuleNotFoundError(f"{PANDAS} is hidden from Arrow", name=name)


def without_pandas() -> None:
    """Let Arrow find no pandas the first time it looks, which it does at the first array made of anything.

    From then on it takes no DataFrame or Series for what it is; asked to make one, it looks again. Where pandas was
    imported already, nothing changes.
    """
    if PANDAS in sys.modules:
        return
    sys.meta_path.insert(0, _Hidden)
    try:
        pa.array([None])  # of no type said: whoever infers one looks for himself
    finally:
        sys.meta_path.remove(_Hidden)

"""How often Python looks for objects that only hold each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 200_000
"""New objects between two looks: drawing and compiling all plans makes some millions, nearly all of them trees."""


@contextmanager
def seldom_collected(new: int = SELDOM) -> Iterator[None]:
    """A block in which reference cycles are looked for once in so many `new` objects, not among what was there before.

    Of blocks in each other, the one that looks most seldom counts.

    Imports leave a million objects, and every full look goes through them: a seventh of what plans cost.
    """
    before, is_outermost = gc.get_threshold(), not gc.get_freeze_count()
    gc.freeze()
    gc.set_threshold(max(new, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if is_outermost:
            gc.unfreeze()

"""Cycles are looked for as seldom as the most patient of the blocks around says, and as often as before after them."""

import gc

from pipeline.garbage import SELDOM, seldom_collected


def test_the_block_that_looks_most_seldom_counts_and_all_is_as_before_after_it() -> None:
    before = gc.get_threshold()
    with seldom_collected(10 * SELDOM):
        assert gc.get_threshold()[0] == 10 * SELDOM
        with seldom_collected():
            assert gc.get_threshold()[0] == 10 * SELDOM
        assert gc.get_threshold()[0] == 10 * SELDOM
        assert gc.get_freeze_count() > 0, "what was there before the outer block is looked at again"
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before
    with seldom_collected():
        assert gc.get_threshold()[0] == SELDOM
    assert gc.get_threshold() == before

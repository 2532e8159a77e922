"""k-anonymity: how many people share each record, counted by pycanon; a missing value is a value like another."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.pages import SMALLEST_CELL

K_LEAST = SMALLEST_CELL
"""So many people must share each record of a table that is given out."""

_ALL = "_all"  # alike in every row: of a list with a single column pandas warns, which pycanon hands to it

Numbers = npt.NDArray[np.int64]


def k_anonymity(table: pa.Table, columns: Sequence[str]) -> int:
    """The smallest number of rows that agree in all these columns; 0 for no rows.

    pycanon passes over a row that lacks a value, and would so call a table anonymous in which somebody stands out by
    what is missing. Columns are therefore handed to it as codes, with one code for what is missing.
    """
    from pycanon import anonymity  # noqa: PLC0415 - heavy

    if not table.num_rows:
        return 0
    held = {name: codes(table[name]) for name in columns} | {_ALL: np.zeros(table.num_rows, np.int64)}
    return int(anonymity.k_anonymity(pd.DataFrame(held), list(held)))


def codes(column: pa.ChunkedArray) -> Numbers:
    """A column's values as whole numbers; what is missing is one value, −1."""
    coded = pc.dictionary_encode(column).combine_chunks()
    return pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)


def classes(table: pa.Table, columns: Sequence[str]) -> Numbers:
    """For each row, the number from 0 of the class of rows that agree with it in all these columns."""
    found = np.zeros(table.num_rows, np.int64)
    for name in columns:
        held = codes(table[name]) + 1
        found = np.unique(found * (int(held.max(initial=0)) + 1) + held, return_inverse=True)[1]
    return found.astype(np.int64)

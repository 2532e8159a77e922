"""The account of what came in: rows in = rows kept + rows rejected, by file, table and rule. Never a value."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.ingest.plan import Arrival
from pipeline.ingest.rows import Verdict
from pipeline.workspace import digest

REJECTS = pa.schema(
    [
        pa.field("table", pa.string()),
        pa.field("file", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("rule", pa.string()),
        pa.field("column", pa.string()),
    ]
)
DUPLICATE = ("duplicate", "")


@dataclass
class Account:
    """What became of one file's rows; `refused` holds their lines by (rule, source column)."""

    arrival: Arrival
    rows_in: int = 0
    clock_repaired: int = 0
    receipt_raised: int = 0
    refused: dict[tuple[str, str], list[npt.NDArray[np.int64]]] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Count a batch."""
        self.rows_in += verdict.kept.num_rows + sum(len(lines) for lines in verdict.refused.values())
        self.clock_repaired += verdict.clock_repaired
        self.receipt_raised += verdict.receipt_raised
        for rule, lines in verdict.refused.items():
            self.refused.setdefault(rule, []).append(lines)

    def add_duplicates(self, lines: npt.NDArray[np.int64]) -> None:
        """Count rows that repeat another one."""
        if len(lines):
            self.refused.setdefault(DUPLICATE, []).append(lines)

    @property
    def rejected(self) -> Counter[str]:
        """Rows rejected, by rule."""
        counts: Counter[str] = Counter()
        for (rule, _), parts in self.refused.items():
            counts[rule] += sum(len(lines) for lines in parts)
        return counts

    @property
    def rejects(self) -> pa.Table:
        """One row per rejected row of the file."""
        parts = [(rule, column, np.concatenate(lines)) for (rule, column), lines in self.refused.items()]
        return pa.concat_tables([REJECTS.empty_table(), *(self._part(*part) for part in parts)])

    def _part(self, rule: str, column: str, lines: npt.NDArray[np.int64]) -> pa.Table:
        said = (self.arrival.source.table, self.arrival.name, None, rule, column)
        count = len(lines)
        columns = [pa.array(lines) if text is None else pa.repeat(pa.scalar(text), count) for text in said]
        return pa.table(columns, REJECTS)

    def as_dict(self) -> dict[str, Any]:
        """The account of a file as JSON values."""
        return {
            "table": self.arrival.source.table,
            "file": self.arrival.name,
            "sha256": digest(self.arrival.file.path),
            **_tally([self]),
            "dropped": self.arrival.dropped,
            "not_read": self.arrival.not_read,
        }


def rejects(accounts: Sequence[Account]) -> pa.Table:
    """All rejected rows, in the order of table, file and line."""
    together = pa.concat_tables([REJECTS.empty_table(), *(account.rejects for account in accounts)])
    return together.sort_by([(name, "ascending") for name in ("table", "file", "line")])


def by_table(accounts: Sequence[Account]) -> dict[str, dict[str, Any]]:
    """The accounts of all files of each table, added up, in the order of the mapping."""
    names = dict.fromkeys(account.arrival.source.table for account in accounts)
    return {name: _tally([a for a in accounts if a.arrival.source.table == name]) for name in names}


def _tally(accounts: Sequence[Account]) -> dict[str, Any]:
    rejected: Counter[str] = Counter()
    for account in accounts:
        rejected.update(account.rejected)
    rows_in = sum(account.rows_in for account in accounts)
    return {
        "rows_in": rows_in,
        "rows_kept": rows_in - rejected.total(),
        "rejected": dict(sorted(rejected.items())),
        "clock_repaired": sum(account.clock_repaired for account in accounts),
        "receipt_raised": sum(account.receipt_raised for account in accounts),
    }

"""The loans of a side: what was paid out, what fell due and when it was paid, as far as consent opens the record."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Flags, Floats
from pipeline.engines import read_table
from pipeline.sample import KEY
from pipeline.workspace import Workspace

DAY_S = 86_400
NEVER = 2**62
BUCKETS = ("current", "1 to 29", "30 to 59", "60 to 89", "90 or more")
BUCKET_DAYS = (1, 30, 60, 90)


@dataclass(frozen=True)
class Book:
    """`disbursed`, `amount` one element an application; the others one an instalment, `loan` naming its application.

    Times are whole seconds since 1970, `NEVER` where nothing happened by `as_of`; amounts are in minor units.
    """

    as_of: int
    disbursed: Codes
    amount: Codes
    loan: Codes
    number: Codes
    due_at: Codes
    due: Codes
    paid_at: Codes
    paid: Codes

    @property
    def is_known(self) -> bool:
        """Whether there is a record of instalments at all."""
        return len(self.loan) > 0

    @property
    def lent(self) -> Flags:
        """Which applications were paid out by `as_of`, for an amount that is known."""
        return (self.disbursed < self.as_of) & (self.amount > 0)

    def take(self, rows: Flags) -> "Book":
        """The loans of some applications."""
        place = np.cumsum(rows) - 1
        held = rows[self.loan] if len(self.loan) else np.zeros(0, np.bool_)
        kept = [getattr(self, name)[held] for name in ("number", "due_at", "due", "paid_at", "paid")]
        return Book(self.as_of, self.disbursed[rows], self.amount[rows], place[self.loan[held]], *kept)

    def days_past_due(self, at: int) -> Codes:
        """The worst days past due of each application at a moment, from instalments unpaid by then."""
        late = np.where((self.due_at < at) & (self.paid_at > at), (at - self.due_at) // DAY_S, 0)
        worst = np.zeros(len(self.disbursed), np.int64)
        np.maximum.at(worst, self.loan, late)
        return worst

    def first_past_due(self, days: int) -> Codes:
        """When each loan first stood so many days past due; `NEVER` where it has not by `as_of`."""
        reached = self.due_at + days * DAY_S
        hit = np.where((self.paid_at > reached) & (reached <= self.as_of), reached, NEVER)
        first = np.full(len(self.disbursed), NEVER)
        np.minimum.at(first, self.loan, hit)
        return first

    def first_instalment(self, days: int) -> tuple[Flags, Flags]:
        """Of which applications the first instalment is so many days old, and of which it was then unpaid."""
        reached = self.due_at + days * DAY_S
        old = (self.number == 1) & (reached <= self.as_of)
        asked, missed = (np.zeros(len(self.disbursed), np.bool_) for _ in range(2))
        asked[self.loan[old]] = True
        missed[self.loan[old & (self.paid_at > reached)]] = True
        return asked, missed

    def outstanding(self) -> Codes:
        """What is still to be paid of each loan at `as_of`, interest included."""
        owed = np.zeros(len(self.disbursed), np.int64)
        np.add.at(owed, self.loan, np.maximum(self.due - self.paid, 0))
        return np.where(self.lent, owed, 0)


def bucket(days: Codes) -> Codes:
    """The bucket of days past due, as an index into `BUCKETS`."""
    return np.searchsorted(BUCKET_DAYS, days, side="right").astype(np.int64)


def read_book(ws: Workspace, cohort: pa.Table, as_of: np.datetime64) -> Book:
    """The loans of a cohort at `as_of`: what was paid later is not yet paid, what consent does not open is not seen."""
    now = int(as_of.astype("datetime64[s]").astype(np.int64))
    path = ws.root / "ingest" / "repayments.parquet"
    nothing = [np.zeros(0, np.int64)] * 6
    rows = _instalments(read_table(path), cohort, now) if path.exists() else nothing
    disbursed = _seconds(cohort["disbursed_at"], NEVER)
    return Book(now, disbursed, _whole(cohort["amount_minor"]), *rows)


def _instalments(repayments: pa.Table, cohort: pa.Table, now: int) -> Sequence[Codes]:
    place = pc.index_in(repayments[KEY].combine_chunks(), cohort[KEY].combine_chunks())
    table = repayments.append_column("loan", place).filter(pc.is_valid(place))
    table = table.sort_by([("loan", "ascending"), ("instalment", "ascending")])
    loan, due_at = _whole(table["loan"]), _seconds(table["due_at"], NEVER)
    opened = np.ones(len(loan), np.bool_)
    if "credit_from" in cohort.column_names:
        first, last = _seconds(cohort["credit_from"], -NEVER), _seconds(cohort["credit_to"], NEVER)
        opened = (due_at >= first[loan]) & (due_at < last[loan])
    paid_at = _seconds(table["paid_at"], NEVER)
    due, paid = _whole(table["due_minor"]), _whole(table["paid_minor"])
    later = (paid_at >= now) & (paid_at < NEVER)  # paid in full after as_of: how much was paid by then is not known
    columns = (
        *(loan, _whole(table["instalment"]), due_at, due),
        *(np.where(later, NEVER, paid_at), np.where(later, 0, paid)),
    )
    return [column[opened] for column in columns]


def _seconds(moments: pa.ChunkedArray, otherwise: int) -> Codes:
    us = pc.fill_null(pc.cast(pc.cast(moments, pa.timestamp("us")), pa.int64()), -1).to_numpy()
    return np.where(pc.is_valid(moments).to_numpy(), us // 1_000_000, otherwise).astype(np.int64)


def _whole(numbers: pa.ChunkedArray) -> Codes:
    return np.asarray(pc.fill_null(pc.cast(numbers, pa.int64()), 0).to_numpy(), np.int64)


def months_on_book(book: Book, days: int, month: int) -> tuple[Flags, Floats]:
    """Which loans are `month` months of 30 days old, and whether each had been so many days past due by then."""
    end = book.disbursed + month * 30 * DAY_S
    old = book.lent & (end <= book.as_of)
    return old, (book.first_past_due(days) <= end).astype(np.float64)

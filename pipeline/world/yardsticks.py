"""What to measure on a simulated population so that it can be held against published figures."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from pipeline.world.clock import DAY, day_of_month
from pipeline.world.draws import Draws, Flags, Floats, Ints
from pipeline.world.drops import Drop
from pipeline.world.part import Drawn, drops

CELL_KM = 0.5
_OCTOBER = 9


@dataclass(frozen=True)
class Population:
    """Some people of a world with all their events in memory; one method a figure."""

    told: Drawn

    @cached_property
    def drops(self) -> dict[str, Drop]:
        """The event tables by name."""
        return dict(drops(self.told))

    def codes(self, table: str, column: str) -> Ints:
        """A dictionary-encoded column as whole numbers."""
        return np.asarray(self._labelled(table, column).indices.fill_null(-1)).astype(np.int64)

    def is_value(self, table: str, column: str, *values: str) -> Flags:
        """Whether a column holds one of the values."""
        labels = self._labelled(table, column).dictionary.to_pylist()
        return np.isin(self.codes(table, column), [labels.index(v) for v in values if v in labels])

    def amounts(self, table: str) -> Floats:
        """Rupees."""
        return np.asarray(self.drops[table].columns["amount_rupees"])

    def person_years(self, table: str) -> float:
        """How long the events of a table were watched, over all people."""
        days = self.drops[table].events.days
        return float((days.end - days.start).sum() / 365)

    def top_three_share(self) -> float:
        """Mean share of calls with the three contacts called most, of people with 30 calls or more."""
        counts, totals = self._by_rank("calls", self.codes("calls", "contact"))
        top = np.array([c[:3].sum() / c.sum() for c in counts])
        return float(top[totals >= 30].mean())

    def contacts_tail(self) -> float:
        """The 95th percentile of the number of contacts over its median."""
        counts, _ = self._by_rank("calls", self.codes("calls", "contact"))
        size = np.array([len(c) for c in counts])
        return float(np.quantile(size, 0.95) / np.median(size))

    def burstiness(self) -> float:
        """Mean of (spread − mean) / (spread + mean) of the time between calls."""
        gaps = self._gaps()
        return float(np.mean([(g.std() - g.mean()) / (g.std() + g.mean()) for g in gaps]))

    def memory(self) -> float:
        """Mean correlation of successive times between calls."""
        return float(np.mean([np.corrcoef(g[1:], g[:-1])[0, 1] for g in self._gaps()]))

    def quietest_hour(self) -> float:
        """The hour of the day with the fewest calls."""
        return float(np.argmin(np.bincount(self._hours(), minlength=24)))

    def busiest_hour(self) -> float:
        """The hour of the day with the most calls."""
        return float(np.argmax(np.bincount(self._hours(), minlength=24)))

    def night_share(self) -> float:
        """Share of calls between midnight and six."""
        return float((self._hours() < 6).mean())

    def places_unicity(self) -> float:
        """Share of people whom four of their own hours and cells single out."""
        events = self.drops["locations"].events
        return self._unicity(events.who, self._cells() * 1_000_003 + events.at // 3_600)

    def apps_unicity(self) -> float:
        """Share of people whom four of their own apps single out."""
        return self._unicity(self.drops["app_sessions"].events.who, self.codes("app_sessions", "app"))

    def gyration_km(self) -> float:
        """Median radius of gyration, kilometres."""
        events, east, north = self.drops["locations"].events, *self._kilometres()
        size = np.maximum(np.bincount(events.who), 1)
        variances = [
            np.bincount(events.who, v * v) / size - (np.bincount(events.who, v) / size) ** 2 for v in (east, north)
        ]
        return float(np.median(np.sqrt(np.maximum(variances[0] + variances[1], 0))[size >= 20]))

    def top_place_share(self) -> float:
        """Mean share of fixes in the most frequent cell."""
        counts, totals = self._by_rank("locations", self._cells())
        return float(np.array([c[0] / c.sum() for c in counts])[totals >= 20].mean())

    def place_exponent(self) -> float:
        """How steeply visits fall by the rank of a place: minus the log-log slope over the first eight ranks."""
        counts, totals = self._by_rank("locations", self._cells())
        shares = [c[:8] / c.sum() for c, n in zip(counts, totals, strict=True) if n >= 60 and len(c) >= 8]
        return float(-np.polyfit(np.log(np.arange(1, 9)), np.log(np.mean(shares, axis=0)), 1)[0])

    def handset_changes(self) -> float:
        """Changes of handset a person and year."""
        events, device = self.drops["devices"].events, self.codes("devices", "device")
        changed = (events.who[1:] == events.who[:-1]) & (device[1:] != device[:-1])
        return float(changed.sum() / self.person_years("devices"))

    def merchant_count_share(self) -> float:
        """Share of payments to merchants and billers among those and payments between persons."""
        merchant, person = self._sides()
        return float(merchant.sum() / (merchant.sum() + person.sum()))

    def ticket_ratio(self) -> float:
        """Mean payment between persons over mean payment to a merchant."""
        merchant, person = self._sides()
        return float(self.amounts("payments")[person].mean() / self.amounts("payments")[merchant].mean())

    def gigabytes_a_month(self) -> float:
        """Mean mobile data a month, gigabytes, of days reported."""
        return float(self.drops["data_usage"].columns["bytes_total"].mean() * 30.4 / 1e9)

    def session_seconds(self) -> float:
        """Mean length of one use of an app."""
        return float(self.drops["app_sessions"].columns["duration_s"].mean())

    def talking_apps_share(self) -> float:
        """Share of app uses that are messaging or social."""
        return float(self.is_value("app_sessions", "app_category", "messaging", "social").mean())

    def october_over_year(self) -> float:
        """Payments a day in October over the mean of the months, each person against the own level."""
        events = self.drops["payments"].events
        days = events.days
        seen = np.bincount(_month(days.day), minlength=12)
        expected = np.bincount(events.who, minlength=days.people.size) / (days.end - days.start)
        should = np.bincount(_month(days.day), expected[days.who], minlength=12)
        level = np.bincount(_month(events.day), minlength=12) / np.where(seen > 0, should, np.nan)
        return float(level[_OCTOBER] / np.nanmean(level))

    def after_payday(self) -> float:
        """Merchant payments a day in the five days after a salary over those of other days, salaried people."""
        events, shop = self.drops["payments"].events, self.is_value("payments", "payment_type", "merchant")
        paid = self.is_value("payments", "payment_type", "salary")
        since = _days_since(events.who, events.day, paid)
        near, far = shop & (since >= 0) & (since < 5), shop & (since >= 5) & (since < 25)
        return float((near.sum() / 5) / (far.sum() / 20))

    def entry_over_upper(self) -> float:
        """True default rate on entry handsets over that on upper and flagship ones."""
        tier, events = self.codes("devices", "price_tier"), self.drops["devices"].events
        latest = np.full(self.told.people.size, -1)
        latest[events.who] = tier
        own = latest[self.told.loans.who]
        return float(self.told.loans.pd[own == 0].mean() / self.told.loans.pd[own >= 2].mean())

    def _labelled(self, table: str, column: str) -> pa.DictionaryArray:
        found = self.drops[table].columns[column]
        if not isinstance(found, pa.DictionaryArray):
            raise TypeError(f"column '{column}' of {table} is not dictionary-encoded")
        return found

    def _by_rank(self, table: str, codes: Ints) -> tuple[list[Ints], Ints]:
        """Each person's counts by code, the largest first, and their sums."""
        who = self.drops[table].events.who
        pairs, counts = np.unique(np.stack([who, codes]), axis=1, return_counts=True)
        split = np.split(counts, np.flatnonzero(np.diff(pairs[0])) + 1)
        ranked = [np.sort(c)[::-1] for c in split]
        return ranked, np.array([c.sum() for c in ranked])

    def _gaps(self) -> list[Floats]:
        events = self.drops["calls"].events
        order = np.argsort(events.who * (1 << 40) + events.at, kind="stable")
        who, at = events.who[order], events.at[order]
        gaps = [np.diff(a).astype(np.float64) for a in np.split(at, np.flatnonzero(np.diff(who)) + 1)]
        return [g for g in gaps if len(g) >= 30 and g.std() > 0]

    def _hours(self) -> Ints:
        return self.drops["calls"].events.at % DAY // 3_600

    def _kilometres(self) -> tuple[Floats, Floats]:
        columns = self.drops["locations"].columns
        latitude, longitude = np.asarray(columns["latitude"]), np.asarray(columns["longitude"])
        return longitude * 111.2 * np.cos(np.radians(latitude)), latitude * 111.2

    def _cells(self) -> Ints:
        east, north = self._kilometres()
        return np.floor(east / CELL_KM).astype(np.int64) * 100_000 + np.floor(north / CELL_KM).astype(np.int64)

    def _sides(self) -> tuple[Flags, Flags]:
        kind = ("merchant", "utility", "dth", "recharge")
        return self.is_value("payments", "payment_type", *kind), self.is_value("payments", "payment_type", "p2p")

    def _unicity(self, who: Ints, points: Ints) -> float:
        """Share of people for whom four random points of their own belong to nobody else together."""
        owners: dict[int, set[int]] = {}
        pairs = np.unique(np.stack([who, points]), axis=1)
        for person, point in pairs.T.tolist():
            owners.setdefault(point, set()).add(person)
        single, asked = 0, 0
        for person, own in enumerate(np.split(pairs[1], np.flatnonzero(np.diff(pairs[0])) + 1)):
            if len(own) < 4:
                continue
            order = np.argsort(Draws.of(person, own % (1 << 40)).uniform("points"))
            asked += 1
            single += len(set.intersection(*(owners[p] for p in own[order[:4]].tolist()))) == 1
        return single / max(asked, 1)


def _month(day: Ints) -> Ints:
    """The calendar month of a day, from 0, by way of its first day."""
    first = (day - day_of_month(day) + 1).astype("datetime64[D]")
    return first.astype("datetime64[M]").astype(np.int64) % 12


def _days_since(who: Ints, day: Ints, flags: Flags) -> Ints:
    """Days since the latest flagged row of the same person; −1 before the first."""
    row = np.maximum.accumulate(np.where(flags, np.arange(len(who)), -1))
    known = (row >= 0) & (who[row] == who)
    return np.where(known, day - day[row], -1)

"""Workspaces of worlds without events: a lender's books as they are found at a moment, for studies of monitoring."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.drift_shown import drifted
from features.catalogue import all_features, specs_of
from pipeline import label
from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.workspace import Workspace, write_json
from pipeline.world import direct
from pipeline.world.clock import DAY, ZONE_SECONDS, Span
from pipeline.world.knobs import Knobs
from pipeline.world.loans import CHANNELS, DUE_DAYS
from pipeline.world.part import Drawn, Part, drawn
from saakh.errors import EmptyInputError
from saakh.spec import FeatureSpec

END = datetime(2026, 6, 1, tzinfo=UTC)
SPAN = Span.of(END, 480, 150)
PAISE = 100


@dataclass(frozen=True)
class World:
    """A world's applications with features, and all that followed."""

    told: Drawn
    taken: direct.Sample
    specs: Sequence[FeatureSpec]
    seed: int


@cache
def catalogue() -> dict[str, FeatureSpec]:
    """The catalogue's columns by name."""
    return {spec.name: spec for spec in specs_of(all_features())}


@cache
def columns() -> direct.Measured:
    """The columns the catalogue still has, without those that are nearly always missing."""
    known, how = catalogue(), direct.measured()
    at = [i for i, name in enumerate(how.names) if name in known and how.missing[i] < 0.9]
    return direct.Measured(**{f: [getattr(how, f)[i] for i in at] for f in direct.Measured.__dataclass_fields__})


def world(people: int, seed: int, knobs: Knobs, *, behaves: bool = True) -> World:
    """Draw a world. Without `behaves`, a drift is in repayments alone."""
    how, known = columns(), catalogue()
    told = drawn(Part(0, 1, people, seed, knobs, SPAN))
    taken = direct.sample(1, people, seed, knobs, SPAN, how)
    if behaves and knobs.drift_behaviour:
        since = SPAN.end_day - knobs.drift_days_before
        month = np.floor((taken.applied_at // DAY - since) / 30).astype(np.int64)
        taken = replace(taken, x=drifted(taken.x, how, month))
    return World(told, taken, [known[n] for n in how.names], seed)


def params_at(root: Path, as_of: datetime, seed: int, **changed: object) -> Params:
    """Parameters of a run at a moment."""
    asked = {"policy": "explicit-consent", "as_of": as_of, "workspace": root, "seed": seed, "threads": 1}
    asked |= {"evaluate": {"resamples": 100}, "export": {"replay_rows": 50}}
    return Params.model_validate(asked | changed)


def write(told: World, params: Params, since: datetime | None = None, purpose: str = "train") -> None:
    """Write what ingest to derive would have left at `as_of`, of applications from `since` on, and label them."""
    ws, lent = Workspace(params.workspace), told.told.loans
    applied = lent.applied_at - ZONE_SECONDS
    first = -np.inf if since is None else since.timestamp()
    rows = np.flatnonzero((applied >= first) & (applied < params.as_of.timestamp()))
    key = pa.array([f"{i:032x}" for i in rows])
    person = pa.array([f"{p:032x}" for p in told.taken.person[rows]])
    paid_out = _moments(lent.disbursed_at[rows])
    loan = {"amount_minor": lent.rupees[rows] * PAISE, "tenor_days": lent.dues[rows] * DUE_DAYS}
    loan |= {"rate_bp_month": lent.rate_bp[rows]}
    names = {"application_id": key, "person_id": person, "applied_at": _moments(lent.applied_at[rows])}
    open_from, open_to = (pa.array([datetime(year, 1, 1)] * len(rows), pa.timestamp("us")) for year in (2000, 2100))
    asked = {"snapshot_at": names["applied_at"], "asked_at": names["applied_at"], "disbursed_at": paid_out, **loan}
    write_table(
        ws.stage("cohort") / "cohort.parquet",
        pa.table(names | asked | {"credit_from": open_from, "credit_to": open_to}),
    )
    write_json(ws.stage("cohort") / "cohort.json", {"purpose": purpose})
    channel = pa.array([CHANNELS[c] for c in lent.channel[rows]])
    more = {"channel": channel, "outcome": pa.nulls(len(rows), pa.string())}
    accepted = {"is_accepted": pa.array(lent.is_accepted[rows]), "disbursed_at": paid_out}
    write_table(ws.stage("ingest") / "applications.parquet", pa.table(names | accepted | loan | more))
    write_table(ws.stage("ingest") / "repayments.parquet", _repayments(told, rows, key, person, params.as_of))
    write_table(ws.stage("ingest") / "consents.parquet", pa.table({"basis": ["explicit"]}))
    values = {s.name: pa.array(told.taken.x[rows, i], from_pandas=True) for i, s in enumerate(told.specs)}
    write_table(ws.stage("derive") / "features.parquet", pa.table({"application_id": key, **values}))
    write_json(ws.stage("derive") / "specs.json", [spec.as_dict() for spec in told.specs])
    write_json(ws.stage("derive") / "derive.json", {"policies": list(params.policy)})
    sources = sorted({spec.table for spec in told.specs})
    write_table(ws.stage("derive") / "coverage.parquet", pa.concat_tables(_coverage(s, key) for s in sources))
    try:
        label.run(params, ws)
    except EmptyInputError:
        (ws.root / "label" / "labels.parquet").unlink(missing_ok=True)  # nothing has matured yet


def _coverage(source: str, key: pa.Array) -> pa.Table:
    told = {"application_id": key, "source": [source] * len(key), "status": ["present"] * len(key)}
    return pa.table(told | {"days_seen": pa.array(np.full(len(key), 90))})


def _repayments(told: World, rows: np.ndarray, key: pa.Array, person: pa.Array, as_of: datetime) -> pa.Table:
    """The instalments of these loans, as far as they are paid by then."""
    repaid, now = told.told.repaid, int(as_of.timestamp()) + ZONE_SECONDS
    place = np.full(len(told.told.loans.who), -1)
    place[rows] = np.arange(len(rows))
    of_these = place[repaid.loan] >= 0
    at, paid_at = place[repaid.loan[of_these]], repaid.paid_at[of_these]
    is_paid = (paid_at >= 0) & (paid_at < now)
    due = np.rint(repaid.due_rupees[of_these] * PAISE).astype(np.int64)
    return pa.table(
        {
            "application_id": key.take(pa.array(at)),
            "person_id": person.take(pa.array(at)),
            "instalment": pa.array(repaid.instalment[of_these]),
            "due_at": _moments(repaid.due_at[of_these]),
            "due_minor": pa.array(due),
            "paid_at": pa.array(np.array(_moments(paid_at)), mask=~is_paid),
            "paid_minor": pa.array(np.where(is_paid, due, 0)),
        }
    )


def _moments(local: np.ndarray) -> pa.Array:
    return pa.array(((local - ZONE_SECONDS) * 1_000_000).astype("datetime64[us]"))


def month_after(begins: datetime, months: int) -> datetime:
    """So many months of thirty days later."""
    return begins + timedelta(days=30 * months)

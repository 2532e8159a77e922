"""A tiny lender without ingest: canonical tables in, and by the real stages features, model, scorecard, scores out."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import pyarrow as pa

from features.catalogue import all_features
from features.columns import Category, Table
from features.tables import BY_NAME, EVENT_TABLES, applications, repayments
from pipeline import cohort, derive, evaluate, label, train
from pipeline.bundle import Bundle
from pipeline.engines import read_table, write_table
from pipeline.export import build
from pipeline.gate import Bounds
from pipeline.params import Params
from pipeline.policy import barred_tables, bounds_for, read_policies
from pipeline.sample import read_sample, read_specs
from pipeline.workspace import Workspace, write_json
from saakh import archive
from saakh.scorecard import Scorecard
from tests.property.ledgers import AS_OF, DAY, Crowd, Person, Row, Rows, changed, event, is_hidden, person, plain

LOANS = "loan_events"
READ = ("topups", "payments", "calls", "messages", "locations", "people", LOANS)
FEATURES_A_TABLE = 3


def lender(rng: Random, people: int, policies: tuple[str, ...]) -> Crowd:
    """People with random ledgers, most of whom agreed to their credit record; behaviour that tells who repays."""
    found = [someone(rng, f"p{n:04d}") for n in range(people)]
    return Crowd(found, "train", bounds_for(read_policies(policies), "train"))


def someone(rng: Random, name: str) -> Person:
    """A person whose loans went as their top-ups did."""
    who = person(rng, name, "train", days_ago=(100, 460))
    for category in Category:
        if rng.random() < (0.85 if category is Category.CREDIT else 0.5):
            clean = plain(rng, name, "train", AS_OF) | {"category": category.value, "expires_at": None}
            who.ledger.append(clean | {"revoked_at": None, "data_from": None, "data_to": None})
    risk = rng.random()
    for table in EVENT_TABLES:
        most = 1 + round(20 * risk) if table.name == "topups" else 4
        who.events[table.name] = [event(rng, table, who) for _ in range(rng.randrange(0, most))]
    who.events["applications"] = [application(rng, who, n) for n in range(len(who.snapshots))]
    who.events["repayments"] = [
        instalment(rng, who, n, k, risk) for n in range(len(who.snapshots)) for k in range(1, 4)
    ]
    return who


def application(rng: Random, who: Person, number: int) -> Row:
    """A loan that was granted."""
    at = who.snapshots[number]
    row = event(rng, applications, who) | {"application_id": f"{who.name}-{number}", "applied_at": at}
    return row | {"is_accepted": True, "disbursed_at": at + timedelta(hours=1), "outcome": None, "tenor_days": 90}


def instalment(rng: Random, who: Person, loan: int, number: int, risk: float) -> Row:
    """An instalment, paid late or never the more often the higher the risk."""
    due = who.snapshots[loan] + number * 25 * DAY
    late = rng.choice([0, 40, None]) if rng.random() < risk**2 else 0
    paid = None if late is None else due + late * DAY
    keys = {"application_id": f"{who.name}-{loan}", "person_id": who.name, "instalment": number}
    return keys | {"due_at": due, "due_minor": 100_000, "paid_at": paid, "paid_minor": 0 if paid is None else 100_000}


def unseen_changed(rng: Random, crowd: Crowd, policies: tuple[str, ...]) -> Callable[[Person], Rows]:
    """How a person's events are changed where nothing may read them: without consent, or in a table that is barred."""
    barred = barred_tables(read_policies(policies))

    def of(who: Person) -> Rows:
        hides = partial(_hides, who, crowd.bounds, barred)
        return changed(rng, who, hides, partial(_another, rng, who))

    return of


def _hides(who: Person, bounds: Bounds, barred: frozenset[str], table: Table, row: Row) -> bool:
    return table.name in barred or is_hidden(who, table, row, "train", bounds)


def _another(rng: Random, who: Person, table: Table) -> Row:
    """Another row of the table about the person; loans and instalments with numbers of their own."""
    row, number = event(rng, table, who), rng.randrange(10, 10**9)
    if table is applications:
        return row | {"application_id": f"{who.name}-{number}"}
    if table is repayments:
        return row | {"application_id": f"{who.name}-{rng.randrange(len(who.snapshots))}", "instalment": number}
    return row


def params_for(root: Path, policies: tuple[str, ...]) -> Params:
    """Parameters of a run on few features, small trees, and few of them."""
    kept: dict[str, int] = {}
    leave_out = []
    for feature in all_features():
        kept[feature.table.name] = kept.get(feature.table.name, 0) + 1
        if feature.table.name not in READ or kept[feature.table.name] > FEATURES_A_TABLE:
            leave_out.append(feature.name)
    return Params.model_validate(
        {
            "as_of": f"{AS_OF.isoformat()}Z",
            "policy": policies,
            "workspace": root,
            "threads": 1,
            "memory_gb": 1,
            "derive": {"leave_out": leave_out},
            "train": {"folds": 2, "rounds_max": 20, "leaf_rows_min": 10, "learning_rate": 0.3, "lambda_l2": 1},
            "evaluate": {"resamples": 100},
        }
    )


def run(root: Path, tables: Mapping[str, pa.Table], policies: tuple[str, ...]) -> dict[str, str]:
    """The digest of everything that a run on these canonical tables comes to, by name."""
    params, ws = params_for(root, policies), Workspace(root)
    for name, rows in tables.items():
        if len(rows):
            write_table(
                root / "ingest" / f"{name}.parquet", rows.sort_by([(c, "ascending") for c in BY_NAME[name].key])
            )
    people = sorted(set(tables["applications"]["person_id"].to_pylist()))
    slots = pa.table({"person_id": people, "slot": pa.array([int(name[1:]) for name in people], pa.int64())})
    write_table(root / "ingest" / "shards.parquet", slots)
    for stage in (cohort, label, derive):
        stage.run(params, ws)
    specs = read_specs(ws)
    sample = read_sample(ws, specs)
    train.write(params, ws, specs, sample, train.learn(params, specs, sample))
    metrics = evaluate.evaluate(params, *evaluate.read_scored(ws))
    write_json(root / "evaluate/metrics.json", {"model_sha256": _file(root / "train/model.txt")} | metrics)
    body = build(Bundle.from_workspace(ws, params))
    found = {
        f"{stage}/{p.name}": _file(p) for stage in ("derive", "train", "evaluate") for p in (root / stage).iterdir()
    }
    scores = _scores(Scorecard.from_members(archive.unpack(body)), read_table(root / "derive/features.parquet"))
    return found | {"scorecard": hashlib.sha256(body).hexdigest(), "scores": hashlib.sha256(scores).hexdigest()}


def _scores(card: Scorecard, features: pa.Table) -> bytes:
    rows = features.select(card.features).to_pylist()
    told = [(s.points, s.pd, s.band, [r.code for r in s.reasons]) for s in map(card.score, rows)]
    return json.dumps(told).encode()


def _file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

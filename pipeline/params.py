"""Every number a run depends on, read once from `params.yaml` and passed down. Unknown keys are errors."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from features.calendar import CALENDAR, Calendar
from features.columns import PURPOSES
from pipeline.sections import (
    DAYS_MAX,
    Compare,
    Decide,
    Evaluate,
    Explain,
    Fairness,
    InputPolicy,
    Membership,
    Minimise,
    Monitor,
    Optimise,
    Proxies,
    Reidentify,
    Section,
    Selfcheck,
    Share,
    Train,
    Tune,
    Validate,
)
from pipeline.tuned import with_tuned
from pipeline.yamls import problems, read_yaml
from saakh.errors import ConfigError
from saakh.manifest import SEMVER


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("needs a time zone, as in 2026-06-01T00:00:00Z")
    return moment.astimezone(UTC)


def _purpose(name: str) -> str:
    if name not in PURPOSES:
        raise ValueError(f"no such purpose; there are {', '.join(PURPOSES)}")
    return name


def _each_once(names: Any) -> Any:
    """One name or several, in an order of its own, so that the order they were given in does not show."""
    names = [names] if isinstance(names, str) else names
    return sorted(set(names)) if isinstance(names, (list, tuple)) and all(isinstance(n, str) for n in names) else names


def _rising(cutoffs: tuple[float, ...]) -> tuple[float, ...]:
    if list(cutoffs) != sorted(set(cutoffs)) or len(cutoffs) > CUTOFFS_MAX:
        raise ValueError(f"cut-offs must rise, and be {CUTOFFS_MAX} at most, as in [480, 520, 560, 600]")
    return cutoffs


def _expanded(path: Any) -> Any:
    """`${NAME}` and `${NAME:-otherwise}` in a path as in a shell: for data whose place differs between machines."""

    def value(match: re.Match[str]) -> str:
        name, otherwise = match.group(1), match.group(2)
        if found := os.environ.get(name) or otherwise:
            return found
        raise ValueError(f"the environment variable {name} is not set; set it, or write ${{{name}:-a default}}")

    return _VARIABLE.sub(value, path) if isinstance(path, str) else path


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
Moment = Annotated[datetime, AfterValidator(_utc)]
Place = Annotated[Path, BeforeValidator(_expanded)]
Purpose = Annotated[str, AfterValidator(_purpose)]
Ring = Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$")]
Policies = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_each_once)]
Hour = Annotated[int, Field(ge=0, le=24)]
Weekday = Annotated[int, Field(ge=0, le=6)]
CUTOFFS_MAX = 25
"""Bands are called A to Z."""


class Spark(Section):
    """Where Spark runs under `engine: spark`, and what it is told; see docs/spark.md.

    At None, `master` is what `spark-submit` says, else `local[threads]`. `tables` is where canonical tables lie when
    not in the workspace: the address of a folder (`s3a://...`), or a namespace of a catalogue (`lake.saakh`). With
    `trains`, shards are grown by executors, which must then have this package.
    """

    master: str | None = None
    tables: str | None = None
    settings: Mapping[str, str | bool | int | float] = {}
    trains: bool = False


class Simulate(Section):
    """How large a world to draw, over how many days people first apply, how many days of events come before at most.

    Raw drops go to `out`, and apart from them the truth to `oracle`.
    """

    out: Path = Path("data/raw/sample")
    oracle: Path = Path("data/oracle")
    world: str = "base"
    people: int = Field(1_700, ge=1)
    span_days: int = Field(480, ge=1)
    history_days: int = Field(150, ge=1)


class Ingest(Section):
    """Where the raw drops are and how they are read; times before `earliest` or too long after `as_of` are rejected.

    `source` may hold `${NAME:-otherwise}`, an environment variable with a default. The key of pseudonyms lies in a
    file, in an environment variable, or in the system's keyring as `service/name`: one of the three. So does the key of
    shards; where none is named, it is made of the key of pseudonyms.
    """

    source: Place = Path("data/raw/sample")
    mapping: Path = Path("data/mappings/sample.yaml")
    key_file: Path | None = None
    key_env: str | None = None
    key_ring: Ring | None = None
    shard_key_file: Path | None = None
    shard_key_env: str | None = None
    shard_key_ring: Ring | None = None
    earliest: Moment = datetime(2000, 1, 1, tzinfo=UTC)
    days_after_as_of_max: int = Field(366, ge=0, le=DAYS_MAX)


class Check(Section):
    """What share of rows may be rejected on arrival before the run stops."""

    rejected_share_max: Share = 0.05
    freshness_days_max: int | None = Field(None, ge=1, le=DAYS_MAX)


class Cohort(Section):
    """Which applications are asked about, and for what purpose.

    With `declined`, a cohort to train on also has those that were not granted: nothing is learned from them, but they
    are scored, so that `evaluate` tells of everybody who came through the door.
    """

    purpose: Purpose = "train"
    declined: bool = False
    applied_from: Moment | None = None
    applied_before: Moment | None = None


class Label(Section):
    """When a loan counts as bad: `dpd_days` past due within the performance window.

    From `indeterminate_dpd_days` up to it, indeterminate.
    """

    performance_window_days: int = Field(90, ge=1, le=DAYS_MAX)
    dpd_days: int = Field(30, ge=1, le=DAYS_MAX)
    indeterminate_dpd_days: int = Field(15, ge=1, le=DAYS_MAX)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.indeterminate_dpd_days > self.dpd_days:
            raise ValueError(
                f"indeterminate_dpd_days is {self.indeterminate_dpd_days}; it must not exceed dpd_days, {self.dpd_days}"
            )
        return self


class Derive(Section):
    """What to leave out: features, families or tables, by name; and what night and weekend mean where people live.

    With `splits`, also the columns on a part of a window (weekends, nights): twice as many, for little or no gain. The
    night is the hours `[night_hours[0], night_hours[1])`, past midnight when they fall; days count from Monday, 0.
    """

    leave_out: tuple[str, ...] = ()
    splits: bool = False
    night_hours: tuple[Hour, Hour] = (CALENDAR.night_from, CALENDAR.night_to)
    weekend_days: tuple[Weekday, ...] = CALENDAR.weekend

    @property
    def calendar(self) -> Calendar:
        """The calendar that features are measured by."""
        return Calendar(*self.night_hours, tuple(sorted(set(self.weekend_days))))


class Export(Section):
    """The scorecard's version and its scale: `base_points` at `base_odds` good to one bad, `pdo` points double them.

    With `decides`, it carries the lending terms of `decide.terms`. `inputs` is its input policy.
    """

    version: str = Field("0.1.0", pattern=f"^{SEMVER}$")
    base_points: float = Field(600.0, ge=-1e6, le=1e6)
    base_odds: float = Field(50.0, ge=1e-6, le=1e6)
    pdo: float = Field(20.0, ge=1e-3, le=1e6)
    bands: Annotated[tuple[float, ...], AfterValidator(_rising)] = (480.0, 520.0, 560.0, 600.0)
    replay_rows: int = Field(1_000, ge=1)
    decides: bool = False
    inputs: InputPolicy = InputPolicy()


class Audit(Section):
    """Who acts in the audit log (by default, the operating system's user), and the key that signs its heads."""

    actor: str | None = Field(None, pattern="^[A-Za-z][A-Za-z0-9._@+-]{0,63}$")
    key_file: Place | None = None


class Retention(Section):
    """The key of the sealed store, apart from every other key: `saakh key new FILE` makes one."""

    key_file: Place | None = None


class Params(Section):
    """All parameters of a run. `policy` names one or several (`saakh policy list`), and has no default."""

    model_config = ConfigDict(serialize_by_alias=True)

    as_of: Moment
    policy: Policies
    seed: int = Field(1, ge=0, le=2**31 - 1)
    workspace: Path = Path("data/sample")
    threads: int = Field(2, ge=1, le=1_024)
    memory_gb: float = Field(4.0, ge=0.25, le=1e6)
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark: Spark = Spark()
    simulate: Simulate = Simulate()
    ingest: Ingest = Ingest()
    check: Check = Check()
    cohort: Cohort = Cohort()
    label: Label = Label()
    derive: Derive = Derive()
    train: Train = Train()
    evaluate: Evaluate = Evaluate()
    selfcheck: Selfcheck = Selfcheck()
    compare: Compare = Compare()
    tune: Tune = Tune()
    explain: Explain = Explain()
    export: Export = Export()
    minimise: Minimise = Minimise()
    proxies: Proxies = Proxies()
    membership: Membership = Membership()
    fairness: Fairness = Fairness()
    decide: Decide = Decide()
    optimise: Optimise = Optimise()
    monitor: Monitor = Monitor()
    audit: Audit = Audit()
    reidentify: Reidentify = Reidentify()
    retention: Retention = Retention()
    validation: Validate = Field(Validate(), alias="validate")  # BaseModel has a method of the section's name

    @property
    def policies(self) -> str:
        """The policies' names in words."""
        return " + ".join(self.policy)


def read_params(path: Path, policy: Sequence[str] = ()) -> Params:
    """The parameters in a YAML file; every fault is named by its key, with what was expected.

    Policies that are named beside it take the place of those it names.
    """
    told = with_tuned(read_yaml(path) | ({"policy": list(policy)} if policy else {}))
    try:
        return Params.model_validate(told)
    except ValidationError as error:
        hint = "; `saakh policy list` shows the policies" if "policy" not in told else ""
        raise ConfigError(f"{path}: {problems(error)}{hint}") from None

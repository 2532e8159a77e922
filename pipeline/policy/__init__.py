"""Policies: what a law, or a lender's own rule, bars a score from measuring, and bounds. A dated file each, cited."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from pipeline.gate import Bounds
from pipeline.policy.bars import allowed, barred_by, barred_tables
from pipeline.policy.schema import BOUNDED, Policy, Reasons, Retention, in_words, strictest_bounds
from pipeline.yamls import problems, read_yaml
from saakh.errors import ConfigError

__all__ = [
    "BOUNDED",
    "POLICIES",
    "Policy",
    "allowed",
    "barred_by",
    "barred_tables",
    "bounds_for",
    "in_words",
    "names",
    "read_policies",
    "read_policy",
    "reasons_of",
    "retention_of",
]
POLICIES = Path(__file__).parents[2] / "data" / "policies"


def read_policies(asked: Iterable[str], folder: Path = POLICIES) -> tuple[Policy, ...]:
    """The policies of these names, all of which hold at once."""
    return tuple(read_policy(name, folder) for name in asked)


def read_policy(name: str, folder: Path = POLICIES) -> Policy:
    """The policy of that name; a `ConfigError` lists what there is, and every fault of a file by its key."""
    there = names(folder)
    if name not in there:
        raise ConfigError(f"no policy '{name}' in {folder}; there are {', '.join(there) or 'none'}")
    path = folder / f"{name}.yaml"
    try:
        policy = Policy.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {problems(error)}") from None
    if policy.name != name:
        raise ConfigError(f"{path} calls itself '{policy.name}'; a policy is called as its file is")
    return policy


def names(folder: Path = POLICIES) -> tuple[str, ...]:
    """The policies there are."""
    return tuple(sorted(path.stem for path in folder.glob("*.yaml")))


def bounds_for(policies: Iterable[Policy], purpose: str) -> Bounds:
    """What an artefact may be for a purpose under all of these policies."""
    return strictest_bounds(policy.bounds_for(purpose) for policy in policies)


def retention_of(policies: Iterable[Policy]) -> Retention:
    """When to erase, how long to keep at most, and how long a sealed copy: all causes, the shortest, the longest."""
    asked = [policy.retention for policy in policies]
    kept = [one.keep_days_max for one in asked if one.keep_days_max is not None]
    return Retention(
        erase_on=tuple(dict.fromkeys(cause for one in asked for cause in one.erase_on)),
        keep_days_max=min(kept, default=None),
        hold=max((one.hold for one in asked if one.hold), key=lambda hold: hold.days, default=None),
    )


def reasons_of(policies: Iterable[Policy]) -> Reasons:
    """What may be told under all of these: the fewest reasons, no phrase that any bans, the shortest notice."""
    asked = [policy.reasons for policy in policies]
    return Reasons(
        most=min((one.most for one in asked if one.most is not None), default=None),
        banned=tuple(dict.fromkeys(phrase for one in asked for phrase in one.banned)),
        notice_days_max=min((one.notice_days_max for one in asked if one.notice_days_max is not None), default=None),
    )

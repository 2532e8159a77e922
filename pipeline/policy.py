"""Policies: what a law, or a lender's own rule, bars a score from measuring. One dated file each, with its citation."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from features.catalogue import named
from features.columns import Sensitivity
from features.declare import REGISTRY, Feature
from features.graph import FEATURES as GRAPH_FEATURES
from features.graph import loan_outcomes, social_graph
from features.joined import JOINED
from features.tables import BY_NAME, contact_names
from pipeline.params import Section, problems, read_yaml
from saakh.errors import ConfigError
from saakh.spec import Family, FeatureSpec

POLICIES = Path(__file__).parents[1] / "data" / "policies"
TABLES = {t.name: t for t in (*BY_NAME.values(), *JOINED, contact_names, loan_outcomes, social_graph)}
OF_GRAPH = {column: feature for feature in GRAPH_FEATURES for column in feature.columns}


def _table(name: str) -> str:
    if name not in TABLES:
        raise ValueError(f"no table '{name}'; there are {', '.join(TABLES)}")
    return name


def _column(name: str) -> str:
    table, _, column = name.partition(".")
    if table not in TABLES or column not in TABLES[table].by_name:
        raise ValueError(f"no column '{name}'; write table.column, as in devices.sim_id")
    return name


def _feature(name: str) -> str:
    if name not in REGISTRY and name not in {feature.name for feature in GRAPH_FEATURES}:
        raise ValueError(f"no feature '{name}'; `saakh features list` shows them all")
    return name


def _beyond_ordinary(sensitivity: Sensitivity) -> Sensitivity:
    if sensitivity not in (Sensitivity.SENSITIVE, Sensitivity.LIFE_EVENT):
        raise ValueError(f"'{sensitivity}' is no policy's to say: ordinary is allowed, protected is the audit's alone")
    return sensitivity


Beyond = Annotated[Sensitivity, AfterValidator(_beyond_ordinary)]


class Barred(Section):
    """What may not be measured, whatever else a policy allows.

    `columns` are written `table.column`. A bar on a table or a column holds for the tables joined of it too.
    """

    tables: tuple[Annotated[str, AfterValidator(_table)], ...] = ()
    columns: tuple[Annotated[str, AfterValidator(_column)], ...] = ()
    families: tuple[Family, ...] = ()
    features: tuple[Annotated[str, AfterValidator(_feature)], ...] = ()
    sensitivities: tuple[Beyond, ...] = ()


class Allows(Section):
    """What needs leave: sensitivities beyond ordinary, and features of the graph of all people."""

    sensitivities: tuple[Beyond, ...] = ()
    social_graph: bool = False


class Policy(Section):
    """One policy: whose rule it is, since when, where it is written, what it bars, and what it gives leave for."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str = Field(min_length=1)
    jurisdiction: str = Field(min_length=1)
    in_force_from: date
    citation: str = Field(min_length=1)
    barred: Barred = Barred()
    allows: Allows = Allows()

    @model_validator(mode="after")
    def _of_one_mind(self) -> Self:
        if both := sorted(set(self.barred.sensitivities) & set(self.allows.sensitivities)):
            raise ValueError(f"bars and allows the same sensitivity: {', '.join(both)}")
        return self


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


def allowed(measured: Feature | FeatureSpec, policies: Iterable[Policy]) -> bool:
    """Whether every one of these policies lets a feature be measured."""
    return not barred_by(measured, policies)


def barred_by(measured: Feature | FeatureSpec, policies: Iterable[Policy]) -> str:
    """Which policy bars a feature, and why, in words; nothing when none does.

    Policies add up: a feature is measured when all of them let it be. A spec is judged by the declaration of its name.
    """
    feature = measured if isinstance(measured, Feature) else _declared(measured.name)
    found = (f"{policy.name} {why}" for policy in policies if (why := _why(policy, feature)))
    return next(found, "")


def _declared(column: str) -> Feature:
    return OF_GRAPH[column] if column in OF_GRAPH else named(column)


def _why(policy: Policy, feature: Feature) -> str:
    barred, made_of, told = policy.barred, (feature.table.name, *feature.table.sources), feature.sensitivity
    reads = [f"{table}.{column}" for table in made_of for column in feature.lineage]
    tables = [table for table in made_of if table in barred.tables]
    columns = [column for column in reads if column in barred.columns]
    graph = social_graph.name in made_of and not policy.allows.social_graph
    beyond = told is not Sensitivity.ORDINARY and told not in policy.allows.sensitivities
    reasons = (
        (feature.name in barred.features, f"bars the feature {feature.name}"),
        (feature.family in barred.families, f"bars the family {feature.family}"),
        (tables, f"bars the table {', '.join(tables)}"),
        (columns, f"bars the column {', '.join(columns)}"),
        (told in barred.sensitivities, f"bars what is of sensitivity {told}"),
        (beyond, f"does not allow what is of sensitivity {told}"),
        (graph, "does not allow the graph of all people"),
    )
    return next((reason for holds, reason in reasons if holds), "")

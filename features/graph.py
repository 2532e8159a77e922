"""The graph of all people: who is in touch with whom, where known defaults lie, what that says about an applicant.

Here another person's events speak about the applicant, so the whole module is off unless a policy allows it, and every
feature is of sensitivity `sensitive`. The features are expressions over `social_graph`, whose counts `pipeline.graph`
makes once for a cohort; they stay out of the registry, since no plan over an applicant's own rows can measure them.

The rules: an edge needs the consent of the person whose event it is; a person is found behind a contact by their own
consent alone; a default counts by the consent of whose default it is, and never for the person themselves; whoever has
not agreed is no node. Others are seen as on the first of the snapshot's month (the *vintage*), the applicant's own
events as at the snapshot.
"""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import ibis.expr.types as ir

from features.columns import (
    APPLICATION,
    EVENT_TIME,
    PERSON,
    Category,
    Column,
    Kind,
    Sensitivity,
    Table,
    flag,
    whole,
)
from features.declare import Feature, Risk, Unit
from features.expressions import ratio
from features.reasons import code_of
from features.sources import evaluated
from features.windows import Calendar, Slice
from saakh.spec import FeatureSpec

DAMPING = 0.85
"""The share of steps in which the walk of PageRank goes on; in the others it starts anew from a person in default."""
COMMUNITY_KNOWN_MIN = 50
"""Below so many people of known outcome, a community's share of defaults would say something about each of them."""
MEANING = f"edges of all time; monthly vintages; Leiden by modularity; damping {DAMPING}; revision 1"
"""What a fingerprint says beside the expression; raise the revision when `pipeline.graph` counts otherwise."""

loan_outcomes = Table(
    "loan_outcomes",
    "one row per instalment, from when it is known whether it defaulted",
    Category.CREDIT,
    ("person_id", "event_at"),
    (PERSON, *EVENT_TIME, flag("is_default", "Whether it was still unpaid so many days past due.")),
    sources=("repayments",),
)
social_graph = Table(
    "social_graph",
    "one row per application whose applicant shows any contact",
    Category.COMMUNICATION,
    ("application_id",),
    (
        APPLICATION,
        whole("contacts", "people", "People in touch with the applicant, either way."),
        whole("contacts_in", "people", "Those who called or wrote to the applicant."),
        whole("contacts_out", "people", "Those whom the applicant called or wrote to."),
        whole("contacts_mutual", "people", "Those of both kinds."),
        whole("second_degree", "people", "Contacts of contacts who are neither contacts nor the applicant."),
        whole("pairs", "pairs", "Pairs of the applicant's contacts."),
        whole("pairs_in_touch", "pairs", "Those pairs who are in touch with each other."),
        whole("core_number", "level", "Largest k such that k contacts have a core number of k or more."),
        whole("community_size", "people", "People in the community of most contacts, the applicant not counted."),
        whole("community_known", "people", "Those of them whose outcome is known."),
        whole("community_defaults", "people", "Those of them who are known to have defaulted."),
        whole("contacts_known", "people", "Contacts whose outcome is known."),
        whole("contacts_defaulted", "people", "Contacts known to have defaulted."),
        Column(
            "default_rank",
            Kind.NUMBER,
            "Personalised PageRank from everyone known to have defaulted but the applicant, over a person's average; "
            "missing when there is no such person.",
            required=False,
            low=0,
        ),
    ),
    time=None,
    state=True,
    sources=("calls", "messages", "contact_names"),
)


@dataclass(frozen=True)
class GraphFeature(Feature):
    """A feature of the graph; its fingerprint also says by which rules the graph was made."""

    def _fingerprint(self, cut: Slice, calendar: Calendar) -> str:
        return hashlib.sha256(f"{super()._fingerprint(cut, calendar)} {MEANING}".encode()).hexdigest()


_DECLARED: dict[str, GraphFeature] = {}


def _of_graph(unit: Unit, reason: str, risk: Risk = Risk.UNKNOWN) -> Callable[[Callable[[Any], ir.Value]], None]:
    """Declare the function below as a feature of the graph."""

    def declare(body: Callable[[Any], ir.Value]) -> None:
        name = body.__name__
        _DECLARED[name] = GraphFeature(
            name=name,
            description=" ".join((inspect.getdoc(body) or "").split()),
            family="social",
            source=social_graph,
            expr=evaluated(f"feature '{name}'", body, social_graph),
            windows=(),
            splits=(),
            unit=unit,
            risk=risk,
            reason=reason,
            sensitivity=Sensitivity.SENSITIVE,
            code=code_of(name, "graph"),
        )

    return declare


@_of_graph(Unit.COUNT, "Number of ties to other customers")
def graph_degree(node: Any) -> ir.Value:
    """Degree: people of the graph in touch with the applicant, either way."""
    return node.contacts


@_of_graph(Unit.COUNT, "Ties to other customers, incoming")
def graph_degree_in(node: Any) -> ir.Value:
    """In-degree: people of the graph who called or wrote to the applicant."""
    return node.contacts_in


@_of_graph(Unit.COUNT, "Ties to other customers, outgoing")
def graph_degree_out(node: Any) -> ir.Value:
    """Out-degree: people of the graph whom the applicant called or wrote to."""
    return node.contacts_out


@_of_graph(Unit.SHARE, "Contacts that go one way")
def graph_reciprocity_share(node: Any) -> ir.Value:
    """Reciprocity: share of those people with whom contact went both ways."""
    return ratio(node.contacts_mutual, node.contacts)


@_of_graph(Unit.COUNT, "Ties of contacts to other customers")
def graph_second_degree(node: Any) -> ir.Value:
    """People at distance two: contacts of contacts who are not contacts themselves."""
    return node.second_degree


@_of_graph(Unit.SHARE, "Ties among contacts")
def graph_clustering_share(node: Any) -> ir.Value:
    """Local clustering coefficient: share of the pairs of contacts who are in touch with each other."""
    return ratio(node.pairs_in_touch, node.pairs)


@_of_graph(Unit.COUNT, "How closely knit the contacts are")
def graph_core_number(node: Any) -> ir.Value:
    """Core number: the largest k such that k contacts have a core number of k or more."""
    return node.core_number


@_of_graph(Unit.COUNT, "Size of the circle of contacts")
def graph_community_size(node: Any) -> ir.Value:
    """People in the community (Leiden) to which most contacts belong, the applicant not counted."""
    return node.community_size


@_of_graph(Unit.SHARE, "Circle of contacts", Risk.RISES)
def graph_community_default_share(node: Any) -> ir.Value:
    """Share known to have defaulted among the community's others whose outcome is known, if they are 50 or more."""
    return (node.community_known >= COMMUNITY_KNOWN_MIN).ifelse(
        ratio(node.community_defaults, node.community_known), None
    )


@_of_graph(Unit.COUNT, "Ties to other customers", Risk.RISES)
def graph_default_neighbours(node: Any) -> ir.Value:
    """Contacts known to have defaulted; missing when no contact's outcome is known."""
    return (node.contacts_known > 0).ifelse(node.contacts_defaulted, None)


@_of_graph(Unit.SHARE, "Ties to other customers", Risk.RISES)
def graph_default_neighbours_share(node: Any) -> ir.Value:
    """Share known to have defaulted among the contacts whose outcome is known."""
    return ratio(node.contacts_defaulted, node.contacts_known)


@_of_graph(Unit.RATIO, "Place among other customers", Risk.RISES)
def graph_pagerank_default(node: Any) -> ir.Value:
    """Personalised PageRank from people known to have defaulted, the applicant excluded, over a person's average."""
    return node.default_rank


FEATURES: tuple[GraphFeature, ...] = tuple(_DECLARED.values())
BY_COLUMN = MappingProxyType(_DECLARED)
SPECS: tuple[FeatureSpec, ...] = tuple(spec for feature in FEATURES for spec in feature.specs())

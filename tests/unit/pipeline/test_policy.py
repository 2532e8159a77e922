"""A policy bars what its file says, on every way to it, and a mistake in the file is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.catalogue import all_features, named
from features.columns import Sensitivity
from features.declare import REGISTRY
from features.graph import FEATURES, SPECS
from features.joined import interactions, loan_events
from features.tables import devices
from pipeline.policy import POLICIES, Policy, allowed, barred_by, barred_tables, names, read_policy
from saakh.errors import ConfigError
from tests.declaring import declare

TEXT = """
name: mine
title: Mine
jurisdiction: Nowhere
in_force_from: 2026-01-01
citation: a drawer
"""


@pytest.fixture(autouse=True)
def registry_as_it_was() -> Iterator[None]:
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def policy(**said: object) -> Policy:
    return Policy.model_validate(
        {"name": "mine", "title": "M", "jurisdiction": "N", "in_force_from": "2026-01-01", "citation": "C"} | said
    )


def shorter_calls(call):
    """Number of calls under a minute."""
    return call.count(where=call.duration_s < 60)


def sims_known(device):
    """Number of SIM cards."""
    return device.sim_id.nunique()


def days_late_most(event):
    """Most days late."""
    return event.days_late.max()


def calls_and_messages(event):
    """Number of calls and messages with a direction."""
    return event.count(where=event.direction == "in")


def refused(tmp_path: Path, text: str, name: str = "mine") -> str:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        read_policy(name, tmp_path)
    return str(error.value)


@pytest.mark.parametrize("name", names())
def test_every_policy_that_is_committed_can_be_read(name: str) -> None:
    assert read_policy(name).name == name


def test_explicit_consent_lets_every_ordinary_feature_be_measured() -> None:
    consent = [read_policy("explicit-consent")]
    ordinary = [f for f in all_features() if f.sensitivity is Sensitivity.ORDINARY]
    assert [f.name for f in ordinary if not allowed(f, consent)] == []


def test_life_events_need_a_policy_that_allows_them() -> None:
    event = declare(shorter_calls, sensitivity=Sensitivity.LIFE_EVENT)
    said = {name: allowed(event, [read_policy(name)]) for name in names()}
    assert said == {name: name == "research-opt-in" for name in names()}
    assert barred_by(event, [read_policy("explicit-consent")]) == (
        "explicit-consent does not allow what is of sensitivity life_event"
    )


def test_india_bars_what_is_read_off_the_phone_and_leaves_what_others_recorded() -> None:
    india = [read_policy("in-rbi-2025")]
    left = {f.table.name for f in all_features() if allowed(f, india)}
    assert left >= {"topups", "data_usage", "payments", "people", "devices", "brand_events"}
    assert not left & {"calls", "messages", "interactions", "app_sessions", "app_installs", "web_visits", "locations"}


def test_a_bar_on_a_column_holds_for_the_features_that_read_it_alone() -> None:
    india = [read_policy("in-rbi-2025")]
    assert barred_by(declare(sims_known, devices), india) == "in-rbi-2025 bars the column devices.sim_id"
    assert allowed(named("handsets_seen"), india)


def test_a_bar_holds_for_tables_joined_of_what_is_barred() -> None:
    joined = declare(calls_and_messages, interactions)
    assert barred_by(joined, [policy(barred={"tables": ["messages"]})]) == "mine bars the table messages"
    assert (
        barred_by(joined, [policy(barred={"columns": ["calls.direction"]})]) == "mine bars the column calls.direction"
    )
    assert allowed(joined, [policy(barred={"columns": ["messages.sender_class"], "tables": ["topups"]})])


def test_what_a_joined_table_makes_itself_counts_as_every_column_of_its_sources() -> None:
    late = declare(days_late_most, loan_events)
    bar = policy(barred={"columns": ["repayments.paid_at"]})
    assert barred_by(late, [bar]) == "mine bars the column repayments.paid_at"
    assert allowed(late, [policy(barred={"columns": ["topups.retailer_id"]})])
    graph = policy(
        allows={"sensitivities": ["sensitive"], "social_graph": True}, barred={"columns": ["calls.direction"]}
    )
    assert barred_by(FEATURES[0], [graph]) == "mine bars the column calls.direction"


def test_a_bar_on_a_table_closes_the_tables_joined_of_it() -> None:
    assert barred_tables([policy()]) == frozenset()
    one, other = policy(barred={"tables": ["messages"]}), policy(barred={"tables": ["topups"]})
    assert barred_tables([one, other]) == {"messages", "interactions", "social_graph", "topups"}


def test_a_reason_that_holds_a_banned_phrase_bars_its_feature() -> None:
    spoken = declare(shorter_calls)
    reason = spoken.reason
    assert barred_by(spoken, [policy(reasons={"banned": [reason.upper()]})]) == (
        f"mine bans the words '{reason.upper()}' in a reason"
    )
    assert allowed(spoken, [policy(reasons={"banned": ["credit score"]})])


def test_no_feature_is_barred_for_its_words_by_a_policy_that_is_committed() -> None:
    policies = [read_policy(name) for name in names()]
    assert {(f.name, p.name) for p in policies for f in all_features() if p.reasons.phrase_in(f.reason)} == set()


@pytest.mark.parametrize(
    "barred", [{"families": ["social"]}, {"features": ["call_contacts"]}, {"tables": ["calls"]}], ids=str
)
def test_families_and_features_are_barred_by_name(barred: dict[str, list[str]]) -> None:
    assert allowed(named("call_contacts"), [policy()])
    assert not allowed(named("call_contacts"), [policy(), policy(barred=barred)])


def test_policies_add_up() -> None:
    event = declare(shorter_calls, sensitivity=Sensitivity.LIFE_EVENT)
    both = [policy(allows={"sensitivities": ["life_event"]}), policy()]
    assert allowed(event, both[:1])
    assert not allowed(event, both)


def test_a_spec_is_judged_as_its_declaration_is() -> None:
    spec = named("call_contacts").specs()[0]
    assert spec.name != "call_contacts"
    assert barred_by(spec, [read_policy("in-rbi-2025")]) == "in-rbi-2025 bars the table calls"


def test_the_graph_of_all_people_needs_leave() -> None:
    sensitive = {"sensitivities": ["sensitive"]}
    for graph in (*FEATURES, SPECS[0]):
        said = {name: allowed(graph, [read_policy(name)]) for name in names()}
        assert said == {name: name == "research-opt-in" for name in names()}
    assert barred_by(FEATURES[0], [policy(allows=sensitive)]) == "mine does not allow the graph of all people"
    assert allowed(FEATURES[0], [policy(allows={**sensitive, "social_graph": True})])
    bar = policy(allows={**sensitive, "social_graph": True}, barred={"tables": ["contact_names"]})
    assert barred_by(FEATURES[0], [bar]) == "mine bars the table contact_names"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("bars: {}", "unknown key 'bars'"),
        ("barred: {table: [calls]}", "unknown key 'barred.table'"),
        ("barred: {tables: [call]}", "no table 'call'; there are applications"),
        ("barred: {columns: [sim_id]}", "no column 'sim_id'; write table.column"),
        ("barred: {columns: [devices.sim]}", "no column 'devices.sim'"),
        ("barred: {features: [no_such]}", "no feature 'no_such'; `saakh features list`"),
        ("barred: {families: [family]}", "'barred.families.0'"),
        ("allows: {sensitivities: [protected]}", "protected is the audit's alone"),
        ("bounds: {trainig: {life_days_max: 3}}", "no purpose 'trainig'; there are every, score"),
        ("bounds: {train: {life_days: 3}}", "unknown key 'bounds.train.life_days'"),
        ("bounds: {train: {life_days_max: -3}}", "'bounds.train.life_days_max'"),
        ("bounds: {train: {basis: [word]}}", "basis must name one or several of explicit, asserted_by_source"),
        ("bounds: {train: {fetch_type: []}}", "fetch_type must name one or several of onetime, periodic"),
        ("retention: {erase_on: [death]}", "'retention.erase_on.0'"),
        ("retention: {hold: {days: 0, what: a, why: b}}", "'retention.hold.days'"),
        ("reasons: {most: 0}", "'reasons.most'"),
        ("barred: {sensitivities: [life_event]}\nallows: {sensitivities: [life_event]}", "bars and allows the same"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, more: str, said: str) -> None:
    assert said in refused(tmp_path, TEXT + more)


def test_what_must_be_said_must_be_said(tmp_path: Path) -> None:
    assert "'citation': is missing" in refused(tmp_path, TEXT.replace("citation: a drawer", ""))
    assert "'in_force_from'" in refused(tmp_path, TEXT.replace("2026-01-01", "soon"))


def test_a_policy_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    assert f"no policy 'eu' in {tmp_path}; there are mine" in refused(tmp_path, TEXT, "eu")
    with pytest.raises(ConfigError, match="there are eu-ccd2, explicit-consent, id-ojk"):
        read_policy("../../params", POLICIES)


def test_a_policy_is_called_as_its_file_is(tmp_path: Path) -> None:
    assert "calls itself 'other'" in refused(tmp_path, TEXT.replace("name: mine", "name: other"))

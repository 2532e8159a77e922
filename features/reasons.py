"""Reason codes: which behaviour each feature speaks of, so that an applicant is told of it once and in the same words.

Several features, over several windows, measure one behaviour, and a model may lean on any of them. Their contributions
are told together under one code: that is what stays the same when a model is fitted again. A code takes whole modules
of features or features by name; a name counts before a module. What each code says is in `data/reasons`, one file a
language.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from saakh.errors import DeclarationError


@dataclass(frozen=True)
class Behaviour:
    """A reason code with the modules (`family.module`) and the features it speaks for."""

    code: str
    modules: tuple[str, ...] = ()
    features: str = ""


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour(
        "loans-repaid",
        features="loans_settled_share instalments_paid_share instalments_late_share instalment_days_late_mean "
        "instalment_days_late_max instalments_overdue instalment_overdue_age",
    ),
    Behaviour("loans-before", ("identity.loans",)),
    Behaviour(
        "borrowing-elsewhere",
        features="lender_count lender_inflow_share lender_outflow_share lender_failed_count message_lender_count "
        "message_lender_share message_lenders message_lender_recent_over_base message_lender_recency "
        "lending_app_installs lending_install_age app_lending_share app_lending_apps web_lending_share",
    ),
    Behaviour("betting", features="app_gambling_days app_gambling_share web_gambling_share"),
    Behaviour("work-declared", ("life_stage.people",)),
    Behaviour("income-declared", features="income_declared income_per_head"),
    Behaviour("household", features="dependants_share dependants_declared household_size"),
    Behaviour(
        "salary",
        ("life_stage.payments",),
        "job_change_salary_share pay_interruption promotion_pay_ratio",
    ),
    Behaviour(
        "money-coming-in",
        features="income_source_top_share payment_inflow payment_inflow_recent_share payment_inflow_month_variation "
        "payment_inflow_gap_variation",
    ),
    Behaviour("money-going-out", ("lifestyle.payments_flow",)),
    Behaviour("cash", features="payment_cash_out_share payment_inflow_cashed_share"),
    Behaviour("balance", ("lifestyle.payments_balance",)),
    Behaviour("bills", ("lifestyle.payments_bills",)),
    Behaviour("payments-failed", features="payment_failed_share payment_reversed_share"),
    Behaviour("payments", ("lifestyle.payments",)),
    Behaviour("merchants", ("brand.payments",)),
    Behaviour("money-with-people", ("social.payments",)),
    Behaviour("account-age", ("identity.payments", "identity.airtime")),
    Behaviour(
        "topup-rhythm",
        ("lifestyle.airtime",),
        "line_gap_longest line_active_months_share",
    ),
    Behaviour(
        "topup-amount",
        features="topup_count topup_amount_sum topup_amount_mean topup_amount_min topup_amount_max topup_amount_std "
        "topup_denomination_entropy topup_smallest_share topup_pareto_share",
    ),
    Behaviour("airtime-advance", features="topup_advance_count topup_advance_share topup_advance_gap_mean"),
    Behaviour("topup-habits", ("brand.airtime",)),
    Behaviour("mobile-data", ("lifestyle.airtime_data",)),
    Behaviour("handset-changes", ("identity.devices",)),
    Behaviour(
        "handset-age",
        features="handset_newest_age sim_newest_age number_newest_age handset_tenure sim_tenure handset_longest_held",
    ),
    Behaviour("brand-changes", ("brand.devices",)),
    Behaviour("handset-kind", features="handset_price_tier handset_os_lag is_smartphone handset_upgrade_balance"),
    Behaviour("brand-dealings", ("brand.dealings",)),
    Behaviour("home", ("identity.places",), "move_night_share weekend_away_share home_radius"),
    Behaviour("workplace", ("life_stage.places",), "job_change_place_share"),
    Behaviour("places", ("lifestyle.places",)),
    Behaviour("journeys", ("lifestyle.places_moves",), "radius_of_gyration places_extent radius_of_gyration_top2"),
    Behaviour("calls", ("lifestyle.calls", "lifestyle.calls_duration")),
    Behaviour("calls-rhythm", ("lifestyle.calls_rhythm",)),
    Behaviour(
        "calls-missed",
        features="call_missed_share call_out_unanswered_share call_missed_returned_share call_return_delay_mean",
    ),
    Behaviour(
        "contact-rhythm",
        ("lifestyle.interactions",),
    ),
    Behaviour(
        "nights",
        features="call_night_share message_night_share interaction_night_share app_night_share "
        "web_night_share data_night_share payment_night_share topup_night_share night_move_share",
    ),
    Behaviour("contacts", ("social.calls", "social.interactions")),
    Behaviour("contacts-kept", ("social.calls_ties",), "separation_tie_loss interaction_kept_contact_share"),
    Behaviour("messages", ("lifestyle.messages",)),
    Behaviour("messages-people", ("social.messages",)),
    Behaviour("messages-services", ("lifestyle.messages_senders",)),
    Behaviour("day-rhythm", ("life_stage.calls", "life_stage.apps")),
    Behaviour("apps", ("lifestyle.apps",)),
    Behaviour("apps-kinds", ("lifestyle.apps_kinds",)),
    Behaviour(
        "financial-services",
        features="app_finance_share app_payment_apps app_payments_share web_finance_share web_comparison_share "
        "message_bank_count message_bank_share message_bank_months message_bank_recency",
    ),
    Behaviour("apps-installed", ("lifestyle.apps_installs",)),
    Behaviour("web", ("lifestyle.browsing",)),
    Behaviour(
        "work-and-study",
        ("life_stage.browsing",),
        "work_apps_share education_apps_share app_work_share call_work_share",
    ),
    Behaviour("customers-known", ("graph",)),
)
"""In no order that matters."""
CODES: tuple[str, ...] = tuple(behaviour.code for behaviour in BEHAVIOURS)


def _placed(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, code in pairs:
        if name in found:
            raise DeclarationError(f"'{name}' has two reason codes, {found[name]} and {code}; see features/reasons.py")
        found[name] = code
    return found


_BY_MODULE = _placed((module, b.code) for b in BEHAVIOURS for module in b.modules)
BY_FEATURE = _placed((name, b.code) for b in BEHAVIOURS for name in b.features.split())


def code_of(feature: str, module: str) -> str:
    """The reason code of a feature declared in a module, given as `family.module`.

    A module without a code gives its features one each: a `DeclarationError` would keep a first feature from being
    tried. `saakh features docs` asks for the code before the feature is listed.
    """
    return BY_FEATURE.get(feature) or _BY_MODULE.get(module) or feature.replace("_", "-")

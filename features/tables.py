"""The canonical tables: what a dataset means once it is inside, declared once.

A table carries its consent category, so a feature built on it cannot forget to ask. Times are UTC; `local_at` is the
same moment on the applicant's wall clock. Money is in minor units, durations in seconds, volumes in bytes, distances in
metres: whole numbers all, so that sums do not depend on the order of rows.
"""

from collections.abc import Mapping
from types import MappingProxyType

from features.columns import (
    APPLICATION,
    EVENT_TIME,
    PERSON,
    PURPOSES,
    Category,
    Column,
    Kind,
    Sensitivity,
    Table,
    events,
    flag,
    one_of,
    pseudonym,
    when,
    whole,
)

applications = Table(
    "applications",
    "one row per application for a loan",
    Category.CREDIT,
    ("application_id",),
    (
        APPLICATION,
        PERSON,
        when("applied_at", "When the applicant applied."),
        flag("is_accepted", "Whether the loan was granted."),
        when("disbursed_at", "When the money was paid out.", required=False),
        whole("amount_minor", "minor units", "Principal asked for.", required=False),
        whole("tenor_days", "days", "Time to repay.", low=1, required=False),
        whole("rate_bp_month", "basis points a month", "Monthly rate of interest.", required=False),
        one_of("channel", "Where the application was made.", "app", "web", "agent", required=False),
        Column(
            "propensity",
            Kind.NUMBER,
            "Chance with which it was to be granted, as the lender's rule and exploration had it when it was decided.",
            unit="share",
            required=False,
            low=0,
            high=1,
        ),
        one_of("outcome", "Outcome, when the source supplies one.", "good", "bad", "indeterminate", required=False),
    ),
    time="applied_at",
)
repayments = Table(
    "repayments",
    "one row per instalment due",
    Category.CREDIT,
    ("application_id", "instalment"),
    (
        APPLICATION,
        PERSON,
        whole("instalment", "number", "Which instalment, from 1.", low=1),
        when("due_at", "When it fell due."),
        whole("due_minor", "minor units", "Amount due."),
        when("paid_at", "When it was paid in full; missing while it is not.", required=False),
        whole("paid_minor", "minor units", "Amount paid so far."),
    ),
    time="due_at",
)
FETCH_TYPES = ("onetime", "periodic")
FREQUENCY_UNITS = ("hour", "day", "month", "year", "inf")
consents = Table(
    "consents",
    "one row per consent artefact, category and purpose",
    Category.CREDIT,
    ("artefact_id", "category", "purpose"),
    (
        pseudonym("artefact_id", "artefact", "The consent artefact."),
        PERSON,
        one_of("category", "What may be read.", *(c.value for c in Category)),
        one_of("purpose", "What for.", *PURPOSES),
        when("starts_at", "From when the consent is in force."),
        when("expires_at", "Until when, this moment excluded; missing: no end.", required=False),
        when("revoked_at", "When it was withdrawn.", required=False),
        when("data_from", "Oldest event covered; missing: no bound.", required=False),
        when("data_to", "Events before this moment are covered; missing: no bound.", required=False),
        one_of("basis", "Who vouches for it.", "explicit", "asserted_by_source"),
        when("given_at", "When the person signed it.", required=False),
        one_of("purpose_code", "The purpose's code in the artefact, as a slug.", required=False),
        one_of("fetch_type", "Whether data may be fetched once or again and again.", *FETCH_TYPES, required=False),
        whole("frequency_times", "number", "How often data may be fetched in a `frequency_unit`.", required=False),
        one_of("frequency_unit", "What `frequency_times` counts in.", *FREQUENCY_UNITS, required=False),
        whole("data_life_days", "days", "How long data may be kept; missing: no bound.", required=False),
    ),
    time=None,
)
people = Table(
    "people",
    "one row per person and declaration",
    Category.PROFILE,
    ("person_id", "event_at"),
    (
        PERSON,
        *EVENT_TIME,
        one_of(
            "education",
            "Highest education declared.",
            "none",
            "primary",
            "secondary",
            "diploma",
            "graduate",
            required=False,
        ),
        one_of(
            "occupation",
            "Occupation declared.",
            *("salaried", "self_employed", "casual", "student", "homemaker", "farmer", "unemployed"),
            required=False,
        ),
        flag("is_employment_verified", "Whether an employer or payslip confirmed it.", required=False),
        whole("employment_months", "months", "Time in the present work.", required=False),
        whole("income_minor", "minor units a month", "Monthly income declared or seen by the source.", required=False),
        whole("household_size", "people", "People in the household.", low=1, high=30, required=False),
        whole("dependants", "people", "People depending on the applicant.", high=30, required=False),
        Column(
            "age_years",
            Kind.INTEGER,
            "Age; for the fairness audit only.",
            unit="years",
            required=False,
            low=16,
            high=110,
            sensitivity=Sensitivity.PROTECTED,
        ),
        Column(
            "gender",
            Kind.CATEGORY,
            "Gender; for the fairness audit only.",
            required=False,
            values=("female", "male", "other"),
            sensitivity=Sensitivity.PROTECTED,
        ),
    ),
    state=True,
)
devices = events(
    "devices",
    "one row per change of handset, SIM or number seen",
    Category.DEVICE,
    pseudonym("device_id", "device", "The handset."),
    pseudonym("sim_id", "sim", "The SIM card.", required=False),
    pseudonym("number_id", "number", "The phone number.", required=False),
    one_of("brand", "Handset brand, as a slug."),
    one_of("os", "Operating system.", "android", "ios", "feature"),
    whole("os_lag", "major versions", "How many major versions behind the newest.", high=20, required=False),
    one_of("price_tier", "Price tier of the handset.", "entry", "mid", "upper", "flagship"),
    pseudonym("operator_id", "operator", "The mobile operator.", required=False),
)
calls = events(
    "calls",
    "one row per call",
    Category.COMMUNICATION,
    pseudonym("contact_id", "contact", "The other side."),
    one_of("direction", "Who called.", "in", "out"),
    whole("duration_s", "seconds", "Seconds talked; 0 when unanswered.", high=86_400),
    flag("is_answered", "Whether the call was answered."),
)
messages = events(
    "messages",
    "one row per message, metadata only",
    Category.COMMUNICATION,
    pseudonym("contact_id", "contact", "The other side."),
    one_of("direction", "Who sent it.", "in", "out"),
    one_of(
        "sender_class",
        "Kind of sender, from its short code; never the text.",
        *("person", "bank", "lender", "utility", "otp", "merchant", "operator", "spam"),
    ),
)
app_sessions = events(
    "app_sessions",
    "one row per foreground use of an app",
    Category.APPS,
    pseudonym("app_id", "app", "The app."),
    one_of(
        "app_category",
        "Kind of app.",
        *("finance", "payments", "lending", "social", "messaging", "entertainment", "games", "gambling"),
        *("shopping", "news", "work", "education", "travel", "health", "tools", "other"),
    ),
    whole("duration_s", "seconds", "Seconds in the foreground.", high=86_400),
    actionable=True,
)
app_installs = events(
    "app_installs",
    "one row per install or removal of an app",
    Category.APPS,
    pseudonym("app_id", "app", "The app."),
    one_of("app_category", "Kind of app.", *app_sessions.column("app_category").values),
    one_of("action", "What happened.", "install", "uninstall"),
    flag("is_from_store", "Whether it came from the official store."),
    actionable=True,
)
web_visits = events(
    "web_visits",
    "one row per visit, by category of the domain",
    Category.BROWSING,
    one_of(
        "domain_category",
        "Kind of site.",
        *("finance", "lending", "shopping", "comparison", "news", "jobs", "education", "government"),
        *("entertainment", "gambling", "social", "health", "travel", "other"),
    ),
    whole("duration_s", "seconds", "Seconds on the page.", high=86_400),
    actionable=True,
)
locations = events(
    "locations",
    "one row per location fix, coarsened to a cell",
    Category.LOCATION,
    pseudonym("cell_id", "cell", "The coarse cell."),
    whole("east_m", "metres", "East of the person's own secret origin, cell centre.", low=None),
    whole("north_m", "metres", "North of the person's own secret origin, cell centre.", low=None),
)
topups = events(
    "topups",
    "one row per airtime top-up",
    Category.AIRTIME,
    whole("amount_minor", "minor units", "Value bought."),
    pseudonym("retailer_id", "retailer", "Who sold it.", required=False),
    one_of("bundle", "What was bought.", "talk", "data", "combo", "sms"),
    flag("is_advance", "Whether it was an airtime advance."),
    actionable=True,
)
data_usage = events(
    "data_usage",
    "one row per person and day of mobile data",
    Category.AIRTIME,
    whole("bytes_total", "bytes", "Bytes carried that day."),
    whole("bytes_night", "bytes", "Bytes carried from midnight to six."),
    actionable=True,
)
payments = events(
    "payments",
    "one row per mobile payment",
    Category.PAYMENTS,
    one_of("direction", "Which way the money went.", "in", "out"),
    one_of(
        "payment_type", "What it was for.", "p2p", "merchant", "utility", "dth", "recharge", "salary", "loan", "cash"
    ),
    whole("amount_minor", "minor units", "Amount."),
    whole("balance_minor", "minor units", "Balance afterwards.", low=None, required=False),
    pseudonym("counterparty_id", "counterparty", "The other side."),
    one_of("status", "How it ended.", "done", "failed", "reversed"),
    actionable=True,
)
brand_events = events(
    "brand_events",
    "one row per dealing with the handset maker",
    Category.BRAND,
    one_of("brand", "Whose brand, as a slug."),
    one_of("event_type", "What happened.", "purchase", "upgrade", "accessory", "service", "loyalty", "support"),
    whole("amount_minor", "minor units", "Money spent; 0 when none."),
)

contact_names = events(
    "contact_names",
    "one row per person and contact pseudonym that others know them by",
    Category.COMMUNICATION,
    pseudonym("contact_id", "contact", "The person's own number, as it appears in the calls and messages of others."),
)

TABLES: tuple[Table, ...] = (
    *(applications, repayments, consents, people, devices, calls, messages, app_sessions, app_installs),
    *(web_visits, locations, topups, data_usage, payments, brand_events, contact_names),
)
BY_NAME: Mapping[str, Table] = MappingProxyType({t.name: t for t in TABLES})
EVENT_TABLES: tuple[Table, ...] = tuple(t for t in TABLES if t.name not in ("applications", "repayments", "consents"))

"""What people write down: declarations, consents, applications and repayments, as lines of text files."""

import json

import numpy as np

from pipeline.world.clock import DAY, ZONE_SECONDS
from pipeline.world.draws import Draws, Floats, Ints, softmax_sums
from pipeline.world.knobs import Knobs
from pipeline.world.lives import Life
from pipeline.world.loans import CHANNELS, DUE_DAYS, Loans, Repayments
from pipeline.world.traits import WORK, People

EDUCATION = ("none", "primary", "secondary", "diploma", "graduate")
CATEGORIES = (
    *("credit", "profile", "device", "communication", "apps", "browsing", "location", "airtime", "payments", "brand"),
)
CONSENTS = ("full", "partial", "late", "withdrawn", "expired", "wrong_purpose")
RESEARCH_SHARE = 0.5
"""Of people, those who agree to research beside scoring and training."""
_REFUSED = np.array([0.0, 0.08, 0.12, 0.5, 0.4, 0.5, 0.5, 0.1, 0.3, 0.1])
APPLICATION_HEADER = (
    "application,person,applied_at,is_accepted,disbursed_at,amount_rupees,tenor_days,rate_bp_month,channel,propensity\n"
)
REPAYMENT_HEADER = "application,person,instalment,due_at,due_rupees,paid_at,paid_rupees\n"


def moment_texts(local_seconds: Ints) -> list[str]:
    """Wall-clock seconds as UTC texts, such as `2026-01-05T10:22:31Z`."""
    utc = (local_seconds - ZONE_SECONDS).astype("datetime64[s]")
    return [f"{text}Z" for text in np.datetime_as_string(utc, unit="s")]


def person_names(numbers: Ints) -> list[str]:
    """Raw person identifiers."""
    return [f"P{number:08d}" for number in numbers]


def application_names(people: People, drawn: Loans) -> list[str]:
    """Raw application identifiers."""
    return [f"A{people.numbers[w]:08d}-{k}" for w, k in zip(drawn.who, drawn.ordinal, strict=True)]


def applications(people: People, drawn: Loans) -> str:
    """Lines of `applications.csv`."""
    persons, granted = person_names(people.numbers), moment_texts(drawn.disbursed_at)
    columns = zip(
        application_names(people, drawn),
        drawn.who,
        moment_texts(drawn.applied_at),
        drawn.is_accepted,
        granted,
        drawn.rupees,
        drawn.dues * DUE_DAYS,
        drawn.rate_bp,
        drawn.channel,
        drawn.propensity,
        strict=True,
    )
    return "".join(
        f"{name},{persons[w]},{at},{'true' if yes else 'false'},{paid if yes else ''},"
        f"{sum_}.00,{days},{rate},{CHANNELS[c]},{chance:g}\n"
        for name, w, at, yes, paid, sum_, days, rate, c, chance in columns
    )


def repayments(people: People, drawn: Loans, repaid: Repayments) -> str:
    """Lines of `repayments.csv`."""
    names, persons = application_names(people, drawn), person_names(people.numbers)
    columns = zip(
        repaid.loan,
        repaid.instalment,
        moment_texts(repaid.due_at),
        repaid.due_rupees,
        moment_texts(np.maximum(repaid.paid_at, 0)),
        repaid.paid_at,
        repaid.paid_rupees,
        strict=True,
    )
    return "".join(
        f"{names[a]},{persons[drawn.who[a]]},{k},{due_at},{due:.2f},{paid_text if paid_at >= 0 else ''},{paid:.2f}\n"
        for a, k, due_at, due, paid_text, paid_at, paid in columns
    )


def declarations(people: People, drawn: Loans, lived: Life) -> str:
    """Lines of `people.jsonl`: minutes before the first application, and before some of the later ones."""
    rows = np.flatnonzero((drawn.ordinal == 1) | drawn.draws.chance("declares", 0.35))
    who, draws = drawn.who[rows], Draws(drawn.draws.keys[rows])
    at = drawn.applied_at[rows] - draws.whole("minutes", 300, 3_600)
    income = people.shown_income[who] * lived.raise_of(who, at // DAY) * np.exp(0.25 * draws.normal("declared"))
    steady = -people.shown["volatility"][who]
    verified = draws.chance("verified", (0.6 + 0.17 * steady) * (people.work[who] == 0))
    household = 1 + people.draws.poisson("household", np.array([3.2, 2.6, 3.4, 3.8, 3.2])[people.stage])
    dependants = people.draws.poisson("dependants", np.array([0.1, 0.6, 1.9, 1.7, 0.9])[people.stage])
    columns = {
        "person": [f"P{number:08d}" for number in people.numbers[who]],
        "happened_at": moment_texts(at),
        "received_at": moment_texts(at + draws.whole("received", 1, 120)),
        "education": [EDUCATION[e] for e in people.draws.pick("education", _education(people))[who]],
        "occupation": [WORK[w] for w in people.work[who]],
        "is_employment_verified": verified.tolist(),
        "employment_months": _months_employed(people)[who].tolist(),
        "income_rupees": np.round(income, -2).tolist(),
        "household_size": household[who].tolist(),
        "dependants": np.minimum(dependants, household - 1)[who].tolist(),
        "age_years": people.age[who].tolist(),
        "gender": ["female" if w else "male" for w in people.is_female[who]],
    }
    lines = zip(*columns.values(), strict=True)
    return "".join(json.dumps(dict(zip(columns, line, strict=True))) + "\n" for line in lines)


def _months_employed(people: People) -> Ints:
    """Time in the present work, longer the steadier the income, and no longer than a working life."""
    level = 0.25 * people.shown["income"] - 0.65 * people.shown["volatility"] + 0.5 * people.draws.normal("months")
    months = np.where(np.isin(people.work, (3, 4, 6)), 0.0, 30 * np.exp(level))
    return np.minimum(months, 12 * np.maximum(people.age - 17, 1)).astype(np.int64)


def _education(people: People) -> Floats:
    steps = np.arange(len(EDUCATION)) - 2
    return softmax_sums(np.log([0.05, 0.16, 0.40, 0.14, 0.25]) + 0.35 * people.shown["income"][:, None] * steps)


def consents(people: People, drawn: Loans, knobs: Knobs, end: int) -> str:
    """Lines of `consents.jsonl`: an artefact a person and purpose, one line a category; some agree to research too."""
    draws = people.draws
    faulty = (1 - knobs.consent_full) * np.array([0.42, 0.16, 0.16, 0.10, 0.16])
    kind = draws.pick("consent", np.cumsum(np.r_[knobs.consent_full, faulty]))
    first = drawn.applied_at[drawn.ordinal == 1]
    starts = (
        first - draws.whole("consent.minutes", 600, 7_200) + np.where(kind == 2, draws.whole("late", 2, 30) * DAY, 0)
    )
    revoked = first + np.floor((end - first) * draws.uniform("revoked")).astype(np.int64)
    short = starts + draws.whole("short", 20, 60) * DAY
    refused = (kind == 1)[:, None] & (_refusals(draws) < _REFUSED)
    texts = {
        name: moment_texts(value) for name, value in {"starts": starts, "revoked": revoked, "short": short}.items()
    }
    texts["from"] = moment_texts(starts - draws.whole("covers", 380, 420) * DAY)
    texts["score"], texts["train"] = moment_texts(starts + 730 * DAY), moment_texts(starts + 1_825 * DAY)
    texts["research"], purposes = texts["train"], ("score", "train", "research")
    artefacts, agrees = [draws.bits(f"artefact.{p}") for p in purposes], draws.chance("research", RESEARCH_SHARE)
    lines = []
    for w in range(people.size):
        for purpose, artefact in zip(purposes[: 3 if agrees[w] else 2], artefacts, strict=False):
            said = "monitor" if kind[w] == 5 and purpose == "train" else purpose
            expires = texts["short"][w] if kind[w] == 4 else texts[purpose][w]
            revoke = f'"{texts["revoked"][w]}"' if kind[w] == 3 else "null"
            head = f'{{"artefact": "C-{artefact[w]:016x}", "person": "P{people.numbers[w]:08d}", "category": "'
            tail = (
                f'", "purpose": "{said}", "starts_at": "{texts["starts"][w]}", "expires_at": "{expires}", '
                f'"revoked_at": {revoke}, "data_from": "{texts["from"][w]}", "data_to": null, "basis": "explicit"}}\n'
            )
            lines += [head + c + tail for c, no in zip(CATEGORIES, refused[w], strict=True) if not no]
    return "".join(lines)


def _refusals(draws: Draws) -> Floats:
    return np.stack([draws.uniform(f"refuses.{category}") for category in CATEGORIES], axis=1)

"""The letter to an applicant: what was decided, why, and what the applicant can do about it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from features.columns import Category
from features.declare import Unit
from pipeline.letter.texts import Texts
from pipeline.pages import render
from saakh.counterfactual import Change, Counterfactual
from saakh.decide import Outcome
from saakh.key_facts import KeyFacts, key_facts
from saakh.offers import Ground, Offer
from saakh.reasons import Reason
from saakh.spec import FeatureSpec
from saakh.terms import Contact, Terms

WIDTH = 96
OFFERS_SHOWN = 3
SYMBOLS = {"INR": "₹", "EUR": "€", "USD": "$"}
LAKH_GROUPS = {"INR"}


@dataclass(frozen=True)
class Case:
    """What a letter is about: one application, what was decided, and the score behind it.

    `texts` has the words of the scorecard's reason codes by language, and `counterfactual` what would reach a better
    band.
    """

    reference: str
    on: date
    asked_minor: int
    outcome: Outcome
    offers: Sequence[Offer]
    grounds: Sequence[Ground]
    points: float
    reasons: Sequence[Reason]
    specs: Sequence[FeatureSpec]
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    counterfactual: Counterfactual | None = None


@dataclass(frozen=True)
class Letter:
    """A letter's parts, in words; a template or `as_text` puts them on a page."""

    language: str
    title: str
    opening: tuple[str, ...]
    offers_heading: str
    offers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    why_heading: str
    grounds: tuple[str, ...]
    reasons_heading: str
    reasons: tuple[str, ...]
    changes_heading: str
    changes: tuple[str, ...]
    notes: tuple[str, ...]
    rights_heading: str
    rights: tuple[str, ...]
    contact_heading: str
    contact: tuple[str, ...]


def letter(case: Case, terms: Terms, texts: Texts) -> Letter:
    """The letter on a case; a reason that the scorecard does not tell in the letter's language stays English."""
    translated = case.texts.get(texts.language, {})
    reasons = [_reason(reason, case.specs, texts, translated) for reason in case.reasons]
    is_english = texts.language == "en" or all(r.code in translated for r in case.reasons)
    categories = ", ".join(texts.categories[Category(name)] for name in sorted({s.category for s in case.specs}))
    shown = [key_facts(terms, offer) for offer in case.offers[:OFFERS_SHOWN]] if case.outcome == "offer" else []
    return Letter(
        language=texts.language,
        title=texts.title,
        opening=(
            texts.reference.format(reference=case.reference, day=case.on.isoformat()),
            texts.asked.format(amount=money(case.asked_minor, terms)),
            getattr(texts.outcome, case.outcome),
        ),
        offers_heading=texts.offers_heading,
        offers=tuple(_offer(number, facts, terms, texts) for number, facts in enumerate(shown, 1)),
        why_heading=texts.why_heading,
        grounds=tuple(texts.grounds[ground] for ground in case.grounds),
        reasons_heading=texts.reasons_heading,
        reasons=tuple(reasons) or (texts.no_reasons,),
        changes_heading=texts.changes_heading.format(points=f"{case.counterfactual.points:.0f}")
        if case.counterfactual
        else "",
        changes=tuple(_changes(case, terms, texts)),
        notes=(
            *(() if is_english else (texts.untranslated,)),
            texts.score.format(points=f"{case.points:.0f}", categories=categories),
        ),
        rights_heading=texts.rights_heading,
        rights=tuple(text.format(ombudsman=terms.contact.ombudsman) for text in texts.rights.values()),
        contact_heading=texts.contact_heading,
        contact=_contact(terms.contact, texts),
    )


def as_text(said: Letter) -> str:
    """A letter as plain text."""
    parts = [said.title, "=" * len(said.title), "", *map(_wrapped, said.opening)]
    if said.offers:
        parts += ["", _wrapped(said.offers_heading)]
        for heading, facts in said.offers:
            parts += ["", heading, *(_wrapped(f"  {name}: {value}", "      ") for name, value in facts)]
    if said.grounds:
        parts += ["", said.why_heading, *(_wrapped(f"- {ground}", "  ") for ground in said.grounds)]
    parts += ["", said.reasons_heading, *(_wrapped(f"{k}. {r}", "   ") for k, r in enumerate(said.reasons, 1))]
    if said.changes:
        parts += ["", _wrapped(said.changes_heading), *(_wrapped(f"- {change}", "  ") for change in said.changes)]
    parts += ["", *map(_wrapped, said.notes)]
    parts += ["", said.rights_heading, *(_wrapped(f"- {right}", "  ") for right in said.rights)]
    parts += ["", said.contact_heading, *(_wrapped(line, "  ") for line in said.contact)]
    return "\n".join(parts) + "\n"


def as_html(said: Letter) -> str:
    """A letter as one page that asks the network for nothing."""
    return render("letter.html.j2", letter=said)


def money(minor: int, terms: Terms) -> str:
    """An amount as people write it: `₹1,00,000.00`, `€1,000.00`."""
    major, rest = divmod(minor, terms.minor_per_unit)
    grouped = _lakhs(major) if terms.currency in LAKH_GROUPS else f"{major:,}"
    digits = len(str(terms.minor_per_unit)) - 1
    return f"{SYMBOLS.get(terms.currency, terms.currency + ' ')}{grouped}" + (f".{rest:0{digits}d}" if digits else "")


def _lakhs(number: int) -> str:
    """Digits as India groups them: three, then twos."""
    head, tail = divmod(number, 1_000)
    if not head:
        return str(tail)
    digits = str(head)
    first = len(digits) % 2 or 2
    pairs = [digits[:first], *(digits[i : i + 2] for i in range(first, len(digits), 2))]
    return ",".join([*pairs, f"{tail:03d}"])


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _reason(reason: Reason, specs: Sequence[FeatureSpec], texts: Texts, translated: Mapping[str, str]) -> str:
    """A reason, and what it rests on but was never seen."""
    described = {spec.name: spec.description.rstrip(".") for spec in specs}
    said = translated.get(reason.code, reason.text)
    unseen = list(dict.fromkeys(described[name] for name in reason.unknown))
    return f"{said} ({texts.unseen.format(what='; '.join(unseen))})" if unseen else said


def _changes(case: Case, terms: Terms, texts: Texts) -> Iterator[str]:
    """What would have reached a better band: each measure once, by its longest window, and that it is no promise."""
    if case.counterfactual is None or case.counterfactual.outcome != "found":
        return
    specs, translated = {spec.name: spec for spec in case.specs}, case.texts.get(texts.language, {})
    longest: dict[str, Change] = {}
    for change in sorted(case.counterfactual.changes, key=lambda c: specs[c.feature].window_days or 0):
        longest[specs[change.feature].measure] = change
    for change in longest.values():
        spec = specs[change.feature]
        what = spec.description.rstrip(".") if texts.language == "en" else translated.get(spec.reason_code, spec.reason)
        window = f" ({texts.window.format(days=spec.window_days)})" if spec.window_days else ""
        before, after = (_amount(value, spec.unit, terms, texts) for value in (change.before, change.after))
        yield f"{what}{window}: {texts.change.format(before=before, after=after)}"
    yield texts.change_note


def _amount(value: float, unit: str, terms: Terms, texts: Texts) -> str:
    """A value of an input as people write it."""
    if unit == Unit.MINOR.value[0]:
        return ("-" if value < 0 else "") + money(abs(round(value)), terms)
    if unit == Unit.SHARE.value[0]:
        return f"{100 * value:.0f} %"
    return f"{value:.3g} {texts.units[unit]}".rstrip()


def _offer(number: int, facts: KeyFacts, terms: Terms, texts: Texts) -> tuple[str, tuple[tuple[str, str], ...]]:
    amount = money(facts.sanctioned_minor, terms)
    heading = texts.offer_heading.format(number=number, lender=facts.lender, amount=amount, months=facts.months)
    instalment, monthly = money(facts.instalment_minor, terms), _percent(facts.rate_year / 12)
    rows = {
        "lender": f"{facts.lender} ({facts.licence}; {facts.register})",
        "instalments": texts.instalments.format(count=facts.instalments, amount=instalment),
        "rate": texts.rate.format(month=monthly, year=_percent(facts.rate_year)),
        "charges": money(facts.charges_minor + facts.third_party_minor, terms),
        "net": money(facts.net_minor, terms),
        "paid": money(facts.paid_minor, terms),
        "cost": money(facts.cost_minor, terms),
        "apr": _percent(facts.apr),
        "late": texts.late.format(rate=_percent(facts.late_rate_year)),
        "cooling": texts.cooling.format(days=facts.cooling_off_days),
    }
    return heading, tuple((getattr(texts.facts, key), value) for key, value in rows.items())


def _contact(contact: Contact, texts: Texts) -> tuple[str, ...]:
    who = (contact.name, contact.address, contact.email, contact.phone)
    return (*who, f"{texts.officer}: {contact.officer}")


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)

"""What a consent request asks of a person: which categories it names, and how much that gives away, by convention."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

from features.columns import Category
from saakh.spec import FeatureSpec

Request = tuple[str, ...]
REQUIRED = Category.CREDIT.value
"""The lender's own record of the loan: without it there is no application to score."""
SENSITIVITY: Mapping[str, int] = MappingProxyType(
    {
        # The other side of a call agreed to nothing; app stores bar personal-loan apps from contacts, call logs,
        # precise location and the list of apps; where people go and what they read tells of faith, health and politics.
        Category.COMMUNICATION.value: 3,
        Category.LOCATION.value: 3,
        Category.APPS.value: 3,
        Category.BROWSING.value: 3,
        # Money in and out, work and household: what any lender asks for, and still a person's life in figures.
        Category.PAYMENTS.value: 2,
        Category.PROFILE.value: 2,
        # The handset, the top-ups, dealings with the maker; and the lender's own record.
        Category.DEVICE.value: 1,
        Category.AIRTIME.value: 1,
        Category.BRAND.value: 1,
        Category.CREDIT.value: 1,
    }
)
"""How much a category gives away, from 1 to 3. A convention of this house, made to be argued with: change it here."""


def burden(request: Iterable[str]) -> int:
    """How much a request gives away: its categories, each counted as often as it is sensitive."""
    return sum(SENSITIVITY[category] for category in request)


def requests(present: Collection[str]) -> list[Request]:
    """Every request that can be made of these categories, the smallest first, the one for all of them last."""
    free = sorted(set(present) - {REQUIRED})
    always = tuple(sorted(set(present) & {REQUIRED}))
    return [always + some for size in range(len(free) + 1) for some in combinations(free, size)]


def told(request: Collection[str], specs: Sequence[FeatureSpec]) -> dict[str, object]:
    """What a request asks for, in numbers: categories, burden, and the tables and columns behind them."""
    read = [spec for spec in specs if spec.category in request]
    return {
        "categories": sorted(request),
        "burden": burden(request),
        "tables": len({spec.table for spec in read}),
        "columns": len(read),
    }

"""Brand loyalty by airtime: the same retailer, the same bundle."""

from features.declare import Risk, Unit, feature
from features.expressions import concentration, entropy, ratio, top_share
from features.sources import linked, per
from features.tables import topups
from features.windows import LONG, STANDARD

per_retailer = per(topups, "retailer_id", events=lambda topup: topup.count())
per_bundle = per(topups, "bundle", events=lambda topup: topup.count())
# no advance is among these, so each row's neighbour is the next top-up that was paid for
paid_for = linked(topups, "is_advance", "bundle", where=lambda topup: ~topup.is_advance)


@feature(per_retailer, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Top-ups bought in many places")
def topup_retailer_top_share(retailer):
    """Share of top-ups bought from the favourite retailer."""
    return top_share(retailer.events)


@feature(topups, windows=STANDARD, unit=Unit.COUNT, reason="Number of places where top-ups were bought")
def topup_retailer_count(topup):
    """Number of distinct retailers top-ups were bought from."""
    return topup.retailer_id.nunique()


@feature(per_bundle, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Kind of bundle changes often")
def topup_bundle_concentration(bundle):
    """Herfindahl index of top-ups over kinds of bundle."""
    return concentration(bundle.events)


@feature(per_bundle, windows=STANDARD, unit=Unit.NATS, reason="Many kinds of bundle")
def topup_bundle_entropy(bundle):
    """Entropy of top-ups over kinds of bundle."""
    return entropy(bundle.events)


@feature(paid_for, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Kind of bundle changes often")
def topup_bundle_repeat_share(topup):
    """Share of top-ups, advances aside, whose kind of bundle was bought again the next time, when there was one."""
    return ratio(topup.count(where=topup.next_bundle == topup.bundle), topup.next_bundle.count())

"""Brand loyalty by airtime: the same retailer, the same bundle."""

from features.declare import Risk, Unit, feature
from features.expressions import concentration, top_share
from features.sources import per
from features.tables import topups
from features.windows import LONG, STANDARD

per_retailer = per(topups, "retailer_id", events=lambda topup: topup.count())
per_bundle = per(topups, "bundle", events=lambda topup: topup.count())


@feature(per_retailer, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Top-ups bought in many places")
def topup_retailer_top_share(retailer):
    """Share of top-ups bought from the favourite retailer."""
    return top_share(retailer.events)


@feature(per_bundle, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Kind of bundle changes often")
def topup_bundle_concentration(bundle):
    """Herfindahl index of top-ups over kinds of bundle."""
    return concentration(bundle.events)

"""Health: the band a risk falls into, since when it has been rising, and a rule score before there is one."""

from churnwatch.health.bands import BANDS, bands, places, rule_scores
from churnwatch.health.onset import rising_since

__all__ = ["BANDS", "bands", "places", "rising_since", "rule_scores"]

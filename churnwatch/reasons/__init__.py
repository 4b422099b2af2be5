"""Reasons: why a risk is what it is, in plain words, and what one thing less would make of it."""

from churnwatch.reasons.counterfactual import Counterfactual, counterfactual
from churnwatch.reasons.signs import Reason, raising, reasons, says, speaks_for
from churnwatch.reasons.words import money, quantity, word

__all__ = [
    "Counterfactual",
    "Reason",
    "counterfactual",
    "money",
    "quantity",
    "raising",
    "reasons",
    "says",
    "speaks_for",
    "word",
]

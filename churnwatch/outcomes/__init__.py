"""Observations and their labels: who is observed at an as-of, and what became of them.

Half-open windows throughout (DESIGN §4): the outcome window of an as-of is
``[as_of + gap, as_of + gap + horizon)``; nothing known at ``known_before`` or later is read.
"""

from churnwatch.outcomes.answers import answers, any_unanswered, instruments_of, unasked_words
from churnwatch.outcomes.dates import Span, check_as_of, grid, span
from churnwatch.outcomes.labels import check_labels, label
from churnwatch.outcomes.observed import observe

__all__ = [
    "Span",
    "answers",
    "any_unanswered",
    "check_as_of",
    "check_labels",
    "grid",
    "instruments_of",
    "label",
    "observe",
    "span",
    "unasked_words",
]

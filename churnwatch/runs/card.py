"""The model card: what a trained version is, how good it was, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from churnwatch.evaluation import Verdict
from churnwatch.runs.study import Judged
from churnwatch.runs.workspace import Workspace
from churnwatch.spec import Model, where_words

FIGURES = (
    ("n", "observed"),
    ("base_rate", "base rate"),
    ("auc", "AUC"),
    ("average_precision", "average precision"),
    ("lift_at_10pct", "lift at 10 %"),
    ("precision_at_capacity", "precision at capacity"),
    ("brier", "Brier"),
    ("ece", "calibration error"),
    ("base_rate_shift", "base-rate shift"),
    ("ece_after_shift", "calibration error after shift"),
    ("too_late", "left inside the gap"),
)

SNAPSHOT = (
    "One snapshot cannot be split by time: no figure of it shows how the model ages, or how it would have done on "
    "another day."
)
"""Said wherever figures of a given outcome stand."""


def definition(model: Model) -> str:
    """The outcome in one sentence."""
    if model.outcome.given is not None:
        return f"{model.outcome.given} is 1, in one snapshot of customers, which cannot show how a model ages"
    what = where_words(model.outcome.where)
    if model.outcome.event is not None:
        return f"an event ({what}) within {model.label_length}, beginning {model.gap} after the as-of"
    return f"no event ({what}) for {model.label_length}, beginning {model.gap} after the as-of"


def model_card(
    workspace: Workspace,
    model: Model,
    *,
    judged: Sequence[Judged],
    verdict: Verdict,
    notes: Mapping[str, Any],
    intervals: Mapping[str, tuple[float, float, float]],
    remarks: Sequence[str],
) -> str:
    """The card as Markdown; nothing in it depends on the clock."""
    dates = [str(one.figures["as_of"]) for one in judged]
    how = f"**Judged on** {', '.join(dates)} by a model that knew only what was complete before the first of them"
    if model.outcome.given is not None:
        how = f"**Judged on** {judged[0].figures['n']} customers by a model of the others. {SNAPSHOT}"
    lines = [
        f"# {workspace.deployment}.{model.model}: {model.title.en}",
        "",
        f"**Predicts** {definition(model)}.",
        f"**Trained on** {notes['observations']} observations at {len(notes['as_ofs'])} as-ofs, "
        f"{notes['as_ofs'][0]} to {notes['as_ofs'][-1]}; {notes['choice']}.",
        f"{how.rstrip('.')}; the registered version is refitted on everything with the same rounds and calibration.",
        "",
        "| | " + " | ".join(dates) + " |",
        "|---|" + "---|" * len(dates),
    ]
    for key, told in FIGURES:
        cells = " | ".join(_number(one.figures[key]) for one in judged)
        lines.append(f"| {told} | {cells} |")
    for baseline in judged[0].baselines:
        cells = " | ".join(_number(one.figures["baselines"][baseline]["auc"]) for one in judged)
        lines.append(f"| AUC of {baseline} | {cells} |")
    lines += ["", f"## Gate: {'passed' if verdict.passed else 'not passed'}", ""]
    lines += [f"- {check.sentence}" for check in verdict.checks]
    lines += [f"- {remark}" for remark in remarks]
    lines += ["", "Precision at capacity, minus the baseline's (95 % interval, customers resampled):", ""]
    lines += [f"- {name}: {d:+.3f} ({low:+.3f} to {high:+.3f})" for name, (d, low, high) in intervals.items()]
    if notes["skipped"]:
        lines += ["", "## Signals skipped", ""]
        lines += [f"- {name}: {why}" for name, why in notes["skipped"].items()]
    lines += [
        "",
        "## Use",
        "",
        "To decide whom a care team contacts first, with the reasons beside the risk. Not to set prices, to refuse "
        "or slow down service, or to judge an employee. A risk is what became of customers who looked alike, not what "
        "this customer will do.",
        "",
    ]
    return "\n".join(lines)


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)

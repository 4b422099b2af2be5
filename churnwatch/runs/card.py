"""The model card: what a trained version is, how good it was, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from churnwatch.delivery.answer_words import answer_assumptions, bad_words
from churnwatch.delivery.answer_words import say as answer_say
from churnwatch.delivery.card_words import number, ranking_words, say, share
from churnwatch.delivery.definition_words import definition as definition_words
from churnwatch.evaluation import Suspect, Verdict, shift_words
from churnwatch.evaluation.groups import LEAST, LEAST_OUTCOMES
from churnwatch.runs.candidate import TRAINED_UNTIL
from churnwatch.runs.rival import Rival
from churnwatch.runs.study import Judged
from churnwatch.runs.suspects import suspect_words
from churnwatch.runs.weighing import Hygiene
from churnwatch.runs.workspace import Workspace
from churnwatch.spec import Language, Model, Words, civil_day, where_words

SHARES = ("base_rate", "precision_at_capacity", "recall_at_capacity", "empc_share")
WHOLE = ("n", "watched", "capacity_rows", "too_late")
TENTHS = ("lift_at_10pct", "lift_at_capacity")
FIGURES = (
    *("n", "too_late", "base_rate", "auc", "average_precision", "lift_at_10pct", "capacity_rows"),
    *("precision_at_capacity", "recall_at_capacity", "lift_at_capacity", "empc", "empc_share", "brier", "log_loss"),
    *("ece", "ece_by_chance", "base_rate_shift", "ece_after_shift"),
)

SNAPSHOT = Words(
    en="One snapshot cannot be split by time: no figure of it shows how the model ages, or how it would have done on "
    "another day.",
    id="Satu potret tidak dapat dibagi menurut waktu: tidak ada angkanya yang menunjukkan bagaimana model menua, atau "
    "bagaimana hasilnya pada hari lain.",
)
"""Said wherever figures of a given outcome stand."""


def definition(model: Model) -> str:
    """The outcome in one sentence."""
    if model.outcome.given is not None:
        return f"{model.outcome.given} is 1, in one snapshot of customers, which cannot show how a model ages"
    if model.outcome.answer is not None:
        told = bad_words(model.outcome.answer, "en")
        when = "to the survey sent then" if model.at_events else f"within {model.label_length}, the first that comes"
        return f"a bad answer ({told}) {when}"
    what = where_words(model.outcome.where)
    if model.outcome.event is not None:
        return f"an event ({what}) within {model.label_length}, beginning {model.gap} after the as-of"
    return f"no event ({what}) for {model.label_length}, beginning {model.gap} after the as-of"


def remarks_of(
    model: Model,
    *,
    rival: Rival | None,
    intervals: Mapping[str, tuple[float, float, float]],
    suspects: Sequence[Suspect],
    treated: Mapping[str, Any] | None = None,
) -> tuple[Words, ...]:
    """What the gate does not decide by, and a reader should know; ``treated`` as in a bundle's notes."""
    alone = treated is not None and Hygiene(**treated).alone
    return (
        *([Words(en=say("treated_alone", "en"), id=say("treated_alone", "id"))] if alone else []),
        *([SNAPSHOT] if model.outcome.given is not None else []),
        *([rival.note] if rival and rival.note else []),
        *(
            Words(en=_worse(name, interval, "en"), id=_worse(name, interval, "id"))
            for name, interval in intervals.items()
            if interval[2] < 0
        ),
        *(
            Words(
                en=f"Acknowledged in the model's file: {one.column}, though {suspect_words(one)}.",
                id=f"Diakui di berkas model: {one.column}, meskipun {suspect_words(one, language='id')}.",
            )
            for one in suspects
        ),
    )


def _worse(name: str, interval: tuple[float, float, float], language: Language) -> str:
    """A baseline that surely lists better; the gate itself goes by AUC (DESIGN §7)."""
    difference, low, high = (number(100 * one, language, digits=1, signed=True) for one in interval)
    if language == "id":
        return (
            f"Pada kapasitas petugas, daftar menurut {ranking_words(name, language)} lebih baik: {difference} poin "
            f"presisi untuk model (interval 95 % {low} sampai {high})."
        )
    return (
        f"At the owners' capacity {name} lists better: {difference} points of precision for the model (95 % interval "
        f"{low} to {high})."
    )


def model_card(
    workspace: Workspace,
    model: Model,
    *,
    judged: Sequence[Judged],
    verdict: Verdict,
    notes: Mapping[str, Any],
    intervals: Mapping[str, tuple[float, float, float]],
    remarks: Sequence[Words],
    language: Language = "en",
) -> str:
    """The card as Markdown, in ``language``; nothing in it depends on the clock."""
    slices = [one.figures for one in judged]
    until = datetime.fromisoformat(notes[TRAINED_UNTIL])
    last = until if model.outcome.given is not None else until - timedelta(microseconds=1)
    end = civil_day(last, workspace.spec.deployment.zone)
    leaves = model.outcome.answer is None
    parts = [
        [f"# {workspace.deployment}.{model.model}: {model.title.in_language(language)}"],
        [definition_words(model, language=language, end=end)],
        _made(model, judged, notes, language),
        [f"## {say('in_short', language)}"],
        list(_short(slices, language)),
        [f"## {say('figures', language)}"],
        _figures(model, slices, language),
        [f"{say('brackets', language)} {say('profit_terms', language)}" if leaves else say("brackets", language)],
        [f"## {say('simple', language)}"],
        _simple(slices, language),
        [say("minus", language)],
        _minus(intervals, language),
        *_lead(slices, language),
        *_groups(slices[-1], language),
        [f"## {say('gate_passed' if verdict.passed else 'gate_failed', language)}"],
        [f"- {check.sentence_id if language == 'id' else check.sentence}" for check in verdict.checks]
        + [f"- {remark.in_language(language)}" for remark in remarks],
        *_assumed(model, notes, language),
        *_skipped(notes["skipped"], language),
        [f"## {say('use', language)}"],
        *([say(word, language)] for word in ("allowed" if leaves else "allowed_answer", "forbidden", "meaning")),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _made(model: Model, judged: Sequence[Judged], notes: Mapping[str, Any], language: Language) -> list[str]:
    """What it learned from, and what it was judged on."""
    fitted = judged[0].fitted
    method = fitted.calibration.method
    calibration = say("uncalibrated", language) if method == "none" else say("calibrated", language, method=method)
    choice = say("choice", language, choice=notes["choice"], rounds=fitted.rounds, calibration=calibration)
    dates = ", ".join(str(one.figures["as_of"]) for one in judged)
    n = number(judged[0].figures["n"], language)
    return [
        say(
            "trained_on",
            language,
            observations=number(notes["observations"], language),
            as_ofs=len(notes["as_ofs"]),
            first=notes["as_ofs"][0],
            last=notes["as_ofs"][-1],
            choice=choice,
        ),
        *_treated(notes.get("treated"), language),
        say("judged_on", language, dates=dates)
        if model.outcome.given is None
        else say("judged_on_others", language, n=n, snapshot=SNAPSHOT.in_language(language)),
    ]


def _treated(told: Mapping[str, Any] | None, language: Language) -> Iterator[str]:
    """What became of customers whom we contacted, and who stands for them; nothing where there are none."""
    if told is None:
        return
    if told["dropped"]:
        yield say("treated_dropped", language, dropped=number(told["dropped"], language))
    if told["weighed"]:
        counts = {name: number(told[name], language) for name in ("weighed", "stand_for")}
        yield say("treated_weighed", language, **counts)


def _short(slices: Sequence[Mapping[str, Any]], language: Language) -> Iterator[str]:
    """The list in plain words, means over the dates; then what is wrong with the level of the risks."""

    def mean(name: str) -> float:
        return float(np.mean([one[name] for one in slices]))

    held = {
        name: float(np.mean([one["baselines"][name]["recall_at_capacity"] for one in slices]))
        for name in _names(slices)
    }
    best = max(held, key=lambda name: held[name])
    answers = "watched" in slices[0]
    yield "- " + say(
        "short_list_answer" if answers else "short_list",
        language,
        watched=number(mean("watched"), language) if answers else "",
        rows=number(mean("capacity_rows"), language),
        n=number(mean("n"), language),
        precision=share(mean("precision_at_capacity"), language),
        lift=number(mean("lift_at_capacity"), language, digits=1),
        recall=share(mean("recall_at_capacity"), language),
    )
    yield "- " + say("short_baseline", language, name=ranking_words(best, language), recall=share(held[best], language))
    early = [one["lead_time"]["median_warning_days"] for one in slices]
    if all(days is not None for days in early):
        yield "- " + say("short_lead", language, days=number(float(np.mean(early)), language))
    for one in slices:
        warning = shift_words(one, language)
        if warning:
            yield f"- {one['as_of']}: {warning}"


def _names(slices: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(slices[0]["baselines"])


def _figures(model: Model, slices: Sequence[Mapping[str, Any]], language: Language) -> list[str]:
    lines = _head("", [one["as_of"] for one in slices])
    # What leaving costs, and leaving too soon, is nothing that an answer does.
    answers = model.outcome.answer is not None
    names = [name for name in FIGURES if not answers or name not in ("too_late", "empc", "empc_share")]
    for name in ["watched", *names] if answers else names:
        cells = []
        for one in slices:
            ends = one["intervals"].get(name)
            reach = "" if ends is None else f" ({'–'.join(_told(name, end, language) for end in ends)})"
            cells.append(_told(name, one[name], language) + reach)
        lines.append(_row(say("answered" if answers and name == "n" else name, language), cells))
    return lines


def _told(name: str, value: float, language: Language) -> str:
    """A figure as its kind is written."""
    if name in SHARES:
        return share(value, language)
    digits = 0 if name in WHOLE else 1 if name in TENTHS else 2 if name == "empc" else 3
    return number(value, language, digits=digits, signed=name == "base_rate_shift")


def _simple(slices: Sequence[Mapping[str, Any]], language: Language) -> list[str]:
    lines = _head(say("simple_cells", language), [one["as_of"] for one in slices])
    for name in (None, *_names(slices)):
        ranked = [one if name is None else one["baselines"][name] for one in slices]
        cells = [
            f"{_told('auc', one['auc'], language)} · {share(one['precision_at_capacity'], language)}" for one in ranked
        ]
        lines.append(_row(ranking_words(name or "the_model", language), cells))
    return lines


def _minus(intervals: Mapping[str, tuple[float, float, float]], language: Language) -> list[str]:
    lines = []
    for name, interval in intervals.items():
        difference, low, high = (number(one, language, digits=3, signed=True) for one in interval)
        lines.append(
            f"- {ranking_words(name, language)}: {difference} ({say('between', language, low=low, high=high)})"
        )
    return lines


def _lead(slices: Sequence[Mapping[str, Any]], language: Language) -> list[list[str]]:
    """Recall by lead time, date by date; nothing where nobody knows when customers left."""
    if not any(one["lead_time"]["leavers"] for one in slices):
        return []
    lines = _head("", [one["as_of"] for one in slices])
    for steps in zip(*(one["lead_time"]["recall"] for one in slices), strict=True):
        cells = [
            "–"
            if step["recall"] is None
            else say("of", language, share=share(step["recall"], language), n=number(step["leavers"], language))
            for step in steps
        ]
        lines.append(_row(say("days", language, n=steps[0]["days"]), cells))
    return [[f"## {say('lead', language)}"], [say("lead_told", language)], lines]


def _groups(one: Mapping[str, Any], language: Language) -> list[list[str]]:
    if not one["groups"]:
        return []
    heads = ("n", "base_rate", "mean_risk", "gap", "flag_rate", "recall", "auc")
    lines = _head(say("group", language), [say(head, language) for head in heads])
    for group in one["groups"]:
        name = f"{say(group['by'], language)} {group['group'] or say('not_known', language)}"
        note = _too_few(group, language)
        if group["base_rate"] is None:
            lines.append(_row(name, [number(group["n"], language), note, "", "", "", "", ""]))
            continue
        gap, low, high = (
            number(100 * group[key], language, digits=1, signed=True)
            for key in ("calibration_gap", "gap_low", "gap_high")
        )
        between = say("between", language, low=low, high=high)
        rates = [share(group[key], language) for key in ("base_rate", "mean_risk")]
        ranked = (
            [note, ""]
            if group["recall"] is None
            else [share(group["recall"], language), number(group["auc"], language, digits=3)]
        )
        flagged = share(group["flag_rate"], language)
        lines.append(_row(name, [number(group["n"], language), *rates, f"{gap} ({between})", flagged, *ranked]))
    parts = [[f"## {say('groups', language, date=one['as_of'])}"], lines]
    today = dict.fromkeys(say(group["by"], language) for group in one["groups"] if group["today"])
    if today:
        names = (" dan " if language == "id" else " and ").join(today)
        word = "groups_today_one" if len(today) == 1 else "groups_today_many"
        parts.append([say(word, language, names=names[0].upper() + names[1:])])
    return parts


def _too_few(group: Mapping[str, Any], language: Language) -> str:
    """A group's note in ``language``; nothing where there is none."""
    if group["note"] is None:
        return ""
    if group["base_rate"] is None:
        return say("too_few", language, n=group["n"], least=LEAST)
    others = group["n"] - group["outcomes"]
    word = "too_few_with" if group["outcomes"] <= others else "too_few_without"
    return say(word, language, n=min(group["outcomes"], others), least=LEAST_OUTCOMES)


def _assumed(model: Model, notes: Mapping[str, Any], language: Language) -> list[list[str]]:
    """For whom the numbers stand; nothing where the outcome is no answer."""
    if model.outcome.answer is None:
        return []
    told = answer_assumptions(model, notes["weighing"], language=language)
    return [[f"## {answer_say('head', language)}"], *([one] for one in told)]


def _skipped(skipped: Mapping[str, str], language: Language) -> list[list[str]]:
    """The signals that could not be computed; why, in English only, because `check` says it so."""
    if not skipped:
        return []
    lines = [f"- {name}" if language == "id" else f"- {name}: {why}" for name, why in skipped.items()]
    return [[f"## {say('skipped', language)}"], lines]


def _head(first: str, columns: Sequence[str]) -> list[str]:
    return [_row(first, columns), "|---|" + "---|" * len(columns)]


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | " + " | ".join(cells) + " |"

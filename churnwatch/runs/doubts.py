"""What no rule refuses and a check still doubts: kinds that nothing reads, instruments mixed up or never asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from churnwatch.errors import nearest
from churnwatch.outcomes import unasked_words
from churnwatch.sources import early_sources, has_mark, mixed_up
from churnwatch.spec import Model, ProjectSpec, Where

if TYPE_CHECKING:
    from churnwatch.sources import Tables

SHOWN = 5
MOST_KINDS = 20
"""More kinds than this that nothing names are no kinds: a message does not repeat them."""


def doubts(tables: Tables, spec: ProjectSpec, models: list[Model]) -> list[str]:
    """A sentence on each doubt about ``tables``; ``models`` are those in use."""
    return [
        *_early(tables),
        *_mixed_up(tables),
        *(doubt for model in models for doubt in unasked(tables, model)),
        *_unknown_kinds(tables, spec, models),
    ]


def unasked(tables: Tables, model: Model) -> list[str]:
    """A sentence where the model's file names an instrument that no survey has: a slip of the pen, or simply not asked
    there, which only a reader can tell.
    """
    told = unasked_words(tables, model.outcome.answer or ())
    return [f"{model.file}: outcome.answer: {told}"] if told else []


def marked(tables: Tables, data: Path) -> list[str]:
    """One sentence on all files below ``data`` that begin with a byte order mark: other programs may trip over it."""
    found = sorted({one.file for one in tables.accounting if has_mark(data / one.file)})
    return [f"{', '.join(found)}: a byte order mark (BOM) stands before the header; it is left out"] if found else []


def _early(tables: Tables) -> Iterator[str]:
    """Sources whose events are from before their customers began."""
    files = {one.source: one.file for one in tables.accounting}
    for one in early_sources(tables.con):
        yield (
            f"{files[one.source]}: {one.early:,} of {one.events:,} events ({one.early / one.events:.0%}) were known "
            "before their customer's started_at; are both mapped from the right columns, and is it the same customer?"
        )


def _mixed_up(tables: Tables) -> Iterator[str]:
    files = {one.source: one.file for one in tables.accounting}
    for one in mixed_up(tables.con):
        yield (
            f"{files[one.source]}: scores of {one.instrument}: {one.told}; are instrument, scale and higher_is_better "
            "mapped right?"
        )


def named_kinds(spec: ProjectSpec, models: list[Model]) -> set[str]:
    """The kinds of interactions that a signal, an outcome or a population names."""
    wheres: list[Where] = []
    for family in spec.families:
        wheres += [signal.after or {} for signal in family.signals]
        if family.table == "interactions":
            wheres += [where for signal in family.signals for where in (signal.where, signal.of or {})]
    for model in models:
        wheres += [model.outcome.where, model.population.active or {}]
    levels = [where["kind"] for where in wheres if "kind" in where]
    return {str(one) for level in levels for one in (level if isinstance(level, list) else [level])}


def _unknown_kinds(tables: Tables, spec: ProjectSpec, models: list[Model]) -> Iterator[str]:
    named = named_kinds(spec, models)
    counted = tables.con.execute("SELECT kind, count(*) FROM interactions GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
    unknown = [(kind, count) for kind, count in counted if kind not in named]
    rows = sum(count for _, count in unknown)
    if len(unknown) > MOST_KINDS:
        yield (
            f"interactions: {rows:,} rows of {len(unknown):,} kinds that no signal, outcome or population names; is "
            "kind mapped from the right column?"
        )
        return
    alike = {kind: nearest(kind, named) for kind, _ in unknown}
    for kind, count in unknown:
        if alike[kind]:
            yield (
                f"interactions: {count:,} rows of kind {kind}, which no signal, outcome or population names; "
                f"{alike[kind]}"
            )
    others = [(kind, count) for kind, count in unknown if not alike[kind]]
    if others:
        told = [f"{kind} ({count:,} rows)" for kind, count in others[:SHOWN]]
        rest = sum(count for _, count in others[SHOWN:])
        told += [f"{len(others) - SHOWN} more ({rest:,} rows)"] if rest else []
        yield f"interactions: kinds that no signal, outcome or population names: {', '.join(told)}"

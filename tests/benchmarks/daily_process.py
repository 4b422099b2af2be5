"""One measured process: ``python -m tests.benchmarks.daily_process PROJECT [alone]``.

It makes the day's list as the command does, with a clock around the parts of the run, and prints as JSON what each
took, the whole process from its first line on, and the greatest memory. ``alone``: afterwards it does each raw stage
once more by itself, on the same tables, by the engine's and LightGBM's own doors.
"""

from __future__ import annotations

import time

BEGAN = time.perf_counter()

import json  # noqa: E402 (the clock runs before anything is imported)
import sys  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from functools import wraps  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

from tests.benchmarks.signals_process import peak  # noqa: E402

if TYPE_CHECKING:
    from churnwatch.runs.daily import Daily
    from churnwatch.runs.workspace import Workspace

PARTS = {
    "read": ("churnwatch.runs.listing:load_tables",),
    "signals": ("churnwatch.runs.score:bundle_events", "churnwatch.signals.engine:Held.build"),
    "scores": ("churnwatch.runs.score:margins",),
    "contributions": ("churnwatch.runs.ranking:contributions",),
    "curves": ("churnwatch.runs.rows:curves",),
    "files": tuple(
        f"churnwatch.delivery:{name}"
        for name in ("outreach_csv", "outreach_xlsx", "outreach_html", "leavers_csv", "scores_parquet", "publish")
    ),
}
"""The functions that do the work of each part, where the run finds them."""

Taken = dict[str, tuple[float, float]]
"""Wall and CPU seconds by part."""


class Clock:
    """Seconds by part; what runs within a part is of that part."""

    def __init__(self) -> None:
        self.taken: Taken = {}
        self.running = False

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Count what is inside towards ``part``."""
        if self.running:
            yield
            return
        self.running = True
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            before = self.taken.get(part, (0.0, 0.0))
            self.taken[part] = before[0] + time.perf_counter() - wall, before[1] + time.process_time() - cpu
            self.running = False

    def around(self, part: str, function: str) -> None:
        """Count every call of ``module:name`` or ``module:Class.name`` from now on."""
        module, names = function.split(":")
        *owners, name = names.split(".")
        place: Any = import_module(module)
        for owner in owners:
            place = getattr(place, owner)
        work: Callable[..., Any] = getattr(place, name)

        @wraps(work)
        def clocked(*given: Any, **named: Any) -> Any:
            with self.of(part):
                return work(*given, **named)

        setattr(place, name, clocked)


def main(project: str, alone: bool) -> None:
    """Make the list, and say what it took."""
    from churnwatch.runs.daily import daily
    from tests.benchmarks.daily_project import DAY, opened

    clock = Clock()
    for part, functions in PARTS.items():
        for function in functions:
            clock.around(part, function)
    workspace = opened(Path(project))
    made = daily(workspace, day=DAY)
    told = {
        "parts": dict(clock.taken),
        "whole": (time.perf_counter() - BEGAN, time.process_time()),
        "peak": peak(),
        "rows": len(made.rows),
        "counts": made.summary["counts"],
    }
    if alone:
        told["alone"] = {**stages(workspace, made), "files": clock.taken["files"]}
    print(json.dumps(told))


def stages(workspace: Workspace, made: Daily) -> Taken:
    """Each raw stage of this list by itself; the files are those that were written."""
    import lightgbm as lgb
    import numpy as np

    from churnwatch.runs.curves import curves
    from churnwatch.runs.score import bundle_columns, champion_of, observed
    from churnwatch.runs.workspace import load_tables
    from churnwatch.signals import build
    from tests.benchmarks.daily_project import DAY

    tables = load_tables(workspace)
    _, bundle = champion_of(workspace, workspace.spec.deployment.listing_model)
    _, spine = observed(workspace, tables, bundle.model, DAY)
    columns = bundle_columns(tables, bundle)
    listed = [row["customer"] for row in made.rows]
    booster = lgb.Booster(model_str=bundle.fitted.booster_text)
    clock = Clock()
    with clock.of("signals"):
        matrix = build(tables.reworded(bundle.families), columns, spine)
    with clock.of("scores"):
        booster.predict(matrix.values, raw_score=True)
    # Rows listed by a rule are explained by it, not by the model.
    of_model = [row["customer"] for row in made.rows if not row.get("proactive")]
    explained = matrix.values[np.isin(spine["customer_id"].to_numpy(dtype=str), of_model)]
    with clock.of("contributions"):
        booster.predict(explained, pred_contrib=True)
    with clock.of("curves"):
        curves(workspace, tables, bundle, listed, day=DAY)
    return clock.taken


if __name__ == "__main__":
    main(sys.argv[1], "alone" in sys.argv[2:])

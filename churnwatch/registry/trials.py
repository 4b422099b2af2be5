"""A search in MLflow: one run for the search, a nested one per trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from churnwatch.registry.tracking import _experiment, opened

if TYPE_CHECKING:
    from mlflow import MlflowClient

SEARCH_TAG = "churnwatch.search"
TRIAL_TAG = "churnwatch.trial"
_LONGEST_VALUE = 6_000
"""Characters MLflow keeps of a parameter's value."""


class SearchLog:
    """Where one search is logged: the same ``key`` goes on in the run it began, and no trial is logged twice.

    ``uri``, ``artifact_root`` and ``experiment`` as in ``log_model``; ``name`` is ``<deployment>.<model>``. Raises
    ProjectError when the store cannot be used.
    """

    def __init__(
        self,
        *,
        uri: str,
        artifact_root: Path | None,
        experiment: str,
        name: str,
        key: str,
        parameters: Mapping[str, object],
    ) -> None:
        self.uri = uri
        with opened(uri) as client:
            self.experiment = _experiment(client, experiment, artifact_root)
            known = client.search_runs([self.experiment], f"tags.`{SEARCH_TAG}` = '{key}'", max_results=1)
            if known:
                self.run_id: str = known[0].info.run_id
            else:
                tags = {SEARCH_TAG: key, "mlflow.source.name": "churnwatch"}
                run = client.create_run(self.experiment, run_name=f"{name} search {key[-6:]}", tags=tags)
                self.run_id = run.info.run_id
                _log(client, self.run_id, run.info.start_time, parameters, [])
            self.logged = _logged(client, self.experiment, self.run_id)

    def trial(
        self,
        number: int,
        *,
        parameters: Mapping[str, object],
        aucs: Sequence[float],
        auc: float,
        rounds: int,
        stopped: bool,
    ) -> None:
        """Log one trial as a nested run: its parameters, ``auc`` and ``rounds``, ``fold_auc`` with the fold as step.

        A stopped trial's run ends as KILLED, as MLflow calls what was not finished.
        """
        if number in self.logged:
            return
        with opened(self.uri) as client:
            tags = {TRIAL_TAG: str(number), "mlflow.parentRunId": self.run_id, "mlflow.source.name": "churnwatch"}
            run = client.create_run(self.experiment, run_name=f"trial {number + 1}", tags=tags)
            metrics = [
                ("auc", auc, 0),
                ("rounds", float(rounds), 0),
                *(("fold_auc", value, fold) for fold, value in enumerate(aucs)),
            ]
            _log(client, run.info.run_id, run.info.start_time, parameters, metrics)
            client.set_terminated(run.info.run_id, status="KILLED" if stopped else "FINISHED")
        self.logged.add(number)

    def end(self, metrics: Mapping[str, float]) -> None:
        """Log what came of the search; its run is finished then, also where it goes on some other day."""
        with opened(self.uri) as client:
            began = client.get_run(self.run_id).info.start_time
            # The step is the number of trials, so that a search that went on has a point for each end.
            step = int(metrics.get("trials", 0))
            _log(client, self.run_id, began, {}, [(name, value, step) for name, value in metrics.items()])
            client.set_terminated(self.run_id)


def _logged(client: MlflowClient, experiment: str, parent: str) -> set[int]:
    """The trials whose runs are whole; one that a kill left half-written is deleted, and logged anew."""
    found: set[int] = set()
    token: str | None = None
    while True:
        page = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'", page_token=token)
        for run in page:
            if run.info.status == "RUNNING":
                client.delete_run(run.info.run_id)
            elif TRIAL_TAG in run.data.tags:
                found.add(int(run.data.tags[TRIAL_TAG]))
        token = page.token
        if not token:
            return found


def _log(
    client: MlflowClient,
    run_id: str,
    at: int,
    parameters: Mapping[str, object],
    metrics: Sequence[tuple[str, float, int]],
) -> None:
    """Parameters, and metrics (name, value, step), at ``at`` milliseconds."""
    from mlflow.entities import Metric, Param

    client.log_batch(
        run_id,
        metrics=[Metric(name, value, at, step) for name, value, step in metrics],
        params=[Param(name, str(value)[:_LONGEST_VALUE]) for name, value in parameters.items()],
    )

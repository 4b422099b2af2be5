"""A real `mlflow server` over HTTP: training, promoting and serving through it, and going on when it is away."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pyarrow.parquet as pq
import pytest
from command_line import END, call, facts, ok, refused

from churnwatch.registry import ServerAway, served_alias, set_alias
from churnwatch.runs.tracking import tracking_warnings
from churnwatch.runs.workspace import open_workspace

AWAY = "The tracking server does not answer: scored from the verified copy of demo.churn"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(directory: Path, port: int) -> Iterator[str]:
    """`mlflow server` on an SQLite store in ``directory``."""
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{directory / 'mlflow.db'}",
        "--artifacts-destination", str(directory / "artifacts"),
    ]  # fmt: skip
    quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (directory / "server.log").open("w") as log:
        # A session of its own: the server starts workers, which end with it.
        process = subprocess.Popen(command, stdout=log, stderr=log, env=quiet, cwd=directory, start_new_session=True)
    try:
        until = time.monotonic() + 120
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                assert process.poll() is None, (directory / "server.log").read_text()
                assert time.monotonic() < until, (directory / "server.log").read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait(20)


def tracked_by(project: Path, uri: str) -> None:
    (project / "configs" / "demo" / "tracking.yaml").write_text(f"uri: {uri}\nexperiment: care\n")


def worsen(project: Path) -> None:
    """A recipe whose training does not pass the gate: three families and two rounds."""
    own = project / "configs" / "demo" / "models" / "churn.yaml"
    text = re.sub(r"families: .*", "families: [silence, surveys, tenure]", own.read_text())
    own.write_text(text.replace("rounds: 60", "rounds: 2"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_everything_works_over_http_and_scoring_without_it(untrained, tmp_path, monkeypatch):
    """Train, promote, roll back and verify on a server; MLflow alone serves the champion from it; then it goes away."""
    import mlflow

    project = untrained
    port = free_port()
    with mlflow_server(tmp_path, port) as uri:
        tracked_by(project, uri)
        first = ok(call("train", "churn", "--project", project, "--json")).json["version"]
        worsen(project)
        second = call("train", "churn", "--project", project, "--json").json
        assert (True, False) == (second["new"], second["promoted"])
        second = second["version"]
        assert (first, second) == tuple(served_alias(uri, "demo.churn", alias) for alias in ("champion", "challenger"))
        assert served_alias(uri, "demo.churn", "nobody") is served_alias(uri, "demo.nothing", "champion") is None
        ok(call("promote", "churn", second, "--despite-gate", "--why", "to see", "--project", project))
        assert second == served_alias(uri, "demo.churn", "champion")
        shutil.rmtree(project / "state" / "demo" / "models" / "demo.churn" / first)
        back = ok(call("rollback", "churn", "--project", project, "--json")).json
        assert (first, True, []) == (back["version"], back["fetched"], back["warnings"])
        assert ok(call("verify-model", "churn", "--project", project, "--json")).json["same"]

        told = ok(call("score", "--as-of", END, "--project", project, "--json")).json
        assert (first, []) == (told["model_version"], told["warnings"])
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        served = mlflow.pyfunc.load_model("models:/demo.churn@champion")
        signals = pq.read_table(told["files"]["signals.parquet"]).to_pandas()
        risks = served.predict(signals[served.metadata.get_input_schema().input_names()])
        expected = pq.read_table(told["files"]["scores.parquet"]).to_pandas()["risk"].to_numpy()
        np.testing.assert_allclose(expected, np.asarray(risks).ravel(), rtol=0, atol=1e-12)

        # Somebody moves the alias in MLflow by hand: the version in use stays, and the run says so.
        set_alias(uri, "demo.churn", "champion", second)
        told = ok(call("score", "--as-of", END, "--project", project, "--json")).json
        assert first == told["model_version"]
        [warning] = told["warnings"]
        assert f"calls {second} champion of demo.churn, but the version in use is {first}" in warning

    promotions = facts(project, "promotions")
    for command in ("score", "daily"):
        told = ok(call(command, "--as-of", END, "--project", project, "--json")).json
        assert [f"{AWAY} {first}."] == told["warnings"]
        assert first == told["model_version"]
    # Agents can do nothing about it: it is in run.json and on the terminal, not on their page.
    assert "tracking server" not in (project / "out" / "demo" / END / "outreach.html").read_text()
    assert AWAY in (project / "out" / "demo" / END / "run.json").read_text()
    ok(call("daily", "--as-of", END, "--rerun", "verify", "--project", project))
    refused(call("train", "churn", "--project", project), 3, "the tracking server does not answer")
    refused(call("promote", "churn", second, "--despite-gate", "--why", "x", "--project", project), 3, "tracking.yaml")
    assert promotions == facts(project, "promotions")
    assert not list((project / "state" / "demo").glob("tmp*"))


def test_a_server_that_is_away_is_told_and_costs_little(project):
    """Nobody listens: score goes on from the copy and says so, having only asked; train refuses at once."""
    tracked_by(project, f"http://127.0.0.1:{free_port()}")
    version = facts(project, "promotions")[-1]["model_version"]
    workspace = open_workspace(project, deployment="demo", data=None, now=datetime(2026, 7, 2, tzinfo=UTC))
    started = time.monotonic()
    assert (f"{AWAY} {version}.",) == tracking_warnings(workspace, "churn", version)
    # Of the ten seconds a run may take longer; the run itself takes what a busy machine lets it.
    assert time.monotonic() - started < 5
    told = ok(call("score", "--as-of", END, "--project", project, "--json")).json
    assert [f"{AWAY} {version}."] == told["warnings"]
    assert version == told["model_version"]
    said = call("train", "churn", "--project", project)
    refused(said, 3, "configs/demo/tracking.yaml: uri: the tracking server does not answer; nothing was changed")


def test_a_rollback_does_not_wait_for_the_server(project):
    """The ledger and the kept copy decide; that the alias stayed behind is said."""
    version = facts(project, "promotions")[-1]["model_version"]
    worsen(project)
    other = call("train", "churn", "--project", project, "--json").json["version"]
    ok(call("promote", "churn", other, "--despite-gate", "--why", "x", "--project", project))
    tracked_by(project, f"http://127.0.0.1:{free_port()}")
    told = ok(call("rollback", "churn", "--project", project, "--json")).json
    assert (version, other, False) == (told["version"], told["previous"], told["fetched"])
    [warning] = told["warnings"]
    assert warning.startswith("The alias champion in MLflow could not be moved")
    assert version == facts(project, "promotions")[-1]["model_version"]


@contextmanager
def answering(
    status: int, body: bytes, *, wait: float = 0.0, asked: list[tuple[str, str | None]] | None = None
) -> Iterator[str]:
    """A server that gives every question one answer, and writes the questions down."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append((self.path, self.headers.get("Authorization")))
            time.sleep(wait)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"oops", "answers with HTTP status 500"),
        (403, b'{"error_code": "PERMISSION_DENIED"}', "answers with HTTP status 403"),
        (404, b"<html>not found</html>", "answers with HTTP status 404"),
        (200, b"<html>welcome</html>", "answers, but not as MLflow does"),
        (200, b"[]", "answers, but not as MLflow does"),
        (200, b'{"model_version": null}', "answers, but not as MLflow does"),
    ],
)
def test_an_answer_that_is_none_is_named(status, body, told):
    with answering(status, body) as uri, pytest.raises(ServerAway, match=told):
        served_alias(uri, "demo.churn", "champion")


def test_a_server_that_hangs_is_given_up():
    with answering(200, b"{}", wait=3) as uri:
        started = time.monotonic()
        with pytest.raises(ServerAway, match="does not answer"):
            served_alias(uri, "demo.churn", "champion", patience=0.3)
        assert time.monotonic() - started < 2


def test_a_version_that_churnwatch_did_not_register_is_told_by_its_number():
    body = json.dumps({"model_version": {"version": "7", "tags": [{"key": "a", "value": "b"}]}}).encode()
    with answering(200, body) as uri:
        assert "number 7" == served_alias(uri, "demo.churn", "champion")


def test_names_and_passwords_go_where_mlflow_sends_them(monkeypatch):
    """From the uri or from MLflow's own variables, as a header and never in the address."""
    body = json.dumps({"model_version": {"version": "7"}}).encode()
    asked: list[tuple[str, str | None]] = []
    with answering(200, body, asked=asked) as uri:
        served_alias(uri, "demo.churn", "champion")
        served_alias(uri.replace("//", "//care:s%20cret@"), "demo.churn", "champion")
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")
        served_alias(uri, "demo.churn", "champion")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "pw")
        served_alias(uri + "/", "demo.churn", "champion")
    path = "/api/2.0/mlflow/registered-models/alias?name=demo.churn&alias=champion"
    assert [path] * 4 == [one for one, _ in asked]
    basic = {pair: f"Basic {base64.b64encode(pair.encode()).decode()}" for pair in ("care:s cret", "me:pw")}
    assert [None, basic["care:s cret"], "Bearer abc", basic["me:pw"]] == [header for _, header in asked]


def test_credentials_do_not_follow_a_redirection_to_another_host(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "made-up")
    seen = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers["Authorization"])
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    class Asked(Elsewhere):
        def do_GET(self):
            seen.append(self.headers["Authorization"])
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{elsewhere.server_port}/")
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere, HTTPServer(("127.0.0.1", 0), Asked) as asked:
        for server in (elsewhere, asked):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ServerAway, match="answers with HTTP status 404"):
            served_alias(f"http://127.0.0.1:{asked.server_port}", "demo.churn", "champion")
        for server in (elsewhere, asked):
            server.shutdown()
    assert ["Bearer made-up", None] == seen

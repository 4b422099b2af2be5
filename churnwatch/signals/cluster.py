"""Spark for a while: a session that is started, watched while it works, and gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import churnwatch
from churnwatch.errors import UsageError
from churnwatch.signals.engine import Report

LOOK = 0.5
"""Seconds between two looks at how far Spark is."""
PATIENCE = 300
"""Seconds that a cluster may let us wait without working on anything."""
REACH = 5
"""Seconds to find out whether somebody answers at the master's address."""
STOP = 30
"""Seconds that Java may take to end before it is ended."""

JAVA = 17
"""The oldest Java that pyspark 4 runs on."""
MASTERS = "local[2], local[*], spark://host:7077, yarn, k8s://https://host:443"


def check_spark(master: str | None) -> None:
    """Raise UsageError where pyspark or a Java it can use is missing, or nobody answers at the master's address.

    Spark itself would say so in a hundred lines, or after minutes.
    """
    try:
        import pyspark  # noqa: F401  # is it there?
    except ImportError as error:
        raise UsageError("pyspark is not installed", where="Spark", hint="pip install 'churnwatch[spark]'") from error
    version = _java()
    if version is None or version < JAVA:
        home = os.environ.get("JAVA_HOME")
        raise UsageError(
            ("Java is not installed" if version is None else f"Java {version} is too old")
            + (f" where JAVA_HOME says: {home}" if home else ""),
            where="Spark",
            allowed=f"Java {JAVA} or newer",
            hint=f"install it (Debian: apt install openjdk-{JAVA}-jre-headless) or set JAVA_HOME",
        )
    if master is not None and not master.startswith(("local", "spark://", "yarn", "k8s://")):
        raise UsageError("is no master of Spark's", where=master, allowed=MASTERS)
    _check_answer(master or "")


def _java() -> int | None:
    """The version of the Java that Spark would run; None where there is none that says so."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java") if home else "java")
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603  # the user's Java
    # Up to 8 the number that counts was the second: 1.8.0.
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    return int(found[1]) if found and said.returncode == 0 else None


def _check_answer(master: str) -> None:
    kind, _, rest = master.partition("://")
    if kind not in ("spark", "k8s"):
        return
    tried = []
    for address in rest.removeprefix("https://").removeprefix("http://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=REACH).close()
        except (OSError, ValueError) as error:
            tried.append(f"{address} ({error})")
        else:
            return
    raise UsageError(
        f"nobody answers at {', '.join(tried)}",
        where=master,
        allowed=MASTERS,
        hint="look whether the cluster is up and its port can be reached from here",
    )


@contextmanager
def session(master: str | None, place: Path) -> Iterator[Any]:
    """The Spark session that is open in this process, which stays open, or else one of our own.

    Ours says nothing on the terminal, keeps its files in ``place``, and is gone afterwards with its Java process.
    ``master`` None is all cores of this machine. Raises UsageError where it cannot be had.
    """
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    opened = SparkSession.getActiveSession()
    if opened is not None:
        at = opened.sparkContext.master
        if master not in (None, at):
            raise UsageError(f"this process has a Spark session at {at}", where=str(master), hint="stop it first")
        yield opened
        return
    conf = SparkConf().setAll(list(_settings(master, place).items()))
    # Java and its Python workers write to this file what they would write to the terminal.
    log = place / "spark.log"
    gateway = context = None
    try:
        try:
            with log.open("wb") as sink, _quiet(), _python(master):
                gateway = launch_gateway(conf, {"stdout": sink, "stderr": sink})
                context = SparkContext(conf=conf, gateway=gateway)
                context.setLogLevel("ERROR")
                made = SparkSession(context)
        except (PySparkException, Py4JError, OSError) as error:
            raise UsageError(
                f"Spark does not start: {_first_words(error, log)}",
                where=master or "local[*]",
                allowed=MASTERS,
                hint="the cluster has to be of the version of this pyspark",
            ) from error
        yield made
    finally:
        _end(context, gateway)


def _settings(master: str | None, place: Path) -> dict[str, str]:
    settings = {
        "spark.master": master or "local[*]",
        "spark.app.name": "churnwatch",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        # What is to be done is known beforehand, and so how much of it is done.
        "spark.sql.adaptive.enabled": "false",
    }
    if _is_local(master):
        settings |= {
            # Nobody but this machine has business with it.
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(place / "spark"),
            "spark.sql.warehouse.dir": str(place / "warehouse"),
            # The workers import what this process runs, installed or not.
            "spark.executorEnv.PYTHONPATH": str(Path(churnwatch.__file__).parents[1]),
        }
    return settings


def _is_local(master: str | None) -> bool:
    return master is None or master.startswith("local")


@contextmanager
def _python(master: str | None) -> Iterator[None]:
    """The Python of the workers: ours on this machine; elsewhere the user's word comes first."""
    before = os.environ.get("PYSPARK_PYTHON")
    if before is None or _is_local(master):
        os.environ["PYSPARK_PYTHON"] = sys.executable
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYSPARK_PYTHON"]
        else:
            os.environ["PYSPARK_PYTHON"] = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Without pyspark's word on pandas 3, none of which it is given here: what passes between them is Arrow."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def _end(context: Any, gateway: Any) -> None:
    """End the Java process: pyspark would keep it until this process ends, and take it for any later session."""
    from pyspark import SparkContext

    if context is not None:
        with suppress(OSError):  # where Java is gone already, only the second call can forget the context
            context.stop()
        context.stop()
    if gateway is None:
        return
    gateway.shutdown()
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(STOP)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()
    if SparkContext._gateway is gateway:  # noqa: SLF001  # nothing public forgets it
        SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001


def _first_words(error: Exception, log: Path) -> str:
    """Java's own message, or what it left in the log when it could not even run."""
    java = getattr(error, "java_exception", None)
    if java is not None:
        return str(java.getMessage()).splitlines()[0]
    said = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    told = [line for line in said if "rror" in line or "xception" in line]
    return (told or said or [str(error)])[0]


def run(context: Any, what: str, job: Callable[[], None], report: Report | None) -> None:
    """Do ``job`` on the Spark context while reporting how many of its tasks are done; it ends when this does.

    Raises UsageError where it fails, and where nothing was worked on for `PATIENCE`.
    """
    from py4j.protocol import Py4JError, Py4JNetworkError
    from pyspark.errors import PySparkException

    group = f"churnwatch {what} {uuid.uuid4()}"

    def grouped() -> None:
        context.setJobGroup(group, f"churnwatch: {what}", interruptOnCancel=True)
        job()

    try:
        with _quiet(), ThreadPoolExecutor(1) as pool:
            future = pool.submit(grouped)
            try:
                _watch(context.statusTracker(), future, group, what, report)
            except BaseException:
                with suppress(Py4JError, OSError):  # a Java that is gone has nothing to end
                    context.cancelJobGroup(group)
                raise
            future.result()
    except (Py4JNetworkError, OSError) as error:
        raise UsageError(
            "Spark's Java process has ended",
            where=context.master,
            hint="was there too little memory? spark-defaults.conf gives it more: spark.driver.memory",
        ) from error
    except (PySparkException, Py4JError) as error:
        raise UsageError(
            f"Spark gave up: {_last_words(error)}",
            where=context.master,
            hint="every machine needs this churnwatch in its Python (PYSPARK_PYTHON), --out's directory, and memory",
        ) from error


def _watch(tracker: Any, future: Future[None], group: str, what: str, report: Report | None) -> None:
    idle, tasks = 0.0, 1
    while not wait([future], timeout=LOOK).done:
        jobs = filter(None, map(tracker.getJobInfo, tracker.getJobIdsForGroup(group)))
        stages = list(filter(None, (tracker.getStageInfo(stage) for job in jobs for stage in job.stageIds)))
        if report and stages:
            tasks = sum(one.numTasks for one in stages)
            report(what, sum(one.numCompletedTasks for one in stages), tasks)
        idle = 0.0 if any(one.numActiveTasks for one in stages) else idle + LOOK
        if idle >= PATIENCE:
            raise UsageError(
                f"no machine has worked on anything for {PATIENCE} s",
                where="Spark",
                hint="look whether the cluster has workers with free cores and memory",
            )
    if report and future.exception() is None:
        report(what, tasks, tasks)


def _last_words(error: Exception) -> str:
    """The last line of a worker's traceback, else what Spark itself says of the task that failed last."""
    lines = [line.strip("\n") for line in str(error).splitlines() if line.strip()]
    begun = [i for i, line in enumerate(lines) if line.startswith("Traceback")]
    after = lines[begun[-1] + 1 :] if begun else [line for line in lines if not line.startswith("An error occurred")]
    told = next((line for line in after if not line.startswith(" ")), type(error).__name__)
    return told.removeprefix(": ").rpartition("most recent failure: ")[2]

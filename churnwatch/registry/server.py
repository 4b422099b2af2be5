"""A tracking server asked one question over plain HTTP, with a short patience and without importing MLflow.

Importing MLflow costs seconds and its client waits for minutes; a daily run has neither.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from churnwatch.registry.tracking import ABSENT, VERSION_TAG

PATIENCE = 3.0
"""Seconds for an answer; our choice: a server that is there takes a tenth of one."""
SLACK = 1.0
"""Seconds more until the question is given up, whatever name server or proxy it hangs at."""


class ServerAway(Exception):
    """The server gave no answer that can be used; the text says what it gave instead."""


def is_server(uri: str | None) -> bool:
    """Whether a tracking uri names a server."""
    return uri is not None and uri.startswith(("http://", "https://"))


def served_alias(uri: str, name: str, alias: str, *, patience: float = PATIENCE) -> str | None:
    """The version (12 hex digits) that ``alias`` of ``name`` points at on the server; None without such an alias.

    A version that churnwatch did not register has no such digits: then its number in MLflow, as ``number 7``. Raises
    ServerAway within ``patience`` and a second.
    """
    path = f"/api/2.0/mlflow/registered-models/alias?name={quote(name, safe='')}&alias={quote(alias, safe='')}"
    try:
        told = _asked(uri.rstrip("/") + path, patience)["model_version"]
        tags = {tag["key"]: tag["value"] for tag in told.get("tags", [])}
        return str(tags.get(VERSION_TAG) or f"number {told['version']}")
    except _Absent:
        return None
    except (KeyError, TypeError, AttributeError):
        raise ServerAway("answers, but not as MLflow does") from None


def check_server(uri: str, *, patience: float = PATIENCE) -> None:
    """Raise ServerAway unless a tracking server answers there."""
    served_alias(uri, "churnwatch", "champion", patience=patience)


class _Absent(Exception):
    pass


def _asked(url: str, patience: float) -> Any:
    """The JSON object behind ``url``. Asked in a thread of its own: looking a name up knows no time limit."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(_answer(url, patience)), daemon=True)
    thread.start()
    thread.join(patience + SLACK)
    if not found:
        raise ServerAway("does not answer")
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _answer(url: str, patience: float) -> Any:
    """The object, or the error to raise: a thread's own would be lost."""
    request = Request(_bare(url))  # noqa: S310 (is_server has looked at it)
    for header, value in _credentials(url).items():
        # urllib takes other headers along wherever a redirection leads.
        request.add_unredirected_header(header, value)
    try:
        with urlopen(request, timeout=patience) as answer:  # noqa: S310
            return json.load(answer)
    except HTTPError as error:
        try:
            code = json.load(error)["error_code"]
        except (ValueError, KeyError, TypeError, OSError):
            code = None
        return _Absent() if code in ABSENT else ServerAway(f"answers with HTTP status {error.code}")
    except (URLError, OSError, HTTPException):
        return ServerAway("does not answer")
    except ValueError:
        return ServerAway("answers, but not as MLflow does")


def _bare(url: str) -> str:
    """The address without a name and a password before its host, which urllib would take for a part of the host."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _credentials(url: str) -> dict[str, str]:
    """What MLflow's own client would send: a token or a name from its environment variables, else those of the uri."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    within = urlsplit(url).netloc.rpartition("@")[0]
    if user:
        both = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
    elif token:
        return {"Authorization": f"Bearer {token}"}
    elif within:
        both = unquote(within)
    else:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}

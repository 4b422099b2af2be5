"""The tracking store of a deployment, and what its server says of the model in use."""

from __future__ import annotations

from churnwatch.errors import ProjectError
from churnwatch.runs.workspace import Workspace


def tracking_uri(workspace: Workspace) -> str:
    """The deployment's tracking store."""
    from churnwatch.registry import store_uri

    return workspace.spec.tracking.uri or store_uri(workspace.state)


def check_tracking(workspace: Workspace) -> None:
    """ProjectError where the tracking server does not answer: asked before the work, not after it."""
    from churnwatch.registry import ServerAway, check_server, is_server

    uri = tracking_uri(workspace)
    if is_server(uri):
        try:
            check_server(uri)
        except ServerAway as away:
            raise ProjectError(
                f"the tracking server {away}; nothing was changed",
                where=f"configs/{workspace.deployment}/tracking.yaml: uri",
                hint="start the server or correct its address; `score` and `daily` go on without it",
            ) from None


def tracking_warnings(workspace: Workspace, name: str, version: str) -> tuple[str, ...]:
    """A sentence where the server does not answer, or calls another version of ``name`` champion than ``version``.

    Scoring goes by the ledger and the verified copy, whatever the server says: an alias that somebody moved there by
    hand has passed no gate and stands in no log. The embedded store is asked nothing: nobody else moves its aliases,
    and opening it takes longer than many a daily run.
    """
    from churnwatch.registry import ServerAway, is_server, served_alias

    uri, full = workspace.spec.tracking.uri, f"{workspace.deployment}.{name}"
    if uri is None or not is_server(uri):
        return ()
    try:
        found = served_alias(uri, full, "champion")
    except ServerAway as away:
        return (f"The tracking server {away}: scored from the verified copy of {full} {version}.",)
    if found == version:
        return ()
    says = f"calls {found} champion of {full}" if found else f"knows no champion of {full}"
    return (
        f"The tracking server {says}, but the version in use is {version}, by which this was scored: an alias moved by "
        f"hand is no promotion. `churnwatch promote {name} {found or version} --why …` settles it.",
    )

"""The registry: bundles, their verified copies, and MLflow, which no other room knows."""

from churnwatch.registry.bundle import Bundle, bundle_hashes, bundle_version, read_bundle, write_bundle
from churnwatch.registry.registered import Registered, fetch_copy, logged_text, registered
from churnwatch.registry.server import ServerAway, check_server, is_server, served_alias
from churnwatch.registry.store import champion_bundle, keep_copy
from churnwatch.registry.tracking import Logged, alias_version, drop_alias, log_model, set_alias, store_uri
from churnwatch.registry.trials import SearchLog

__all__ = [
    "Bundle",
    "Logged",
    "Registered",
    "SearchLog",
    "ServerAway",
    "alias_version",
    "bundle_hashes",
    "bundle_version",
    "champion_bundle",
    "check_server",
    "drop_alias",
    "fetch_copy",
    "is_server",
    "keep_copy",
    "log_model",
    "logged_text",
    "read_bundle",
    "registered",
    "served_alias",
    "set_alias",
    "store_uri",
    "write_bundle",
]

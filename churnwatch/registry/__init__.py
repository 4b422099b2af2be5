"""The registry: bundles, their verified copies, and MLflow, which no other room knows."""

from churnwatch.registry.bundle import Bundle, bundle_hashes, bundle_version, read_bundle, write_bundle
from churnwatch.registry.store import champion_bundle, keep_copy
from churnwatch.registry.tracking import Logged, alias_version, log_model, set_alias, store_uri
from churnwatch.registry.trials import SearchLog

__all__ = [
    "Bundle",
    "Logged",
    "SearchLog",
    "alias_version",
    "bundle_hashes",
    "bundle_version",
    "champion_bundle",
    "keep_copy",
    "log_model",
    "read_bundle",
    "set_alias",
    "store_uri",
    "write_bundle",
]

"""A pytest plugin for Feast's own tests: with FEAST_CONFORMANCE_STORE=feast_remote what they take for Feast's remote online store
is ours."""

import os

if os.environ.get("FEAST_CONFORMANCE_STORE") == "feast_remote":
    import feast.infra.online_stores.remote
    import feast.repo_config
    from feast_remote import FeastRemoteOnlineStore, FeastRemoteOnlineStoreConfig

    feast.repo_config.ONLINE_STORE_CLASS_FOR_TYPE["remote"] = "feast_remote.FeastRemoteOnlineStore"
    feast.infra.online_stores.remote.RemoteOnlineStore = FeastRemoteOnlineStore
    feast.infra.online_stores.remote.RemoteOnlineStoreConfig = FeastRemoteOnlineStoreConfig

"""The figures of feast_remote's stores in a program that has prometheus_client: registered once, they stand among its own.

    prometheus_client.REGISTRY.register(Stores({"drivers": remote}))
"""

from prometheus_client.parser import text_string_to_metric_families

import feast_remote


class Stores:
    """A collector over the stores of a dict, by their names; stores may be added and taken out at any time."""

    def __init__(self, stores):
        self.stores = stores

    def collect(self):
        if self.stores:
            yield from text_string_to_metric_families(feast_remote.prometheus(dict(self.stores)))

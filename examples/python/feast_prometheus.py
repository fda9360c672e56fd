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


def main(url):
    """Asks ten times a second, and serves what there is to see of it on /metrics. Prints its port."""
    import time

    import prometheus_client

    with feast_remote.Remote(path=url) as remote:
        prometheus_client.REGISTRY.register(Stores({"drivers": remote}))
        server, _ = prometheus_client.start_http_server(0, addr="127.0.0.1")
        print(server.server_port, flush=True)
        while True:
            remote.get_online_features(["driver_hourly_stats:conv_rate"], {"driver_id": [1001]})
            time.sleep(0.1)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])

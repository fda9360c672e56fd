"""Two drivers' features blocking, as a matrix, and awaited twenty times at once.

    python example.py http://localhost:6566
"""

import asyncio
import sys

from feast_remote import FeastError, Remote


async def main(url):
    features = ["driver_hourly_stats:avg_daily_trips", "driver_hourly_stats:conv_rate"]
    with Remote(path=url, request_timeout_ms=30000) as remote:
        print(remote.fetch(features, {"driver_id": [1001, 1002]}).to_dict())
        print(remote.get_matrix(features, {"driver_id": [1002, 1001]}).shape)
        calls = [remote.fetch_async(features, {"driver_id": driver}) for driver in range(1001, 1021)]
        print(sum(response.num_rows for response in await asyncio.gather(*calls)), "rows from", len(calls), "calls at once")
        try:
            remote.fetch("nope:nothing", {"driver_id": 1})
        except FeastError as error:
            print(error.status, error.feast_class)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:6566"))

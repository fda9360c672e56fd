"""Merged calls by the package for Python: each gets its own row, and the schema tells how many shared a request.
usage: merged_calls.py URL"""
import asyncio
import sys

from feast_remote import Remote


def calls_in_request(batch):
    return int((batch.schema.metadata or {}).get(b"calls_in_request", 1))


async def most_together(entities, keys):
    """The most calls that shared a request, of some rounds of eight that may and one that may not."""
    most = 1
    with Remote(path=sys.argv[1], merge_max_rows=64, merge_in_flight=1, merge_check=False) as remote:
        for _ in range(1000):
            calls = [remote.get_online_features_async(["v:a"], {entities: [key]}, merge=key != keys[-1]) for key in keys]
            batches = await asyncio.gather(*calls)
            assert [batch.column(0).to_pylist() for batch in batches] == [[key] for key in keys]
            assert calls_in_request(batches[-1]) == 1
            most = max(most, *map(calls_in_request, batches))
            if most > 1:
                break
        assert calls_in_request(remote.get_online_features(["v:a"], {entities: [keys[0]]}, merge=False)) == 1
        assert remote.get_matrix(["v:a"], {entities: [keys[0]]}, merge=False).shape == (1, 1)
    return most


async def main():
    assert await most_together("id", list(range(1, 10))) > 1, "integers"
    assert await most_together("city", [f"Köln {i}" for i in range(9)]) > 1, "strings"
    print("as expected")


asyncio.run(main())

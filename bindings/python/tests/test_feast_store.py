"""Feast's SDK over FeastRemoteOnlineStore and over Feast's own remote store, against a real server: FEAST_URL, FEAST_REGISTRY."""

import asyncio
import os
import socket
import subprocess
import sys
import unittest
from datetime import datetime, timezone

import pandas as pd
from feast import FeatureStore, RepoConfig
from feast.errors import FeatureViewNotFoundException
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast_remote import CallTimeoutError

URL, REGISTRY = os.environ["FEAST_URL"], os.environ["FEAST_REGISTRY"]
AT = datetime(2026, 3, 1, tzinfo=timezone.utc)


def opened(kind, **keys):
    return FeatureStore(
        config=RepoConfig(
            project="drivers",
            provider="local",
            registry=REGISTRY,
            online_store={"type": kind, "path": URL, **keys},
            entity_key_serialization_version=3,
        )
    )


def key(**values):
    of = {int: "int64_val", str: "string_val"}
    return EntityKey(join_keys=values, entity_values=[Value(**{of[type(value)]: value}) for value in values.values()])


class Store(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ours = opened("feast_remote.FeastRemoteOnlineStore", request_timeout_ms=60000)
        cls.theirs = opened("remote")

    def read(self, view, keys, names):
        store = self.ours
        return store._get_provider().online_read(store.config, store.get_feature_view(view), keys, names)

    def test_answers_are_those_of_feasts_store(self):
        drivers = [{"driver_id": 1001}, {"driver_id": 1003}, {"driver_id": 9999}]
        names = "int64_value double_value string_value bool_value int64_list map_value uuid_value".split()
        for features in (
            ["driver_hourly_stats:conv_rate", "driver_hourly_stats:home_city"],
            [f"every_type:{name}" for name in names],
            self.ours.get_feature_service("driver_activity"),
        ):
            for full in (False, True):
                ours, theirs = (
                    store.get_online_features(features, drivers, full_feature_names=full) for store in (self.ours, self.theirs)
                )
                self.assertEqual(repr(sorted(ours.to_dict().items())), repr(sorted(theirs.to_dict().items())))
                self.assertEqual(sorted(ours.to_dict(True)), sorted(theirs.to_dict(True)))
                values = [
                    {n: list(r.values) for n, r in zip(x.proto.metadata.feature_names.val, x.proto.results)} for x in (ours, theirs)
                ]
                self.assertEqual(*values)
                self.assertEqual(ours.to_dict(), theirs.to_dict())  # by way of the message now

    def test_versions_of_feature_views_are_those_of_feasts_store(self):
        features = ["driver_hourly_stats:conv_rate", "driver_customer_affinity:rides_together"]
        rows = [{"driver_id": 1001, "customer_id": "C-003"}]
        for include in (False, True):
            answers = [
                store.get_online_features(features, rows, include_feature_view_version_metadata=include)
                for store in (self.ours, self.theirs)
            ]
            answers.append(
                asyncio.run(self.ours.get_online_features_async(features, rows, include_feature_view_version_metadata=include))
            )
            ours, theirs, awaited = [list(answer.proto.metadata.feature_view_metadata) for answer in answers]
            self.assertEqual((ours, awaited), (theirs, theirs))
            self.assertEqual(len(ours), 2 if include else 0)

    def test_nested_lists_which_feasts_store_cannot_read(self):
        response = self.ours.get_online_features(["every_type:nested_list"], [{"driver_id": 1001}])
        self.assertEqual(response.to_dict()["nested_list"], [[[1, 2], [3]]])
        response.proto
        self.assertEqual(response.to_dict()["nested_list"], [[[1, 2], [3]]])

    def test_event_timestamps_are_kept(self):
        response = self.ours.get_online_features(["driver_hourly_stats:conv_rate"], [{"driver_id": 1001}])
        direct = response.to_dict(include_event_timestamps=True)
        self.assertGreater(direct["conv_rate__ts"][0], 0)
        response.proto
        self.assertEqual(response.to_dict(include_event_timestamps=True)["conv_rate__ts"], direct["conv_rate__ts"])

    def test_errors_come_with_feasts_class_and_the_servers_words(self):
        with self.assertRaisesRegex(FeatureViewNotFoundException, "Feature view nope does not exist"):
            self.ours.get_online_features(["nope:x"], [{"driver_id": 1}])
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            hurried = opened("feast_remote.FeastRemoteOnlineStore", request_timeout_ms=50, path=url)
            with self.assertRaises(CallTimeoutError):
                hurried.get_online_features(["driver_hourly_stats:conv_rate"], [{"driver_id": 1}])

    def test_written_rows_are_read_with_their_own_timestamps_and_columns(self):
        frame = pd.DataFrame({"driver_id": [61001, 61002], "number": [2**53 + 1, 5], "event_timestamp": [AT, AT]})
        self.ours.write_to_online_store("written_number", frame)
        rows = self.read("written_number", [key(driver_id=61001), key(driver_id=61002), key(driver_id=1)], ["number"])
        self.assertEqual(rows, [(AT, {"number": Value(int64_val=2**53 + 1)}), (AT, {"number": Value(int64_val=5)}), (None, None)])
        renamed = pd.DataFrame({"driver_id": [61003], "number": [7], "happened": [AT], "noted": [AT]})
        self.ours.write_to_online_store("written_at", renamed)
        self.assertEqual(self.read("written_at", [key(driver_id=61003)], ["number"]), [(AT, {"number": Value(int64_val=7)})])

    def test_a_push_writes_online(self):
        columns = {"driver_id": 61004, "int32_value": 1, "int64_value": 4, "float_value": 0.5, "double_value": 0.25,
                   "bool_value": True, "string_value": "x", "time_value": AT, "json_value": '{"a": 1}', "map_value": {"k": "v"},
                   "int64_list": [1, 2], "float_list": [0.5], "double_list": [0.25], "string_list": ["a"], "time_list": [AT],
                   "event_timestamp": AT}
        self.ours.push("written_push", pd.DataFrame([columns]))
        names = ["int64_value", "string_value", "time_value", "int64_list", "map_value"]
        ((when, values),) = self.read("written", [key(driver_id=61004)], names)
        self.assertEqual((when, values["int64_value"].int64_val, values["string_value"].string_val), (AT, 4, "x"))
        self.assertEqual(values["time_value"].unix_timestamp_val, int(AT.timestamp()))
        self.assertEqual(list(values["int64_list"].int64_list_val.val), [1, 2])
        self.assertEqual(dict(values["map_value"].map_val.val), {"k": Value(string_val="v")})

    def test_the_join_keys_of_several_entities_are_sent(self):
        frame = pd.DataFrame({"driver_id": [61005], "customer_id": ["C5"], "rides_together": [9], "event_timestamp": [AT]})
        self.ours.write_to_online_store("driver_customer_affinity", frame)
        found = self.read("driver_customer_affinity", [key(driver_id=61005, customer_id="C5")], ["rides_together"])
        self.assertEqual(found, [(AT, {"rides_together": Value(int64_val=9)})])

    def test_bytes_and_times_have_their_types(self):
        ((_, values),) = self.read("every_type", [key(driver_id=1001)], ["bytes_value", "unix_timestamp_value"])
        self.assertEqual({name: value.WhichOneof("val") for name, value in values.items()},
                         {"bytes_value": "bytes_val", "unix_timestamp_value": "unix_timestamp_val"})

    def test_async_variants(self):
        async def both():
            store = opened("feast_remote.FeastRemoteOnlineStore", request_timeout_ms=60000)
            answer = await store.get_online_features_async(["driver_hourly_stats:conv_rate"], [{"driver_id": 1001}])
            frame = pd.DataFrame({"driver_id": [61006], "number": [6], "event_timestamp": [AT]})
            await store.write_to_online_store_async("written_number", frame)
            rows = await store._get_provider().online_read_async(
                store.config, store.get_feature_view("written_number"), [key(driver_id=61006)], ["number"]
            )
            await store.close()
            return answer.to_dict(), rows

        answer, rows = asyncio.run(both())
        same = self.ours.get_online_features(["driver_hourly_stats:conv_rate"], [{"driver_id": 1001}]).to_dict()
        self.assertEqual((answer, rows), (same, [(AT, {"number": Value(int64_val=6)})]))

    def test_one_store_has_one_pool(self):
        store = opened("feast_remote.FeastRemoteOnlineStore", request_timeout_ms=60000)
        for _ in range(3):
            store.get_online_features(["driver_hourly_stats:conv_rate"], [{"driver_id": 1001}])
        remote = store._get_provider().online_store.remote(store.config)
        self.assertIn('feast_remote_calls_total{store="s",outcome="success"} 3', prometheus_of(remote))
        asyncio.run(store.close())


    def test_a_store_that_nobody_closes_ends_with_its_program_without_a_word(self):
        program = (
            "import os, sys; sys.argv = ['x']; sys.path.insert(0, os.environ['TESTS']); import test_feast_store as t\n"
            "store = t.opened('feast_remote.FeastRemoteOnlineStore', request_timeout_ms=60000)\n"
            "print(store.get_online_features(['driver_hourly_stats:conv_rate'], [{'driver_id': 1001}]).to_dict()['driver_id'])"
        )
        environment = {**os.environ, "TESTS": os.path.dirname(__file__)}
        ended = subprocess.run([sys.executable, "-W", "ignore", "-c", program], env=environment, capture_output=True, text=True)
        self.assertEqual((ended.stdout, ended.stderr), ("[1001]\n", ""))


def prometheus_of(remote):
    from feast_remote import prometheus

    return prometheus({"s": remote})


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout))  # on stderr there are complaints alone

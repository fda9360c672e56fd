"""Entity values as people have them, and answers as Feast's to_dict() gives them."""

import datetime
import decimal
import sys
import unittest
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
from fake_server import FakeServer
from feast_remote import DecodeError, FeastError, InvalidArgumentError, Remote, Request, WrongTypeError

ID = uuid.UUID("3f2504e0-4f89-11d3-9a0c-0305e82c3301")


class EntityValues(unittest.TestCase):
    def sent(self, entities):
        """As entities, and as request data, which the Go server takes apart from them."""
        with FakeServer() as server, Remote(path=server.url, server="go") as remote:
            rows = remote.fetch("v:a", entities).num_rows
            remote.fetch("v:a", {"id": list(range(rows))}, request_data=entities)
            given, data = server.bodies
        self.assertEqual(data["entities"], {"id": list(range(rows))})
        self.assertEqual(data["request_context"], given["entities"])
        return given["entities"]

    def test_values_of_any_library_are_sent_as_json_has_them(self):
        when = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.timezone.utc)
        for given, sent in [
            ([np.int64(1001), None], [1001, None]),
            (pd.array([1001, None], dtype="Int64"), [1001, None]),
            (pd.Series([1, 2]), [1, 2]),
            ([np.bool_(True), np.bool_(False)], [True, False]),
            (np.array([True, False]), [True, False]),
            (np.array([1, 2], dtype=np.uint16), [1, 2]),
            (np.array(["a", "b"]), ["a", "b"]),
            ([1.5, float("nan")], [1.5, None]),
            ([ID], [str(ID)]),
            ([when], ["2026-03-01T12:00:00Z"]),
            ([decimal.Decimal("1.10")], ["1.10"]),
            (pa.array([1, None]), [1, None]),
            (pa.chunked_array([["a"], ["b"]]), ["a", "b"]),
            ([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0]]),
            (range(3), [0, 1, 2]),
            (7, [7]),
            ("Köln", ["Köln"]),
        ]:
            with self.subTest(given=given):
                self.assertEqual(self.sent({"x": given}), {"x": sent})

    def test_rows_may_be_a_list_of_dicts(self):
        self.assertEqual(self.sent([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]), {"x": [1, 2], "y": ["a", "b"]})
        with self.assertRaises(InvalidArgumentError):
            Request("v:a", [{"x": 1}, {"y": 2}])

    def test_request_data_is_among_the_entities_where_the_server_wants_it_there(self):
        with FakeServer() as server, Remote(path=server.url, server="python") as remote:
            request = Request("v:a", {"x": [1, 2]}, request_data={"amount": [0.5, 1.5]})
            remote.fetch(request)
            remote.fetch(request.clone().set_request_data({"amount": [2.5, 3.5]}))
            self.assertEqual([body["entities"]["amount"] for body in server.bodies], [[0.5, 1.5], [2.5, 3.5]])
            with self.assertRaises(InvalidArgumentError):
                remote.fetch("v:a", {"x": [1, 2]}, request_data={"amount": [1]})

    def test_one_feature_is_not_read_letter_by_letter(self):
        with FakeServer() as server, Remote(path=server.url) as remote:
            self.assertEqual(remote.fetch("v:a", {"x": 1}).column_names, ["x", "a"])

    def test_a_nul_does_not_cut_names_short(self):
        for make in (
            lambda: Request("v:a\0b", {"x": 1}),
            lambda: Request("v:a", {"x\0y": 1}),
            lambda: Request("v:a", {"x": 1}, request_data={"x\0y": 1}),
            lambda: Remote(path="http://a\0b"),
        ):
            with self.assertRaisesRegex(InvalidArgumentError, "NUL"):
                make()


class Answers(unittest.TestCase):
    def fetched(self, values, **options):
        with FakeServer({"a": values}) as server, Remote(path=server.url) as remote:
            return remote.fetch("v:a", {"x": list(range(len(values)))}, **options)

    def test_json_is_told_from_text_by_field_metadata(self):
        response = self.fetched([{"k": 1}, None])
        self.assertEqual(response.to_arrow().schema.field("a").metadata, {b"feast_type": b"JSON"})
        self.assertEqual(response.to_dict()["a"], [{"k": 1}, None])
        text = self.fetched(['{"k": 1}', None])
        self.assertIsNone(text.to_arrow().schema.field("a").metadata)
        self.assertEqual(text.to_dict()["a"], ['{"k": 1}', None])

    def test_declared_types_are_made(self):
        for kind, values, made in [
            (uuid.UUID, [str(ID), None], [ID, None]),
            (decimal.Decimal, ["1.10"], [decimal.Decimal("1.10")]),
            (set[int], [[1, 2], None], [{1, 2}, None]),
            (set[uuid.UUID], [[str(ID)]], [{ID}]),
            (list[decimal.Decimal], [["1.1", "2"]], [[decimal.Decimal("1.1"), decimal.Decimal("2")]]),
            (datetime.datetime, [0], [datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)]),
            (bytes, ["AAE=", None], [b"\0\1", None]),
            (list[bytes], [["AAE=", None], None], [[b"\0\1", None], None]),
            (list[datetime.datetime], [[0, None]], [[datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc), None]]),
            (dict, [{"k": [1, None]}, None], [{"k": [1, None]}, None]),
            (np.float32, [0.1], [float(np.float32(0.1))]),
        ]:
            with self.subTest(kind=kind):
                self.assertEqual(self.fetched(values, types={"v:a": kind}).to_dict()["a"], made)
                self.assertEqual(self.fetched(values, types={"a": kind}).to_dict()["a"], made)
        with self.assertRaises(WrongTypeError):
            self.fetched([2**53 + 1, 1.5], types={"v:a": int})
        for kind, value in ((datetime.datetime, 2**62), (uuid.UUID, "x"), (decimal.Decimal, "x")):
            with self.assertRaisesRegex(WrongTypeError, "column 'a'"):
                self.fetched([value], types={"v:a": kind}).to_dict()

    def test_an_integer_that_python_refuses_is_an_error_of_ours(self):
        limit = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(0)  # for the server
        try:
            response = self.fetched([{"k": 10**5000}])
        finally:
            sys.set_int_max_str_digits(limit)
        with self.assertRaises(DecodeError):
            response.to_dict()

    def test_to_dict_has_what_to_arrow_has(self):
        for values in ([1, None, -(2**63)], [0.1, 1e300, 5e-324], ["a\"\\\n\0ö\U0001f600", "", None], [True, None, False], [None] * 2,
                       [[1, None], [], None], [["x"], [None], ["y", "z"]], [1.5, "NaN", "-Infinity"]):
            with self.subTest(values=values):
                response = self.fetched(values)
                self.assertEqual(repr(response.to_dict()["a"]), repr(response.to_arrow().column("a").to_pylist()))

    def test_no_conversion_rounds_integers_or_loses_what_is_missing(self):
        response = self.fetched([2**53 + 1, None])
        self.assertEqual(response.to_dict()["a"], [2**53 + 1, None])
        array = response.to_numpy()["a"]
        self.assertEqual((array[0], array.mask.tolist()), (2**53 + 1, [False, True]))
        frame = response.to_pandas()
        self.assertEqual(str(frame["a"].dtype), "Int64")
        self.assertEqual(frame["a"][0], 2**53 + 1)
        self.assertEqual(response.to_matrix(["a"], missing=-1, dtype=np.int64).tolist(), [[2**53 + 1], [-1]])

    def test_statuses_and_event_timestamps(self):
        response = self.fetched([1, None])
        self.assertEqual(response.statuses("a").tolist(), [1, 2])
        self.assertEqual(response.event_timestamps("a").tolist(), [1772323200 * 10**9] * 2)
        self.assertEqual(response.to_dict(include_event_timestamps=True)["a__ts"], [1772323200] * 2)
        self.assertIn("a__status", response.to_arrow(full=True).schema.names)
        with self.assertRaises(KeyError):
            response.statuses("b")

    def test_feature_views_have_versions_where_they_are_asked_for(self):
        self.assertEqual(self.fetched([1]).feature_views, [])
        views = self.fetched([1], include_feature_view_version_metadata=True).feature_views
        self.assertEqual(views, [("v", 3), ("w", 0)])
        self.assertEqual((views[0].name, views[0].version), ("v", 3))

    def test_a_template_is_cloned(self):
        with FakeServer() as server, Remote(path=server.url) as remote:
            template = Request(["v:a"], types={"v:a": float})
            responses = [remote.fetch(template.clone().set_entities({"x": [i]})) for i in range(3)]
            self.assertEqual([r.to_dict() for r in responses], [{"x": [i], "a": [1.0]} for i in range(3)])
            with self.assertRaises(FeastError):
                remote.fetch(template)


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout))  # on stderr there are complaints alone

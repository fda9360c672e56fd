"""Feast's SDK searches by vector over FeastRemoteOnlineStore, on a real server with Milvus: FEAST_URL, FEAST_REGISTRY."""

import os
import sys
import unittest
from datetime import datetime, timezone

import pandas as pd
from feast import FeatureStore, RepoConfig

# As tests/conformance/searches.rs has them: not in the order of distance from the origin, nor of the keys.
DOCUMENTS = {
    10: ([0.0, 0.0, 0.1], "ten"), 3: ([0.1, 0.1, 0.0], "three"), 1: ([0.5, 0.5, 0.0], "one"), 7: ([0.9, 0.9, 0.9], "seven"),
    5: ([2.0, 2.0, 2.0], "five"),
}


class Search(unittest.TestCase):
    def test_each_row_is_one_document(self):
        store = FeatureStore(
            config=RepoConfig(
                project="documents",
                provider="local",
                registry=os.environ["FEAST_REGISTRY"],
                online_store={
                    "type": "feast_remote.FeastRemoteOnlineStore", "path": os.environ["FEAST_URL"], "request_timeout_ms": 60000
                },
                entity_key_serialization_version=3,
            )
        )
        rows = [
            {"doc_id": key, "embedding": vector, "text": text, "year": 2000 + key,
             "event_timestamp": datetime.fromtimestamp(0, timezone.utc)}
            for key, (vector, text) in DOCUMENTS.items()
        ]
        store.push("docs_push", pd.DataFrame(rows))
        features = ["docs:text", "docs:year", "docs:embedding"]
        found = store.retrieve_online_documents_v2(features=features, query=[0.0] * 3, top_k=4, distance_metric="L2").to_dict()
        keys = found["doc_id"]
        self.assertEqual((found["text"], found["year"]), ([DOCUMENTS[key][1] for key in keys], [2000 + key for key in keys]))
        for vector, key in zip(found["embedding"], keys):
            for item, written in zip(vector, DOCUMENTS[key][0]):
                self.assertAlmostEqual(item, written, 6)
        self.assertEqual([key for _, key in sorted(zip(found["distance"], keys))], [10, 3, 1, 7])


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout))  # on stderr there are complaints alone

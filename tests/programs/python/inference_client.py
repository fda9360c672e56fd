"""NVIDIA's client of the Open Inference Protocol against examples/inference_server.

usage: inference_client.py HOST:PORT MODEL_FOLDER EXPECTED_JSON
Scores must be XGBoost's own, of what was written to the online store, to the last bit.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton
import xgboost
from tritonclient.utils import InferenceServerException

address, folder, expected = sys.argv[1:]
MODEL = "driver_score"
config = json.load(open(f"{folder}/config.json"))
drivers = json.load(open(expected))["driver_hourly_stats"]
client = triton.InferenceServerClient(address)
assert client.is_server_live()
assert client.is_server_ready()
assert client.is_model_ready(MODEL)
metadata = client.get_model_metadata(MODEL)
assert [tensor["name"] for tensor in metadata["inputs"]] == ["driver_id"], metadata
assert [tensor["name"] for tensor in metadata["outputs"]] == ["score"], metadata


def scores(ids, outputs=None):
    ids = np.array(ids, dtype=np.int64)
    entity = triton.InferInput("driver_id", list(ids.shape), "INT64")
    entity.set_data_from_numpy(ids, binary_data=False)
    answer = client.infer(MODEL, [entity], request_id="a-request", outputs=outputs)
    assert answer.get_response()["id"] == "a-request"
    return answer.as_numpy("score")


def features(driver):
    values = [drivers.get(str(driver), {}).get(feature.split(":")[1]) for feature in config["features"]]
    return [np.nan if value is None else float(value) for value in values]


model = xgboost.Booster(model_file=f"{folder}/{config['model']}")
ids = [int(driver) for driver in drivers] + [9999]
own = model.inplace_predict(np.array([features(driver) for driver in ids], dtype=np.float32))
assert len(set(own.tolist())) > 10, "a model that says the same of everybody shows nothing"
asked = scores(ids, [triton.InferRequestedOutput("score", binary_data=False)])
assert asked.dtype == np.float32 and asked.tobytes() == own.tobytes(), (asked, own)
# One row, and without naming an output.
assert scores(ids[:1]).tobytes() == own[:1].tobytes()

for mistake in [
    lambda: client.get_model_metadata("nobody"),
    lambda: scores(ids, [triton.InferRequestedOutput("nothing", binary_data=False)]),
]:
    try:
        mistake()
        sys.exit("a mistake went unnoticed")
    except InferenceServerException as error:
        assert "no model `nobody`" in str(error) or 'no output "nothing"' in str(error), error

"""Trains a small model on the demo repository's drivers, and saves it with what the server needs to know of it.

usage: python train.py EXPECTED_JSON MODEL_FOLDER     (what tests/feast/fill.py says that it wrote: data/expected.json)
"""

import json
import sys
from pathlib import Path

import numpy as np
import xgboost

FEATURES = ["conv_rate", "acc_rate", "avg_daily_trips"]


def matrix(drivers):
    """NaN where there is no value. int64 stand in the file as text."""
    rows = [[driver[feature] for feature in FEATURES] for driver in drivers]
    return np.array([[np.nan if value is None else float(value) for value in row] for row in rows], dtype=np.float32)


def main(expected, folder):
    drivers = json.loads(Path(expected).read_text())["driver_hourly_stats"].values()
    features = matrix(drivers)
    # Something that depends on all features; there is nothing true about it.
    score = np.nan_to_num(features[:, 0]) * np.log1p(features[:, 2]) - features[:, 1]
    parameters = {"max_depth": 3, "min_child_weight": 0, "seed": 1, "nthread": 1}
    model = xgboost.train(parameters, xgboost.DMatrix(features, score), num_boost_round=50)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_model(folder / "model.json")
    config = {
        "name": "driver_score",
        "entities": [{"name": "driver_id", "datatype": "INT64"}],
        "features": [f"driver_hourly_stats:{feature}" for feature in FEATURES],
        "max_age_seconds": 365 * 24 * 3600,
        "model": "model.json",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

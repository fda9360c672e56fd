"""The inference server in Python, to compare with: FastAPI, Feast's SDK, XGBoost.

    FEAST_URL=http://localhost:6566 FEATURE_REPOSITORY=. MODEL_FOLDER=. uvicorn --app-dir THIS_FOLDER inference_server:app
"""

import json
import os
from pathlib import Path
from typing import Any

import xgboost
from fastapi import FastAPI, HTTPException
from features_by_sdk import FeatureError, Features
from pydantic import BaseModel

folder = Path(os.environ["MODEL_FOLDER"])
config = json.loads((folder / "config.json").read_text())
model = xgboost.Booster({"nthread": 1}, model_file=folder / config["model"])
features = Features(config["features"])
app = FastAPI()


class Tensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


class InferRequest(BaseModel):
    id: str = ""
    inputs: list[Tensor]


@app.get("/v2/health/live")
@app.get("/v2/health/ready")
def health():
    return {}


# Not `async`: FastAPI has a pool of threads for what waits, as Feast's SDK does.
@app.post(f"/v2/models/{config['name']}/infer")
def infer(request: InferRequest):
    entities = {tensor.name: tensor.data for tensor in request.inputs}
    try:
        scores = model.inplace_predict(features.fetch(entities))
    except FeatureError as failure:
        raise HTTPException(502, str(failure)) from failure
    output = {"name": "score", "datatype": "FP32", "shape": [len(scores)], "data": scores.tolist()}
    return {"model_name": config["name"], "model_version": "1", "id": request.id, "outputs": [output]}

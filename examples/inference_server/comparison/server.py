"""The same inference server with FastAPI and Feast's SDK, to compare with.

usage: python server.py MODEL_FOLDER FEATURE_REPOSITORY PORT WORKERS
The repository's feature_store.yaml has a remote online store, and a registry of which the SDK needs a copy.
"""

import json
import os
import sys
from pathlib import Path

import uvicorn
import xgboost
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from features import Features
from pydantic import BaseModel


class Input(BaseModel):
    name: str
    datatype: str
    shape: list[int]
    data: list[int] | list[str]


class InferRequest(BaseModel):
    id: str | None = None
    inputs: list[Input]


def application():
    folder = Path(os.environ["MODEL_FOLDER"])
    config = json.loads((folder / "config.json").read_text())
    model = xgboost.Booster(model_file=str(folder / config["model"]))
    model.set_param("nthread", 1)
    features = Features(os.environ["FEATURE_REPOSITORY"], config["features"], config["max_age_seconds"])
    app = FastAPI()

    @app.get("/v2/health/ready")
    def ready():
        return {}

    # Not async: FastAPI runs it on a thread, since the SDK blocks.
    @app.post(f"/v2/models/{config['name']}/infer")
    def infer(request: InferRequest):
        try:
            matrix = features.fetch({input.name: input.data for input in request.inputs}, len(request.inputs[0].data))
        except Exception as failure:
            return JSONResponse({"error": str(failure)}, 502)
        scores = model.inplace_predict(matrix).tolist()
        output = {"name": "score", "datatype": "FP32", "shape": [len(scores)], "data": scores}
        return {"model_name": config["name"], "model_version": "1", "id": request.id, "outputs": [output]}

    return app


if __name__ == "__main__":
    os.environ["MODEL_FOLDER"], os.environ["FEATURE_REPOSITORY"] = sys.argv[1:3]
    uvicorn.run("server:application", factory=True, port=int(sys.argv[3]), workers=int(sys.argv[4]), log_level="warning")

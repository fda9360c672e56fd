"""Documents with a vector each. The tests write them."""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, PushSource
from feast.types import Array, Float32, Int64, String
from feast.value_type import ValueType

document = Entity(name="document", join_keys=["doc_id"], value_type=ValueType.INT64)

docs = FeatureView(
    name="docs",
    entities=[document],
    ttl=timedelta(0),
    schema=[
        Field(name="doc_id", dtype=Int64),
        Field(name="embedding", dtype=Array(Float32), vector_index=True, vector_length=3, vector_search_metric="L2"),
        Field(name="text", dtype=String),
        Field(name="year", dtype=Int64),
    ],
    source=PushSource(
        name="docs_push",
        batch_source=FileSource(name="docs_source", path="data/docs.parquet", timestamp_field="event_timestamp"),
    ),
)

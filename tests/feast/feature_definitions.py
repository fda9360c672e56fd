"""Feature definitions: drivers, customers, both together, and one feature of every type that is served."""

from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.permissions.action import AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import RoleBasedPolicy
from feast.types import (
    Array,
    Bool,
    Bytes,
    Decimal,
    Float32,
    Float64,
    ImageBytes,
    Int32,
    Int64,
    Json,
    Map,
    PdfBytes,
    Set,
    String,
    Struct,
    TimeUuid,
    UnixTimestamp,
    Uuid,
    ZonedTimestamp,
)
from feast.value_type import ValueType

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)


def source(name):
    return FileSource(name=f"{name}_source", path=f"data/{name}.parquet", timestamp_field="event_timestamp")


driver_hourly_stats = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    ttl=timedelta(days=365),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="conv_rate", dtype=Float64),
        Field(name="acc_rate", dtype=Float32),
        Field(name="avg_daily_trips", dtype=Int64),
        Field(name="home_city", dtype=String),
        Field(name="is_active", dtype=Bool),
    ],
    source=source("driver_hourly_stats"),
)

customer_profile = FeatureView(
    name="customer_profile",
    entities=[customer],
    ttl=timedelta(0),
    schema=[Field(name="customer_id", dtype=String), Field(name="lifetime_value", dtype=Float64)],
    source=source("customer_profile"),
)

driver_customer_affinity = FeatureView(
    name="driver_customer_affinity",
    entities=[driver, customer],
    ttl=timedelta(0),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="customer_id", dtype=String),
        Field(name="rides_together", dtype=Int64),
    ],
    source=source("driver_customer_affinity"),
)

# All but ScalarMap, for which the server answers null (feast/feature_server_utils.py).
every_type = FeatureView(
    name="every_type",
    entities=[driver],
    ttl=timedelta(0),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="bool_value", dtype=Bool),
        Field(name="int32_value", dtype=Int32),
        Field(name="int64_value", dtype=Int64),
        Field(name="float_value", dtype=Float32),
        Field(name="double_value", dtype=Float64),
        Field(name="string_value", dtype=String),
        Field(name="bytes_value", dtype=Bytes),
        Field(name="unix_timestamp_value", dtype=UnixTimestamp),
        Field(name="uuid_value", dtype=Uuid),
        Field(name="decimal_value", dtype=Decimal),
        Field(name="json_value", dtype=Json),
        Field(name="map_value", dtype=Map),
        Field(name="struct_value", dtype=Struct({"name": String, "age": Int64})),
        Field(name="bool_list", dtype=Array(Bool)),
        Field(name="int32_list", dtype=Array(Int32)),
        Field(name="int64_list", dtype=Array(Int64)),
        Field(name="float_list", dtype=Array(Float32)),
        Field(name="double_list", dtype=Array(Float64)),
        Field(name="string_list", dtype=Array(String)),
        Field(name="bytes_list", dtype=Array(Bytes)),
        Field(name="unix_timestamp_list", dtype=Array(UnixTimestamp)),
        Field(name="int64_set", dtype=Set(Int64)),
        Field(name="string_set", dtype=Set(String)),
        Field(name="bool_set", dtype=Set(Bool)),
        Field(name="int32_set", dtype=Set(Int32)),
        Field(name="float_set", dtype=Set(Float32)),
        Field(name="double_set", dtype=Set(Float64)),
        Field(name="bytes_set", dtype=Set(Bytes)),
        Field(name="unix_timestamp_set", dtype=Set(UnixTimestamp)),
        Field(name="uuid_set", dtype=Set(Uuid)),
        Field(name="time_uuid_set", dtype=Set(TimeUuid)),
        Field(name="decimal_set", dtype=Set(Decimal)),
        Field(name="time_uuid_value", dtype=TimeUuid),
        Field(name="uuid_list", dtype=Array(Uuid)),
        Field(name="time_uuid_list", dtype=Array(TimeUuid)),
        Field(name="decimal_list", dtype=Array(Decimal)),
        Field(name="json_list", dtype=Array(Json)),
        Field(name="map_list", dtype=Array(Map)),
        Field(name="struct_list", dtype=Array(Struct({"name": String, "age": Int64}))),
        Field(name="nested_list", dtype=Array(Array(Int64))),
        Field(name="zoned_timestamp_value", dtype=ZonedTimestamp),
        Field(name="pdf_bytes_value", dtype=PdfBytes),
        Field(name="image_bytes_value", dtype=ImageBytes),
    ],
    source=source("every_type"),
)

# What the tests write; nothing else is ever there.
written = FeatureView(
    name="written",
    entities=[driver],
    ttl=timedelta(0),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="int32_value", dtype=Int32),
        Field(name="int64_value", dtype=Int64),
        Field(name="float_value", dtype=Float32),
        Field(name="double_value", dtype=Float64),
        Field(name="bool_value", dtype=Bool),
        Field(name="string_value", dtype=String),
        Field(name="time_value", dtype=UnixTimestamp),
        Field(name="json_value", dtype=Json),
        Field(name="map_value", dtype=Map),
        Field(name="int64_list", dtype=Array(Int64)),
        Field(name="float_list", dtype=Array(Float32)),
        Field(name="double_list", dtype=Array(Float64)),
        Field(name="string_list", dtype=Array(String)),
        Field(name="time_list", dtype=Array(UnixTimestamp)),
    ],
    source=PushSource(name="written_push", batch_source=source("written")),
)
written_number = FeatureView(
    name="written_number",
    entities=[driver],
    ttl=timedelta(0),
    schema=[Field(name="driver_id", dtype=Int64), Field(name="number", dtype=Int64)],
    source=source("written_number"),
)
written_at = FeatureView(
    name="written_at",
    entities=[driver],
    ttl=timedelta(0),
    schema=[Field(name="driver_id", dtype=Int64), Field(name="number", dtype=Int64)],
    source=FileSource(
        name="written_at_source",
        path="data/written_at.parquet",
        timestamp_field="happened",
        created_timestamp_column="noted",
    ),
)

trip_request = RequestSource(name="trip_request", schema=[Field(name="trips_today", dtype=Int64)])


@on_demand_feature_view(
    sources=[driver_hourly_stats, trip_request],
    schema=[Field(name="expected_conversions", dtype=Float64)],
    mode="python",
)
def trip_forecast(inputs):
    return {
        "expected_conversions": [
            None if rate is None else rate * trips
            for rate, trips in zip(inputs["conv_rate"], inputs["trips_today"])
        ]
    }


# Two views whose values depend on what else is asked for in the same request.
@on_demand_feature_view(
    sources=[driver_hourly_stats],
    schema=[Field(name="conv_rate_rank", dtype=Float64)],
    mode="pandas",
)
def driver_ranking(inputs):
    return pd.DataFrame({"conv_rate_rank": inputs["conv_rate"].rank()})


@on_demand_feature_view(
    sources=[driver_hourly_stats],
    schema=[Field(name="trips_doubled", dtype=Int64)],
    mode="python",
    singleton=True,
)
def driver_doubled(inputs):
    return {"trips_doubled": 2 * inputs["avg_daily_trips"]}


driver_activity = FeatureService(
    name="driver_activity",
    features=[driver_hourly_stats[["conv_rate", "avg_daily_trips", "home_city"]]],
)

# Enforced where the repository is served with secured.yaml.
readers = Permission(
    name="readers",
    types=[FeatureView],
    name_patterns=["driver_hourly_stats"],
    policy=RoleBasedPolicy(roles=["reader"]),
    actions=[AuthzedAction.READ_ONLINE],
)
auditors = Permission(
    name="auditors",
    types=[FeatureView],
    name_patterns=["customer_profile"],
    policy=RoleBasedPolicy(roles=["auditor"]),
    actions=[AuthzedAction.READ_ONLINE],
)

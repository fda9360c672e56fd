//! The protocol of Feast's feature servers: requests and writes into JSON bytes, JSON bytes into columns
//! or errors.
//!
//! Follows `sdk/python/feast/feature_server.py` (the Python server) and
//! `go/internal/feast/server/http_server.go` (the Go server) of Feast 0.67.

pub mod answer;
pub mod endpoint;
mod json;
pub mod request;
pub mod search;
pub mod server_kind;
pub mod write;

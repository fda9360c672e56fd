//! The packages of each language, installed as its users install them, against a real `feast serve`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod cpp;
mod debian;
mod go;
mod java;
mod packing;
mod python;
mod recipes;
mod sbom;

use feast_remote as _; // what OpenSSL calls where the linker says --wrap (build.rs)
use support::feast::expected;

/// A value of the online store as its source wrote it.
fn value(driver: &str, feature: &str) -> String {
    expected()["driver_hourly_stats"][driver][feature].to_string().replace('"', "")
}

/// What the examples print of three drivers.
fn three_drivers() -> String {
    let line =
        |driver| format!("{driver} {} {}\n", value(driver, "conv_rate"), value(driver, "avg_daily_trips"));
    [line("1001"), line("1002"), "9999 is not known\n".to_owned()].concat()
}

/// What several folders use. Of a file with a mark, others use the rest.
#[path = "../support"]
mod support {
    #[expect(dead_code)]
    pub mod cc;
    #[expect(dead_code)]
    pub mod feast;
    pub mod installed;
    pub mod paths;
    #[expect(dead_code)]
    pub mod server;
    #[expect(dead_code)]
    pub mod tls;
    pub mod wait;
}

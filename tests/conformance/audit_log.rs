//! What a real Feast server writes down of a request.

use std::fs;

use crate::support::feast::{Feast, Version};
use crate::support::paths::{scratch, target};
use crate::support::wait::wait_until;
use feast_remote::config::Config;
use feast_remote::remote::Remote;
use feast_remote::wire::request::Request;

#[test]
fn the_request_id_is_found_again_in_the_audit_log_of_feast() {
    let folder = scratch();
    let log = folder.join("audit.log");
    let settings = fs::read_to_string(target().join("feast-repo/feature_store.yaml")).unwrap();
    let audit = format!(
        "feature_server:\n  type: local\n  enabled: true\n  audit_logging:\n    enabled: true\n    sink: file\n    file_path: {}\n",
        log.display()
    );
    let file = folder.join("feature_store.yaml");
    fs::write(&file, format!("{settings}\n{audit}")).unwrap();
    let feast = Feast::serve_as(Version::Newest, &["-f", file.to_str().unwrap()], &[], &[]);
    let mut config = Config::new().unwrap();
    config.set("path", &feast.url()).unwrap();
    config.set("request_timeout_ms", "30000").unwrap();
    let remote = Remote::open(&config).unwrap();
    let mut request = Request::default();
    request.add_feature("driver_hourly_stats:avg_daily_trips").unwrap();
    request.set_entity_int64("driver_id", &[1001]).unwrap();
    request.set_header("X-Request-Id", "order-4711").unwrap();
    remote.get_online_features(&request).unwrap();
    let written = || fs::read_to_string(&log).unwrap_or_default();
    wait_until("the request id is in the audit log", || written().contains("order-4711"));
}

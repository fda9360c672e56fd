//! Go programs for each platform, cross-compiled with the module that carries the libraries, over TLS against a real Feast.

use std::fs;
use std::process::Command;

use crate::package;
use crate::programs::{Server, aarch64, trips};
use crate::support::installed::ran;
use crate::support::paths::{scratch, target};

const MODULE: &str = "github.com/feast-dev/feast-remote/bindings/go/feastremote";
const PROGRAM: &str = r#"package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/feast-dev/feast-remote/bindings/go/feastremote"
)

func main() {
	remote, err := feastremote.Open(feastremote.Config{"path": os.Args[1], "cert": os.Args[2]})
	check(err)
	request, err := feastremote.NewRequest("driver_hourly_stats:avg_daily_trips")
	check(err)
	check(request.SetInt64("driver_id", []int64{1001}))
	response, err := remote.GetOnlineFeatures(context.Background(), request)
	check(err)
	fmt.Println(response.GetInt64("avg_daily_trips"))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
"#;

#[test]
fn the_go_module_links_the_library_of_each_platform() {
    let server = Server::start();
    let project = scratch();
    fs::write(project.join("main.go"), PROGRAM).unwrap();
    let go = |arguments: &[&str], variables: &[(&str, &str)]| {
        ran(Command::new("go")
            .args(arguments)
            .current_dir(&project)
            .env("GOPROXY", format!("file://{}/go", package("").display()))
            .env("GONOSUMDB", "github.com/feast-dev")
            // Not the user's, which would keep today's as this version for ever.
            .env("GOMODCACHE", project.join("modules"))
            .env("GOFLAGS", "-modcacherw -buildvcs=false")
            .env("CGO_ENABLED", "1")
            .envs(variables.iter().copied()))
    };
    go(&["mod", "init", "example.com/program"], &[]);
    go(&["get", MODULE], &[]);
    let zig = target().join("zig/bin/zig");
    let zig = |machine: &str| format!("{} cc -target {machine}-linux-musl", zig.display());
    for (name, processor, compiler, tags) in [
        ("glibc", "amd64", "cc".to_owned(), ""),
        ("glibc", "arm64", "aarch64-linux-gnu-gcc".to_owned(), ""),
        ("musl", "amd64", zig("x86_64"), "musl"),
        ("musl", "arm64", zig("aarch64"), "musl"),
    ] {
        let program = format!("{name}-{processor}");
        // What gcc links by itself.
        let unwinder = if name == "musl" { "-lunwind" } else { "" };
        go(
            &["build", "-tags", tags, "-o", &program, "."],
            &[("GOARCH", processor), ("CC", &compiler), ("CGO_LDFLAGS", unwinder)],
        );
        let program = project.join(&program);
        let mut command = match processor {
            "amd64" => Command::new(&program),
            _ => aarch64(name, &program),
        };
        let output = ran(command.arg(server.url()).arg(&server.authority));
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("[{}] <nil>\n", trips()), "{program:?}");
    }
}

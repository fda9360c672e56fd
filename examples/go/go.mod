module github.com/feast-dev/feast-remote/examples/go

go 1.25

require github.com/feast-dev/feast-remote/bindings/go/feastremote v0.0.0

replace github.com/feast-dev/feast-remote/bindings/go/feastremote => ../../bindings/go/feastremote

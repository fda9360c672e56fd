module github.com/feast-dev/feast-remote/bindings/go/feastremote

go 1.25

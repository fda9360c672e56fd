//go:build musl && !feast_remote_system

package feastremote

// #cgo CFLAGS: -I${SRCDIR}/native
// #cgo LDFLAGS: ${SRCDIR}/native/libfeast_remote_linux_amd64_musl.a -lpthread -ldl -lm
import "C"

import _ "github.com/feast-dev/feast-remote/bindings/go/feastremote/native"

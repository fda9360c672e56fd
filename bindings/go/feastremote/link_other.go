//go:build !feast_remote_system && !(linux && (amd64 || arm64))

package feastremote

// #error "the module has no libfeast_remote for this platform: build the library, install it, and build with -tags feast_remote_system, which asks pkg-config (PKG_CONFIG_PATH) for feast_remote"
import "C"

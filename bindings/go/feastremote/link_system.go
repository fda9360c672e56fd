//go:build feast_remote_system

package feastremote

// #cgo pkg-config: feast_remote
import "C"

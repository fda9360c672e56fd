// Package native is the folder of the header and the static libraries, which scripts/packages/go.sh puts here. It is a package
// so that `go mod vendor` takes the folder along.
package native

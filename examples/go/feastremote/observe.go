package feastremote

// #include <feast_remote.h>
// #include <stdlib.h>
import "C"

import (
	"runtime"
	"sort"
	"time"
	"unsafe"
)

// Timing says where the time of one call went; the phases make Total.
type Timing struct {
	Start                                          time.Time
	MergeWait, Retries, Queue, Connect, TLS        time.Duration
	FirstByte, Transfer, Decode, Total             time.Duration
	BytesSent, BytesReceived, Rows, CallsInRequest uint64
	Attempts, HTTPStatus                           int
	Reused, NewConnection, Merged, Hedged          bool
}

// Timing is where the time of the call went.
func (r *Response) Timing() Timing {
	var timing C.feast_timing_t
	timing.size = C.sizeof_feast_timing_t
	C.feast_response_timing(r.handle, &timing)
	us := func(microseconds C.uint64_t) time.Duration { return time.Duration(microseconds) * time.Microsecond }
	return Timing{
		Start:     time.Unix(0, int64(timing.start_unix_ns)),
		MergeWait: us(timing.merge_wait_us), Retries: us(timing.retries_us), Queue: us(timing.queue_us),
		Connect: us(timing.connect_us), TLS: us(timing.tls_us), FirstByte: us(timing.first_byte_us),
		Transfer: us(timing.transfer_us), Decode: us(timing.decode_us), Total: us(timing.total_us),
		BytesSent: uint64(timing.bytes_sent), BytesReceived: uint64(timing.bytes_received),
		Rows: uint64(timing.rows), CallsInRequest: uint64(timing.calls_in_request),
		Attempts: int(timing.attempts), HTTPStatus: int(timing.http_status),
		Reused:        timing.flags&C.FEAST_TIMING_REUSED != 0,
		NewConnection: timing.flags&C.FEAST_TIMING_NEW_CONNECTION != 0,
		Merged:        timing.flags&C.FEAST_TIMING_MERGED != 0,
		Hedged:        timing.flags&C.FEAST_TIMING_HEDGED != 0,
	}
}

// Prometheus is the figures of several stores, by their names, in Prometheus' text format: what a handler of /metrics writes.
func Prometheus(stores map[string]*Remote) ([]byte, error) {
	names := make([]string, 0, len(stores))
	for name := range stores {
		if err := withoutNUL(name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	sort.Strings(names)
	// In C's memory, which may hold pointers to C's memory.
	handles := (*[1 << 20]*C.feast_remote_t)(C.calloc(C.size_t(len(names)+1), C.size_t(unsafe.Sizeof(uintptr(0)))))
	texts := (*[1 << 20]*C.char)(C.calloc(C.size_t(len(names)+1), C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(handles))
	defer C.free(unsafe.Pointer(texts))
	for i, name := range names {
		handles[i] = stores[name].handle
		texts[i] = C.CString(name)
		defer C.free(unsafe.Pointer(texts[i]))
	}
	var (
		text   *C.char
		length C.size_t
		err    *C.feast_error_t
	)
	status := C.feast_stats_prometheus(&handles[0], &texts[0], C.size_t(len(names)), &text, &length, &err)
	runtime.KeepAlive(stores)
	if status != C.FEAST_OK {
		return nil, taken(err)
	}
	defer C.feast_string_free(text)
	return C.GoBytes(unsafe.Pointer(text), C.int(length)), nil
}

// WarmUp makes connections before the first call, and asks the server on each whether it is well.
func (r *Remote) WarmUp(connections int, timeout time.Duration) error {
	var err *C.feast_error_t
	C.feast_remote_warm_up(r.handle, C.size_t(max(0, connections)), C.int64_t(max(0, timeout.Milliseconds())), &err)
	return taken(err)
}

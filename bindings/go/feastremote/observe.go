package feastremote

// #include "bridge.h"
import "C"

import (
	"maps"
	"runtime"
	"slices"
	"time"
	"unsafe"
)

// Timing says where the time of one call went; the phases, MergeWait to Decode, make Total.
type Timing struct {
	Start         time.Time     // when the call began
	MergeWait     time.Duration // waiting to be merged with other calls
	Retries       time.Duration // attempts before the last one, and the pauses after them
	Queue         time.Duration // waiting for a token and a free connection
	Connect, TLS  time.Duration // name lookup and connection, and handshake, if the last attempt made a connection
	FirstByte     time.Duration // from then to the first byte of the answer
	Transfer      time.Duration // from then to its last byte
	Decode        time.Duration // from bytes to columns
	Total         time.Duration
	BytesSent     uint64 // of the request's body
	BytesReceived uint64 // of the answer's body

	Rows, CallsInRequest uint64
	Attempts, HTTPStatus int
	Server               string // the URL of the server that answered; "" if none was asked

	Reused        bool // a connection kept from before carried the last attempt
	NewConnection bool // it made a connection
	Merged        bool // the request asked for other calls, too
	Hedged        bool // the request went out twice at a time
}

func timingOf(timing *C.feast_timing_t) Timing {
	if timing.start_unix_ns == 0 {
		return Timing{}
	}
	us := func(microseconds C.uint64_t) time.Duration { return time.Duration(microseconds) * time.Microsecond }
	return Timing{
		Start:     time.Unix(0, int64(timing.start_unix_ns)),
		MergeWait: us(timing.merge_wait_us), Retries: us(timing.retries_us), Queue: us(timing.queue_us),
		Connect: us(timing.connect_us), TLS: us(timing.tls_us), FirstByte: us(timing.first_byte_us),
		Transfer: us(timing.transfer_us), Decode: us(timing.decode_us), Total: us(timing.total_us),
		BytesSent: uint64(timing.bytes_sent), BytesReceived: uint64(timing.bytes_received),
		Rows: uint64(timing.rows), CallsInRequest: uint64(timing.calls_in_request),
		Attempts: int(timing.attempts), HTTPStatus: int(timing.http_status), Server: C.GoString(timing.server),
		Reused:        timing.flags&C.FEAST_TIMING_REUSED != 0,
		NewConnection: timing.flags&C.FEAST_TIMING_NEW_CONNECTION != 0,
		Merged:        timing.flags&C.FEAST_TIMING_MERGED != 0,
		Hedged:        timing.flags&C.FEAST_TIMING_HEDGED != 0,
	}
}

// StatsJSON is the store's figures so far, as STATISTICS.md describes them.
func (r *Remote) StatsJSON() ([]byte, error) {
	defer runtime.KeepAlive(r)
	var (
		json   *C.char
		length C.size_t
		err    *C.feast_error_t
	)
	if C.feast_stats_json(r.handle, &json, &length, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	defer C.feast_string_free(json)
	return bytesOf(json, length), nil
}

// Prometheus is the figures of several stores, by their names, in Prometheus' text format: what a handler of /metrics writes. The
// module feastprometheus has a collector for client_golang.
func Prometheus(stores map[string]*Remote) ([]byte, error) {
	defer runtime.KeepAlive(stores)
	names := slices.Sorted(maps.Keys(stores))
	handles := make([]*C.feast_remote_t, len(names)+1) // not empty, which would be no memory
	for i, name := range names {
		if err := withoutNUL(name); err != nil {
			return nil, err
		}
		handles[i] = stores[name].handle
	}
	data, lengths := joined(names, "\x00")
	var (
		text   *C.char
		length C.size_t
		err    *C.feast_error_t
	)
	status := C.prometheus_text(&handles[0], data, unsafe.SliceData(lengths), C.size_t(len(names)), &text, &length, &err)
	if status != C.FEAST_OK {
		return nil, taken(err)
	}
	defer C.feast_string_free(text)
	return bytesOf(text, length), nil
}

package feastremote

// #include "bridge.h"
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// PushTo says where a push goes.
type PushTo uint32

// Online and Offline may be joined by |.
const (
	Online  PushTo = C.FEAST_PUSH_ONLINE
	Offline PushTo = C.FEAST_PUSH_OFFLINE
)

// WriteOptions says how rows are written, where it is not as usual.
type WriteOptions struct {
	TimestampField         string // the column of event timestamps; "" is event_timestamp
	CreatedTimestampColumn string // "" is created
	WithoutTimestamps      bool   // the frame has no event timestamps
	WithoutRegistryCache   bool   // the server is not to look feature views up in its cache of the registry
	WithoutTransformations bool   // the server is not to apply transformations when it writes
	RepeatOffline          bool   // send again what may have been appended to an offline store
}

// Written is a write that is done.
type Written struct {
	Rows, Requests uint64
	Queued         bool // the server has only taken some of the rows, and writes them later: those for an offline store
}

// Push writes rows to a push source: to the feature views that it feeds, online, offline or both. options may be nil. The
// context's deadline is that of the whole write; if it ends the write is cancelled. An [*Error] knows the rows that were not
// written.
func (r *Remote) Push(ctx context.Context, pushSource string, frame *Frame, to PushTo, options *WriteOptions) (Written, error) {
	return r.write(ctx, pushSource, options, func(name *C.char, how *C.feast_write_options_t) submission {
		return func(tag C.uintptr_t, call **C.feast_call_t, err **C.feast_error_t) C.feast_status_t {
			defer runtime.KeepAlive(frame)
			return C.submit_push(r.handle, name, frame.handle, C.feast_push_to_t(to), how, r.queue, tag, call, err)
		}
	})
}

// WriteToOnlineStore writes rows to the online store of a feature view; likewise.
func (r *Remote) WriteToOnlineStore(ctx context.Context, featureView string, frame *Frame, options *WriteOptions) (Written, error) {
	return r.write(ctx, featureView, options, func(name *C.char, how *C.feast_write_options_t) submission {
		return func(tag C.uintptr_t, call **C.feast_call_t, err **C.feast_error_t) C.feast_status_t {
			defer runtime.KeepAlive(frame)
			return C.submit_write(r.handle, name, frame.handle, how, r.queue, tag, call, err)
		}
	})
}

func (r *Remote) write(
	ctx context.Context, name string, options *WriteOptions, writing func(*C.char, *C.feast_write_options_t) submission,
) (Written, error) {
	if err := withoutNUL(name); err != nil {
		return Written{}, err
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	how, err := options.handle(ctx)
	defer C.feast_write_options_free(how)
	if err != nil {
		return Written{}, err
	}
	call, err := r.start(ctx, writing(text, how))
	if err != nil {
		return Written{}, err
	}
	call.wait()
	return call.written, call.err
}

// takenWrite copies what a write came to, and frees it.
func takenWrite(written *C.feast_write_t) Written {
	defer C.feast_write_free(written)
	return Written{
		Rows:     uint64(C.feast_write_rows_written(written)),
		Requests: uint64(C.feast_write_requests(written)),
		Queued:   bool(C.feast_write_is_queued(written)),
	}
}

func (o *WriteOptions) handle(ctx context.Context) (*C.feast_write_options_t, error) {
	how := C.feast_write_options_new()
	var err *C.feast_error_t
	if deadline, has := ctx.Deadline(); has {
		C.feast_write_options_set_timeout_ms(how, milliseconds(time.Until(deadline)), &err)
	}
	if o == nil {
		return how, taken(err)
	}
	for _, text := range []string{o.TimestampField, o.CreatedTimestampColumn} {
		if failure := withoutNUL(text); failure != nil {
			return how, failure
		}
	}
	if o.TimestampField != "" || o.WithoutTimestamps {
		if o.TimestampField != "" && o.WithoutTimestamps {
			return how, invalid("TimestampField is %q, and the frame has no event timestamps", o.TimestampField)
		}
		name := C.CString(o.TimestampField)
		defer C.free(unsafe.Pointer(name))
		C.feast_write_options_set_timestamp_field(how, name, &err)
	}
	if o.CreatedTimestampColumn != "" && err == nil {
		name := C.CString(o.CreatedTimestampColumn)
		defer C.free(unsafe.Pointer(name))
		C.feast_write_options_set_created_timestamp_column(how, name, &err)
	}
	if err == nil {
		C.feast_write_options_set_allow_registry_cache(how, C.bool(!o.WithoutRegistryCache), &err)
	}
	if err == nil {
		C.feast_write_options_set_transform_on_write(how, C.bool(!o.WithoutTransformations), &err)
	}
	if err == nil {
		C.feast_write_options_set_repeat_offline(how, C.bool(o.RepeatOffline), &err)
	}
	return how, taken(err)
}

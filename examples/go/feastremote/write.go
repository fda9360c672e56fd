package feastremote

// #include <feast_remote.h>
// #include <stdlib.h>
//
// static feast_status_t frame_set_strings(feast_frame_t *frame, const char *name, const char *data, const size_t *lengths,
//                                         const uint8_t *nulls, size_t n, feast_error_t **err) {
//   const char **values = malloc((n + 1) * sizeof *values);
//   for (size_t row = 0; row < n; row++) {
//     values[row] = nulls[row] ? NULL : data;
//     data += lengths[row];
//   }
//   feast_status_t status = feast_frame_set_string(frame, name, values, lengths, n, err);
//   free(values);
//   return status;
// }
import "C"

import (
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// Frame holds rows to be written: columns of equal length. The garbage collector frees it.
type Frame struct {
	handle *C.feast_frame_t
}

// NewFrame is empty.
func NewFrame() *Frame {
	frame := &Frame{C.feast_frame_new()}
	runtime.AddCleanup(frame, func(handle *C.feast_frame_t) { C.feast_frame_free(handle) }, frame.handle)
	return frame
}

// SetInt64 adds a column of integers. valid says which rows have a value; nil: all.
func (f *Frame) SetInt64(name string, values []int64, valid []bool) error {
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_int64(f.handle, text, (*C.int64_t)(unsafe.SliceData(values)), bits, C.size_t(len(values)), err)
	})
}

// SetFloat64 adds a column of numbers.
func (f *Frame) SetFloat64(name string, values []float64, valid []bool) error {
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_double(f.handle, text, (*C.double)(unsafe.SliceData(values)), bits, C.size_t(len(values)), err)
	})
}

// SetBool adds a column of booleans.
func (f *Frame) SetBool(name string, values []bool, valid []bool) error {
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_bool(f.handle, text, (*C.bool)(unsafe.SliceData(values)), bits, C.size_t(len(values)), err)
	})
}

// SetTime adds a column of moments: event timestamps, or features in whole seconds.
func (f *Frame) SetTime(name string, values []time.Time, valid []bool) error {
	moments := make([]int64, len(values))
	for row, value := range values {
		moments[row] = value.UnixNano()
	}
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_timestamp_ns(f.handle, text, (*C.int64_t)(unsafe.SliceData(moments)), bits, C.size_t(len(values)), err)
	})
}

// SetString adds a column of strings.
func (f *Frame) SetString(name string, values []string, valid []bool) error {
	lengths, nulls := make([]C.size_t, len(values)), make([]C.uint8_t, len(values))
	for row, value := range values {
		lengths[row] = C.size_t(len(value))
		if row < len(valid) && !valid[row] {
			nulls[row] = 1
		}
	}
	data := strings.Join(values, "")
	return f.set(name, valid, len(values), func(text *C.char, _ *C.uint8_t, err **C.feast_error_t) {
		C.frame_set_strings(f.handle, text, (*C.char)(unsafe.Pointer(unsafe.StringData(data))), unsafe.SliceData(lengths),
			unsafe.SliceData(nulls), C.size_t(len(values)), err)
	})
}

// SetFloat32Lists adds a column of lists, such as embeddings.
func (f *Frame) SetFloat32Lists(name string, lists [][]float32) error {
	offsets, items := make([]int64, 1, len(lists)+1), []float32{}
	for _, list := range lists {
		items = append(items, list...)
		offsets = append(offsets, int64(len(items)))
	}
	return f.set(name, nil, len(lists), func(text *C.char, _ *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_float_list(f.handle, text, (*C.int64_t)(unsafe.SliceData(offsets)),
			(*C.float)(unsafe.SliceData(items)), nil, C.size_t(len(lists)), err)
	})
}

// SetJSON adds a column by a JSON array, one element a row.
func (f *Frame) SetJSON(name string, array string) error {
	if err := withoutNUL(array); err != nil {
		return err
	}
	json := C.CString(array)
	defer C.free(unsafe.Pointer(json))
	return f.set(name, nil, 0, func(text *C.char, _ *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_json(f.handle, text, json, err)
	})
}

func (f *Frame) set(name string, valid []bool, rows int, add func(*C.char, *C.uint8_t, **C.feast_error_t)) error {
	if err := withoutNUL(name); err != nil {
		return err
	}
	if valid != nil && len(valid) != rows {
		return &Error{Status: InvalidArgument, Message: name + ": valid has another length than the values"}
	}
	var bits []C.uint8_t
	if valid != nil {
		bits = make([]C.uint8_t, rows/8+1)
		for row, has := range valid {
			if has {
				bits[row/8] |= 1 << (row % 8)
			}
		}
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	var err *C.feast_error_t
	add(text, unsafe.SliceData(bits), &err)
	runtime.KeepAlive(f)
	return taken(err)
}

// PushTo says where a push goes.
type PushTo uint32

// Online and Offline may be joined by |.
const (
	Online  PushTo = C.FEAST_PUSH_ONLINE
	Offline PushTo = C.FEAST_PUSH_OFFLINE
)

// WriteOptions says how rows are written, where it is not as usual.
type WriteOptions struct {
	TimestampField         string // "" is event_timestamp
	CreatedTimestampColumn string // "" is created
	RepeatOffline          bool   // send again what may have been appended to an offline store
	Timeout                time.Duration
}

// Written is a write that is done.
type Written struct {
	Rows, Requests uint64
	Queued         bool // the server has only taken some of the rows, and writes them later
}

// Push writes rows to a push source and waits for it; options may be nil. An *Error knows the rows that were not written.
func (r *Remote) Push(pushSource string, frame *Frame, to PushTo, options *WriteOptions) (Written, error) {
	return r.write(pushSource, frame, options, func(name *C.char, how *C.feast_write_options_t, written **C.feast_write_t, err **C.feast_error_t) C.feast_status_t {
		return C.feast_push(r.handle, name, frame.handle, C.feast_push_to_t(to), how, written, err)
	})
}

// WriteToOnlineStore writes rows to the online store of a feature view and waits for it; likewise.
func (r *Remote) WriteToOnlineStore(featureView string, frame *Frame, options *WriteOptions) (Written, error) {
	return r.write(featureView, frame, options, func(name *C.char, how *C.feast_write_options_t, written **C.feast_write_t, err **C.feast_error_t) C.feast_status_t {
		return C.feast_write_to_online_store(r.handle, name, frame.handle, how, written, err)
	})
}

func (r *Remote) write(
	name string, frame *Frame, options *WriteOptions,
	call func(*C.char, *C.feast_write_options_t, **C.feast_write_t, **C.feast_error_t) C.feast_status_t,
) (Written, error) {
	if err := withoutNUL(name); err != nil {
		return Written{}, err
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	how, failure := options.handle()
	defer C.feast_write_options_free(how)
	if failure != nil {
		return Written{}, failure
	}
	var (
		written *C.feast_write_t
		err     *C.feast_error_t
	)
	status := call(text, how, &written, &err)
	runtime.KeepAlive(frame)
	if status != C.FEAST_OK {
		return Written{}, taken(err)
	}
	defer C.feast_write_free(written)
	return Written{
		Rows:     uint64(C.feast_write_rows_written(written)),
		Requests: uint64(C.feast_write_requests(written)),
		Queued:   bool(C.feast_write_is_queued(written)),
	}, nil
}

func (o *WriteOptions) handle() (*C.feast_write_options_t, error) {
	how := C.feast_write_options_new()
	if o == nil {
		return how, nil
	}
	var err *C.feast_error_t
	for _, name := range []struct {
		value string
		set   func(*C.char)
	}{
		{o.TimestampField, func(text *C.char) { C.feast_write_options_set_timestamp_field(how, text, &err) }},
		{o.CreatedTimestampColumn, func(text *C.char) { C.feast_write_options_set_created_timestamp_column(how, text, &err) }},
	} {
		if failure := withoutNUL(name.value); failure != nil {
			return how, failure
		}
		if name.value != "" && err == nil {
			text := C.CString(name.value)
			name.set(text)
			C.free(unsafe.Pointer(text))
		}
	}
	if o.RepeatOffline && err == nil {
		C.feast_write_options_set_repeat_offline(how, true, &err)
	}
	if o.Timeout != 0 && err == nil {
		// Rounded up: what is left of a caller's time is not the store's default.
		C.feast_write_options_set_timeout_ms(how, C.int64_t(max(0, (o.Timeout+time.Millisecond-1)/time.Millisecond)), &err)
	}
	return how, taken(err)
}

// CheckHealth asks the server whether it is well.
func (r *Remote) CheckHealth() error {
	var err *C.feast_error_t
	C.feast_check_health(r.handle, &err)
	return taken(err)
}

// Search says which documents are wanted.
type Search struct {
	Features       []string // "feature_view:feature", of one view
	Query          []float32
	TopK           int
	DistanceMetric string // "" is the view's, or the server's
	Filters        string // JSON, or ""
	Timeout        time.Duration
}

// RetrieveOnlineDocuments is the documents nearest to a vector, nearest first: join keys, features and "distance".
func (r *Remote) RetrieveOnlineDocuments(search Search) (*Response, error) {
	handle := C.feast_search_new()
	defer C.feast_search_free(handle)
	var (
		err      *C.feast_error_t
		response *C.feast_response_t
	)
	text := func(value string, set func(*C.char)) {
		copied := C.CString(value)
		defer C.free(unsafe.Pointer(copied))
		if err == nil {
			set(copied)
		}
	}
	for _, value := range append([]string{search.DistanceMetric, search.Filters}, search.Features...) {
		if failure := withoutNUL(value); failure != nil {
			return nil, failure
		}
	}
	for _, feature := range search.Features {
		text(feature, func(name *C.char) { C.feast_search_add_feature(handle, name, &err) })
	}
	if search.DistanceMetric != "" {
		text(search.DistanceMetric, func(name *C.char) { C.feast_search_set_distance_metric(handle, name, &err) })
	}
	if search.Filters != "" {
		text(search.Filters, func(json *C.char) { C.feast_search_set_filters(handle, json, &err) })
	}
	if err == nil {
		C.feast_search_set_query(handle, (*C.float)(unsafe.SliceData(search.Query)), C.size_t(len(search.Query)), &err)
	}
	if err == nil {
		C.feast_search_set_top_k(handle, C.size_t(max(0, search.TopK)), &err)
	}
	if err == nil && search.Timeout != 0 {
		C.feast_search_set_timeout_ms(handle, C.int64_t(max(0, (search.Timeout+time.Millisecond-1)/time.Millisecond)), &err)
	}
	if err == nil {
		C.feast_retrieve_online_documents(r.handle, handle, &response, &err)
	}
	if err != nil {
		return nil, taken(err)
	}
	return &Response{response, int(C.feast_response_num_rows(response))}, nil
}

package feastremote

// #include "bridge.h"
import "C"

import (
	"encoding/json"
	"math"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// Request says which features are wanted, and of which entities. Any number of goroutines may use it while none changes it; for
// one that each changes, [Request.Clone] a template.
type Request struct {
	handle   *C.feast_request_t
	deadline C.int64_t // of CLOCK_MONOTONIC
	rows     int       // of the column set last; the library refuses columns of several lengths
}

// NewRequest asks for features, each as "feature_view:feature"; none, for [Request.SetFeatureService] and the like. The answer's
// columns are the entities, then the features in this order.
func NewRequest(features ...string) (*Request, error) {
	request := owned(Request{handle: C.feast_request_new(), deadline: math.MaxInt64})
	for _, feature := range features {
		if err := request.Add(feature); err != nil {
			return nil, err
		}
	}
	return request, nil
}

func owned(request Request) *Request {
	owner := &request
	runtime.AddCleanup(owner, func(handle *C.feast_request_t) { C.feast_request_free(handle) }, request.handle)
	return owner
}

// Clone copies a request: one template, a copy for each goroutine that sets its own entities.
func (r *Request) Clone() *Request {
	defer runtime.KeepAlive(r)
	return owned(Request{C.feast_request_clone(r.handle), r.deadline, r.rows})
}

// Add asks for one more feature.
func (r *Request) Add(feature string) error {
	return r.set(feature, func(text *C.char, err **C.feast_error_t) { C.feast_request_add_feature(r.handle, text, err) })
}

// AddTyped asks for a feature whose column is to have this type: each value is converted exactly, or the call fails with
// [WrongType].
func (r *Request) AddTyped(feature string, columnType Type) error {
	return r.set(feature, func(text *C.char, err **C.feast_error_t) {
		C.feast_request_add_typed_feature(r.handle, text, C.feast_type_t(columnType), err)
	})
}

// AddList asks for a feature of lists of a fixed length, such as an embedding of FloatList. A list of another length fails the
// call, and matrices have that many columns for it, also where every row is null.
func (r *Request) AddList(feature string, columnType Type, length int) error {
	return r.set(feature, func(text *C.char, err **C.feast_error_t) {
		C.feast_request_add_list_feature(r.handle, text, C.feast_type_t(columnType), C.size_t(max(0, length)), err)
	})
}

// DeclareColumn says of what type a column of the answer is to be, by its name there: a feature of a feature service, request
// data, an entity. Of lists the length may be given, as to [Request.AddList]; 0 leaves it open. A column that the answer does not
// have is not missed.
func (r *Request) DeclareColumn(name string, columnType Type, listLength int) error {
	if listLength < 0 {
		return invalid("a list cannot have %d items", listLength)
	}
	return r.set(name, func(text *C.char, err **C.feast_error_t) {
		C.feast_request_declare_column(r.handle, text, C.feast_type_t(columnType), C.size_t(listLength), err)
	})
}

// SetFeatureService asks for the features of a feature service, in place of single ones.
func (r *Request) SetFeatureService(name string) error {
	return r.set(name, func(text *C.char, err **C.feast_error_t) { C.feast_request_set_feature_service(r.handle, text, err) })
}

// SetFullFeatureNames asks for columns like view__feature, so that features of the same name can be told apart.
func (r *Request) SetFullFeatureNames(full bool) error {
	return r.set("", func(_ *C.char, err **C.feast_error_t) {
		C.feast_request_set_full_feature_names(r.handle, C.bool(full), err)
	})
}

// SetIncludeFeatureViewVersionMetadata asks for the versions of the feature views that the values are of:
// [Response.FeatureViews].
func (r *Request) SetIncludeFeatureViewVersionMetadata(include bool) error {
	return r.set("", func(_ *C.char, err **C.feast_error_t) {
		C.feast_request_set_include_feature_view_version_metadata(r.handle, C.bool(include), err)
	})
}

// SetMissing says what stands for a missing value of one feature in a [Matrix], in place of the matrix's own.
func (r *Request) SetMissing(feature string, missing float64) error {
	return r.set(feature, func(text *C.char, err **C.feast_error_t) {
		C.feast_request_set_missing_value(r.handle, text, C.double(missing), err)
	})
}

// MatrixWidth is how many columns a [Matrix] of the features takes: one for each, and for a declared list its length; 0 if that
// cannot be known before the answer: of a feature service, or lists whose length is not declared.
func (r *Request) MatrixWidth() int {
	defer runtime.KeepAlive(r)
	return int(C.feast_request_matrix_width(r.handle))
}

// SetTimeout is how long a call may take, in place of request_timeout_ms. After 0 or less, as time.Until says of what is past, a
// call ends at once with [Timeout], and nothing is sent. The context's deadline holds beside it.
func (r *Request) SetTimeout(timeout time.Duration) error {
	return r.set("", func(_ *C.char, err **C.feast_error_t) {
		C.feast_request_set_timeout_ns(r.handle, C.int64_t(timeout), err)
	})
}

// SetDeadline is when calls end, beside the timeout and the context's deadline, whichever is earliest; the zero time: none. Once
// it has passed calls end at once with [Timeout], and nothing is sent.
func (r *Request) SetDeadline(deadline time.Time) error {
	r.deadline = math.MaxInt64
	if !deadline.IsZero() {
		r.deadline = C.moment_in(C.int64_t(time.Until(deadline)))
	}
	return r.set("", func(_ *C.char, err **C.feast_error_t) {
		C.feast_request_set_deadline_ns(r.handle, r.deadline, err)
	})
}

// SetMerge says whether the call may share a request with others (merge_max_rows), which it may unless this is called.
func (r *Request) SetMerge(merge bool) error {
	return r.set("", func(_ *C.char, err **C.feast_error_t) { C.feast_request_set_merge(r.handle, C.bool(merge), err) })
}

// SetTraceContext sets the W3C trace context that each attempt carries; tracestate may be "".
func (r *Request) SetTraceContext(traceparent, tracestate string) error {
	return r.setTwo(traceparent, tracestate, func(parent, state *C.char, err **C.feast_error_t) {
		C.feast_request_set_trace_context(r.handle, parent, state, err)
	})
}

// SetHeader sets an HTTP header, such as X-Request-Id; "" takes it out again. It goes before the store's of the same name.
func (r *Request) SetHeader(name, value string) error {
	return r.setTwo(name, value, func(name, value *C.char, err **C.feast_error_t) {
		C.feast_request_set_header(r.handle, name, value, err)
	})
}

// SetMaxAge says how old values may be, by the event timestamps that the server sends: older ones get [OutsideMaxAge], and become
// nulls if they are to be dropped. Feast's servers do not apply a feature view's ttl online.
func (r *Request) SetMaxAge(age time.Duration, drop bool) error {
	return r.set("", func(_ *C.char, err **C.feast_error_t) {
		C.feast_request_set_max_age_ms(r.handle, C.int64_t(age.Milliseconds()), C.bool(drop), err)
	})
}

// SetViewMaxAge is the same for the features of one feature view, and goes before that of the request.
func (r *Request) SetViewMaxAge(view string, age time.Duration, drop bool) error {
	return r.set(view, func(text *C.char, err **C.feast_error_t) {
		C.feast_request_set_view_max_age_ms(r.handle, text, C.int64_t(age.Milliseconds()), C.bool(drop), err)
	})
}

// SetInt64 gives the values of an entity's join key, one a row. They are copied. All columns of a request have the same number of
// rows. A column of the same name is replaced.
func (r *Request) SetInt64(entity string, values []int64) error {
	return setValues(r, C.FEASTREMOTE_ENTITY, entity, values)
}

// SetFloat64 is [Request.SetInt64] for numbers, which must be finite.
func (r *Request) SetFloat64(entity string, values []float64) error {
	return setValues(r, C.FEASTREMOTE_ENTITY, entity, values)
}

// SetBool is [Request.SetInt64] for booleans.
func (r *Request) SetBool(entity string, values []bool) error {
	return setValues(r, C.FEASTREMOTE_ENTITY, entity, values)
}

// SetString is [Request.SetInt64] for strings.
func (r *Request) SetString(entity string, values []string) error {
	return r.setStrings(C.FEASTREMOTE_ENTITY, entity, values)
}

// SetJSON gives the values as a JSON array of whatever the server understands: nulls, lists, mixed types.
func (r *Request) SetJSON(entity string, array string) error {
	return r.setJSON(C.FEASTREMOTE_ENTITY, entity, array)
}

// SetRequestDataInt64 gives request data for on-demand feature views, as many values as the entities have rows. They are copied. A
// column of the same name is replaced. Answers do not repeat it.
func (r *Request) SetRequestDataInt64(name string, values []int64) error {
	return setValues(r, C.FEASTREMOTE_REQUEST_DATA, name, values)
}

// SetRequestDataFloat64 is [Request.SetRequestDataInt64] for numbers, which must be finite.
func (r *Request) SetRequestDataFloat64(name string, values []float64) error {
	return setValues(r, C.FEASTREMOTE_REQUEST_DATA, name, values)
}

// SetRequestDataBool is [Request.SetRequestDataInt64] for booleans.
func (r *Request) SetRequestDataBool(name string, values []bool) error {
	return setValues(r, C.FEASTREMOTE_REQUEST_DATA, name, values)
}

// SetRequestDataString is [Request.SetRequestDataInt64] for strings.
func (r *Request) SetRequestDataString(name string, values []string) error {
	return r.setStrings(C.FEASTREMOTE_REQUEST_DATA, name, values)
}

// SetRequestDataJSON gives request data as a JSON array of whatever the server understands.
func (r *Request) SetRequestDataJSON(name string, array string) error {
	return r.setJSON(C.FEASTREMOTE_REQUEST_DATA, name, array)
}

func setValues[T bool | int64 | float64](r *Request, role C.role_t, name string, values []T) error {
	return r.setRows(name, len(values), func(text *C.char, err **C.feast_error_t) {
		array := unsafe.Pointer(unsafe.SliceData(values))
		C.set_values(r.handle, role, C.feast_type_t(typeOf[T]()), text, array, C.size_t(len(values)), err)
	})
}

func (r *Request) setStrings(role C.role_t, name string, values []string) error {
	data, lengths := joined(values, "")
	return r.setRows(name, len(values), func(text *C.char, err **C.feast_error_t) {
		C.set_strings(r.handle, role, text, data, unsafe.SliceData(lengths), C.size_t(len(values)), err)
	})
}

func (r *Request) setJSON(role C.role_t, name, array string) error {
	err := r.setTwo(name, array, func(text, json *C.char, err **C.feast_error_t) {
		C.set_json(r.handle, role, text, json, err)
	})
	if err == nil {
		var elements []json.RawMessage
		if err := json.Unmarshal([]byte(array), &elements); err != nil {
			return invalid("%v", err)
		}
		r.rows = len(elements)
	}
	return err
}

func (r *Request) setRows(name string, rows int, change func(*C.char, **C.feast_error_t)) error {
	err := r.set(name, change)
	if err == nil {
		r.rows = rows
	}
	return err
}

func (r *Request) set(text string, change func(*C.char, **C.feast_error_t)) error {
	return r.setTwo(text, "", func(text, _ *C.char, err **C.feast_error_t) { change(text, err) })
}

func (r *Request) setTwo(first, second string, change func(first, second *C.char, err **C.feast_error_t)) error {
	for _, text := range []string{first, second} {
		if strings.IndexByte(text, 0) >= 0 {
			return invalid("a text has a NUL in it") // not which: it may be a header's secret
		}
	}
	one, two := C.CString(first), C.CString(second)
	defer C.free(unsafe.Pointer(one))
	defer C.free(unsafe.Pointer(two))
	var err *C.feast_error_t
	change(one, two, &err)
	runtime.KeepAlive(r)
	return taken(err)
}

// joined makes one text of many, each with something behind it, and their lengths.
func joined(texts []string, behind string) (*C.char, []C.size_t) {
	var all strings.Builder
	lengths := make([]C.size_t, len(texts))
	for i, text := range texts {
		all.WriteString(text)
		all.WriteString(behind)
		lengths[i] = C.size_t(len(text) + len(behind))
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(all.String()))), lengths
}

package feastremote

/*
#include <feast_remote.h>
#include <stdlib.h>

// One buffer and the lengths in place of an array of pointers, which Go may not pass.
static inline feast_status_t set_strings(feast_request_t *request, const char *name, const char *data,
                                         const size_t *lengths, size_t count, feast_error_t **err) {
  const char **values = malloc((count + 1) * sizeof *values);
  if (values == NULL) abort();
  if (data == NULL) data = ""; // Go's empty string
  for (size_t i = 0; i < count; i++) {
    values[i] = data;
    data += lengths[i];
  }
  feast_status_t status = feast_request_set_entity_string(request, name, values, lengths, count, err);
  free(values);
  return status;
}
*/
import "C"

import (
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// Type is a column's type, with the numbers of feast_type_t.
type Type int32

// The types of columns. A list's type is NullList plus its items'.
const (
	Invalid       Type = C.FEAST_TYPE_INVALID
	Null          Type = C.FEAST_TYPE_NULL
	Bool          Type = C.FEAST_TYPE_BOOL
	Int32         Type = C.FEAST_TYPE_INT32
	Int64         Type = C.FEAST_TYPE_INT64
	Float         Type = C.FEAST_TYPE_FLOAT
	Double        Type = C.FEAST_TYPE_DOUBLE
	String        Type = C.FEAST_TYPE_STRING
	Bytes         Type = C.FEAST_TYPE_BYTES
	UnixTimestamp Type = C.FEAST_TYPE_UNIX_TIMESTAMP
	JSON          Type = C.FEAST_TYPE_JSON
	NullList      Type = C.FEAST_TYPE_NULL_LIST
)

// Request says which features are wanted, and of which entities. Any number of goroutines may use it while none changes
// it. The garbage collector frees it.
type Request struct {
	handle *C.feast_request_t
}

// NewRequest asks for features, each as "feature_view:feature".
func NewRequest(features ...string) (*Request, error) {
	request := &Request{C.feast_request_new()}
	runtime.AddCleanup(request, func(handle *C.feast_request_t) { C.feast_request_free(handle) }, request.handle)
	for _, feature := range features {
		if err := request.set(feature, func(text *C.char, err **C.feast_error_t) {
			C.feast_request_add_feature(request.handle, text, err)
		}); err != nil {
			return nil, err
		}
	}
	return request, nil
}

// AddTyped asks for a feature whose column is to have this type, exactly, or the call fails.
func (r *Request) AddTyped(feature string, columnType Type) error {
	return r.set(feature, func(text *C.char, err **C.feast_error_t) {
		C.feast_request_add_typed_feature(r.handle, text, C.feast_type_t(columnType), err)
	})
}

// SetFeatureService asks for the features of a feature service, in place of single ones.
func (r *Request) SetFeatureService(name string) error {
	return r.set(name, func(text *C.char, err **C.feast_error_t) {
		C.feast_request_set_feature_service(r.handle, text, err)
	})
}

// SetTimeout is how long a call may take, in place of request_timeout_ms. After 0 or less, as time.Until says of what is
// past, a call ends at once with Timeout, and nothing is sent. The context's deadline holds beside it.
func (r *Request) SetTimeout(timeout time.Duration) error {
	return r.set("", func(_ *C.char, err **C.feast_error_t) {
		C.feast_request_set_timeout_ns(r.handle, C.int64_t(timeout), err)
	})
}

// SetMerge says whether the call may share a request with others (merge_max_rows), which it may unless this is called.
func (r *Request) SetMerge(merge bool) error {
	return r.set("", func(_ *C.char, err **C.feast_error_t) {
		C.feast_request_set_merge(r.handle, C.bool(merge), err)
	})
}

// SetInt64 gives the values of an entity's join key, a row each; the values are copied.
func (r *Request) SetInt64(entity string, values []int64) error {
	return r.set(entity, func(name *C.char, err **C.feast_error_t) {
		C.feast_request_set_entity_int64(r.handle, name, (*C.int64_t)(unsafe.SliceData(values)), C.size_t(len(values)), err)
	})
}

// SetFloat64 is SetInt64 for numbers, which on-demand feature views take.
func (r *Request) SetFloat64(entity string, values []float64) error {
	return r.set(entity, func(name *C.char, err **C.feast_error_t) {
		C.feast_request_set_entity_double(r.handle, name, (*C.double)(unsafe.SliceData(values)), C.size_t(len(values)), err)
	})
}

// SetString is SetInt64 for strings.
func (r *Request) SetString(entity string, values []string) error {
	lengths := make([]C.size_t, len(values))
	for i, value := range values {
		lengths[i] = C.size_t(len(value))
	}
	data := strings.Join(values, "")
	return r.set(entity, func(name *C.char, err **C.feast_error_t) {
		C.set_strings(r.handle, name, (*C.char)(unsafe.Pointer(unsafe.StringData(data))), unsafe.SliceData(lengths),
			C.size_t(len(values)), err)
	})
}

// SetJSON gives the values as a JSON array, nulls included.
func (r *Request) SetJSON(entity string, array string) error {
	if err := withoutNUL(array); err != nil {
		return err
	}
	text := C.CString(array)
	defer C.free(unsafe.Pointer(text))
	return r.set(entity, func(name *C.char, err **C.feast_error_t) {
		C.feast_request_set_entity_json(r.handle, name, text, err)
	})
}

func (r *Request) set(text string, change func(*C.char, **C.feast_error_t)) error {
	if err := withoutNUL(text); err != nil {
		return err
	}
	copied := C.CString(text)
	defer C.free(unsafe.Pointer(copied))
	var err *C.feast_error_t
	change(copied, &err)
	runtime.KeepAlive(r)
	return taken(err)
}

// withoutNUL refuses what C would cut off.
func withoutNUL(text string) error {
	if strings.ContainsRune(text, 0) {
		return &Error{Status: InvalidArgument, Message: "a NUL within the text"}
	}
	return nil
}

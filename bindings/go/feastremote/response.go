package feastremote

// #include "bridge.h"
import "C"

import (
	"iter"
	"runtime"
	"slices"
	"time"
	"unsafe"
)

// Response is an answer: a column for each entity that the server repeats, then one for each feature, in the order asked. Any
// number of goroutines may read it.
//
// The type of a column that nobody declared depends on the values that came. So ask for a column by its name and the type that
// the program needs, [Response.GetInt64] and its like, or [Response.Scan] all of them into structs: numbers are converted
// exactly, a column without any value has every type, and anything else is an error that says what there is. What methods return
// is a copy, and stays.
type Response struct {
	handle  *C.feast_response_t
	rows    int
	cleanup runtime.Cleanup
}

func newResponse(handle *C.feast_response_t, rows int) *Response {
	response := &Response{handle: handle, rows: rows}
	response.cleanup = runtime.AddCleanup(response, func(handle *C.feast_response_t) { C.feast_response_free(handle) }, handle)
	return response
}

// Close frees the answer, and what was viewed of it; more than once is fine. Afterwards it has no rows and no columns.
func (r *Response) Close() {
	r.cleanup.Stop()
	C.feast_response_free(r.handle)
	r.handle, r.rows = nil, 0
}

// NumRows is the number of rows, one for each entity row asked for.
func (r *Response) NumRows() int { return r.rows }

// NumColumns counts entities and features.
func (r *Response) NumColumns() int {
	defer r.keep()
	return int(C.feast_response_num_columns(r.handle))
}

// NumEntities counts the columns before the first feature.
func (r *Response) NumEntities() int {
	defer r.keep()
	return int(C.feast_response_num_entities(r.handle))
}

// CallsInRequest counts the calls that the request to the server asked for, this one among them (merge_max_rows).
func (r *Response) CallsInRequest() int {
	defer r.keep()
	return int(C.feast_response_calls_in_request(r.handle))
}

// Server is the URL of the server that gave this answer.
func (r *Response) Server() string {
	defer r.keep()
	return C.GoString(C.feast_response_server(r.handle))
}

// MarshalJSON makes one JSON object of the answer: by the name of each column an array with a value for each row, or null. Bytes
// are base64, UNIX timestamps are seconds. An answer with NaN or an infinity, for which JSON has no number, is an error.
func (r *Response) MarshalJSON() ([]byte, error) {
	defer r.keep()
	var (
		text   *C.char
		length C.size_t
		err    *C.feast_error_t
	)
	if C.feast_response_to_json(r.handle, &text, &length, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	defer C.feast_string_free(text)
	return bytesOf(text, length), nil
}

// FeatureViewVersion is a feature view that an answer has values of, and which version of it; 0 if it has none.
type FeatureViewVersion struct {
	Name    string
	Version int64
}

// FeatureViews are those that the server named, if the request asked for them
// ([Request.SetIncludeFeatureViewVersionMetadata]); else there are none.
func (r *Response) FeatureViews() []FeatureViewVersion {
	defer r.keep()
	views := make([]FeatureViewVersion, C.feast_response_num_feature_views(r.handle))
	for i := range views {
		views[i].Name = C.GoString(C.feast_response_feature_view_name(r.handle, C.size_t(i)))
		views[i].Version = int64(C.feast_response_feature_view_version(r.handle, C.size_t(i)))
	}
	return views
}

// Timing is where the time of the call went.
func (r *Response) Timing() Timing {
	defer r.keep()
	var timing C.feast_timing_t
	timing.size = C.sizeof_feast_timing_t
	C.feast_response_timing(r.handle, &timing)
	return timingOf(&timing)
}

// Column finds a column by its name; -1 if there is none.
func (r *Response) Column(name string) int {
	defer r.keep()
	if withoutNUL(name) != nil {
		return -1
	}
	return int(C.feast_response_find_column(r.handle, terminated(name))) // SIZE_MAX, for none, becomes -1
}

// Name is a column's name; "" if there is no such column.
func (r *Response) Name(column int) string {
	defer r.keep()
	return C.GoString(C.feast_response_column_name(r.handle, C.size_t(column)))
}

// Type is a column's type; [InvalidType] if there is no such column.
func (r *Response) Type(column int) Type {
	defer r.keep()
	return Type(C.feast_response_column_type(r.handle, C.size_t(column)))
}

// Columns iterates over columns and their names.
func (r *Response) Columns() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for column := range r.NumColumns() {
			if !yield(column, r.Name(column)) {
				return
			}
		}
	}
}

// Bool copies the column of type Bool, false where there is no value; nil for another type. Likewise below.
func (r *Response) Bool(column int) []bool {
	return copyOf[bool](r, unsafe.Pointer(C.feast_response_column_bool(r.handle, C.size_t(column))))
}

// Int32 copies the column of type Int32, which must be declared.
func (r *Response) Int32(column int) []int32 {
	return copyOf[int32](r, unsafe.Pointer(C.feast_response_column_int32(r.handle, C.size_t(column))))
}

// Int64 copies the column of type Int64, or the seconds of UnixTimestamp.
func (r *Response) Int64(column int) []int64 {
	return copyOf[int64](r, unsafe.Pointer(C.feast_response_column_int64(r.handle, C.size_t(column))))
}

// Float32 copies the column of type Float, which must be declared.
func (r *Response) Float32(column int) []float32 {
	return copyOf[float32](r, unsafe.Pointer(C.feast_response_column_float(r.handle, C.size_t(column))))
}

// Float64 copies the column of type Double.
func (r *Response) Float64(column int) []float64 {
	return copyOf[float64](r, unsafe.Pointer(C.feast_response_column_double(r.handle, C.size_t(column))))
}

// Values copies a column as a slice of what its own type is in Go, for programs that do not know the types: []bool, []int32,
// []int64, []float32, []float64, []string (also of JSON), [][]byte, []time.Time, or slices of slices of these for lists; nil for
// a column without any value, and if there is no such column. Which rows have a value [Response.Valid] tells.
func (r *Response) Values(column int) any {
	defer r.keep()
	switch r.Type(column) {
	case Bool:
		return r.Bool(column)
	case Int32:
		return r.Int32(column)
	case Int64:
		return r.Int64(column)
	case Float:
		return r.Float32(column)
	case Double:
		return r.Float64(column)
	case String, JSON:
		return r.textsAt(column).strings()
	case Bytes:
		return r.textsAt(column).bytes()
	case UnixTimestamp:
		return timesOf(r.Int64(column))
	case BoolList:
		return listsAt[bool](r, column).copied()
	case Int32List:
		return listsAt[int32](r, column).copied()
	case Int64List:
		return listsAt[int64](r, column).copied()
	case FloatList:
		return listsAt[float32](r, column).copied()
	case DoubleList:
		return listsAt[float64](r, column).copied()
	case StringList:
		return r.textListsAt(column).strings()
	case BytesList:
		return r.textListsAt(column).bytes()
	case UnixTimestampList:
		return timeLists(listsAt[int64](r, column))
	default:
		return nil
	}
}

// Valid tells which rows of a column have a value; nil if there is no such column.
func (r *Response) Valid(column int) []bool {
	if r.Type(column) == InvalidType {
		return nil
	}
	defer r.keep()
	return r.validity(C.feast_response_column_validity(r.handle, C.size_t(column))).bools(r.rows)
}

// IsNull tells whether a row of a column has no value, as one that does not exist.
func (r *Response) IsNull(column, row int) bool {
	defer r.keep()
	if row < 0 || row >= r.rows || r.Type(column) == InvalidType {
		return true
	}
	return !r.validity(C.feast_response_column_validity(r.handle, C.size_t(column))).has(row)
}

// Statuses is what the server says of each row; nil if there is no such column.
func (r *Response) Statuses(column int) []FieldStatus {
	return copyOf[FieldStatus](r, unsafe.Pointer(C.feast_response_column_statuses(r.handle, C.size_t(column))))
}

// EventTimestamps is the event timestamp of each row, the zero time where there is none; nil if the server sent none.
func (r *Response) EventTimestamps(column int) []time.Time {
	moments := copyOf[int64](r, unsafe.Pointer(C.feast_response_column_event_timestamps_ns(r.handle, C.size_t(column))))
	if moments == nil {
		return nil
	}
	times := make([]time.Time, len(moments))
	for row, moment := range moments {
		if moment != 0 {
			times[row] = time.Unix(0, moment).UTC()
		}
	}
	return times
}

// copyOf copies a column that the library has.
func copyOf[T any](r *Response, values unsafe.Pointer) []T {
	defer r.keep()
	return slices.Clone(sliceOf[T](values, r.rows))
}

// keep is for who looks into the library's memory, which the garbage collector would free.
func (r *Response) keep() { runtime.KeepAlive(r) }

// terminated is a text as C wants it, for one call.
func terminated(text string) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(append([]byte(text), 0))))
}

// bitmap is Arrow's validity of rows or items; nil: all are valid.
type bitmap []byte

func (r *Response) validity(bits *C.uint8_t) bitmap {
	return sliceOf[byte](unsafe.Pointer(bits), (r.rows+7)/8)
}

func (b bitmap) has(row int) bool { return b == nil || b[row/8]>>(row%8)&1 == 1 }

func (b bitmap) bools(rows int) []bool {
	valid := make([]bool, rows)
	for row := range valid {
		valid[row] = b.has(row)
	}
	return valid
}

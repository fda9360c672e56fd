package feastremote

// #include <feast_remote.h>
import "C"

import (
	"strings"
	"unsafe"
)

// FieldStatus is what the server says of a value.
type FieldStatus uint8

// Feast's field statuses.
const (
	Present       FieldStatus = C.FEAST_FIELD_STATUS_PRESENT
	NullValue     FieldStatus = C.FEAST_FIELD_STATUS_NULL_VALUE
	RowNotFound   FieldStatus = C.FEAST_FIELD_STATUS_NOT_FOUND
	OutsideMaxAge FieldStatus = C.FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE
)

// Response is an answer. Its slices are the library's own memory, not copies: they may be read, not written, and by
// nobody any more after Close. Any number of goroutines may read it. The entities come first, then the features in the
// order asked.
type Response struct {
	handle *C.feast_response_t
	rows   int
}

// Close frees the answer and with it all slices taken from it; more than once is fine.
func (r *Response) Close() {
	C.feast_response_free(r.handle)
	r.handle, r.rows = nil, 0
}

// NumRows is the number of rows, one for each entity row asked for.
func (r *Response) NumRows() int { return r.rows }

// NumColumns counts entities and features.
func (r *Response) NumColumns() int { return int(C.feast_response_num_columns(r.handle)) }

// NumEntities counts the columns before the first feature.
func (r *Response) NumEntities() int { return int(C.feast_response_num_entities(r.handle)) }

// CallsInRequest counts the calls that the request asked for, this one among them (merge_max_rows).
func (r *Response) CallsInRequest() int { return int(C.feast_response_calls_in_request(r.handle)) }

// Server is the URL of the server that gave this answer.
func (r *Response) Server() string { return C.GoString(C.feast_response_server(r.handle)) }

// Column finds a column by its name; -1 if there is none.
func (r *Response) Column(name string) int {
	text := append([]byte(name), 0)
	// SIZE_MAX, for none, becomes -1.
	return int(C.feast_response_find_column(r.handle, (*C.char)(unsafe.Pointer(unsafe.SliceData(text)))))
}

// Name is a column's name.
func (r *Response) Name(column int) string {
	return C.GoString(C.feast_response_column_name(r.handle, C.size_t(column)))
}

// Type is a column's type. What it is depends on the values that came, unless it was declared: ask for columns by name.
func (r *Response) Type(column int) Type {
	return Type(C.feast_response_column_type(r.handle, C.size_t(column)))
}

// Int64 is the column of type Int64 or UnixTimestamp (seconds), 0 where there is no value; nil for another type.
func (r *Response) Int64(column int) []int64 {
	return view[int64](unsafe.Pointer(C.feast_response_column_int64(r.handle, C.size_t(column))), r.rows)
}

// Int32 is the column of type Int32, which must be declared; nil for another type.
func (r *Response) Int32(column int) []int32 {
	return view[int32](unsafe.Pointer(C.feast_response_column_int32(r.handle, C.size_t(column))), r.rows)
}

// Float64 is the column of type Double; nil for another type.
func (r *Response) Float64(column int) []float64 {
	return view[float64](unsafe.Pointer(C.feast_response_column_double(r.handle, C.size_t(column))), r.rows)
}

// Float32 is the column of type Float, which must be declared; nil for another type.
func (r *Response) Float32(column int) []float32 {
	return view[float32](unsafe.Pointer(C.feast_response_column_float(r.handle, C.size_t(column))), r.rows)
}

// Bool is the column of type Bool; nil for another type.
func (r *Response) Bool(column int) []bool {
	return view[bool](unsafe.Pointer(C.feast_response_column_bool(r.handle, C.size_t(column))), r.rows)
}

// GetInt64 is the column with this name as integers, 0 where there is no value. A column without any value has every type, and
// other numbers are converted exactly; else an error says what there is. Likewise below.
func (r *Response) GetInt64(name string) ([]int64, error) {
	return named(r, name, func(h *C.feast_response_t, name *C.char, out **C.int64_t, err **C.feast_error_t) C.feast_status_t {
		return C.feast_response_get_int64(h, name, out, nil, err)
	}, func(values *C.int64_t) []int64 { return view[int64](unsafe.Pointer(values), r.rows) })
}

// GetInt32 is the column with this name as integers of 32 bits.
func (r *Response) GetInt32(name string) ([]int32, error) {
	return named(r, name, func(h *C.feast_response_t, name *C.char, out **C.int32_t, err **C.feast_error_t) C.feast_status_t {
		return C.feast_response_get_int32(h, name, out, nil, err)
	}, func(values *C.int32_t) []int32 { return view[int32](unsafe.Pointer(values), r.rows) })
}

// GetFloat64 is the column with this name as numbers of 64 bits.
func (r *Response) GetFloat64(name string) ([]float64, error) {
	return named(r, name, func(h *C.feast_response_t, name *C.char, out **C.double, err **C.feast_error_t) C.feast_status_t {
		return C.feast_response_get_double(h, name, out, nil, err)
	}, func(values *C.double) []float64 { return view[float64](unsafe.Pointer(values), r.rows) })
}

// GetFloat32 is the column with this name as numbers of 32 bits, rounded.
func (r *Response) GetFloat32(name string) ([]float32, error) {
	return named(r, name, func(h *C.feast_response_t, name *C.char, out **C.float, err **C.feast_error_t) C.feast_status_t {
		return C.feast_response_get_float(h, name, out, nil, err)
	}, func(values *C.float) []float32 { return view[float32](unsafe.Pointer(values), r.rows) })
}

// GetBool is the column with this name as booleans.
func (r *Response) GetBool(name string) ([]bool, error) {
	return named(r, name, func(h *C.feast_response_t, name *C.char, out **C.uint8_t, err **C.feast_error_t) C.feast_status_t {
		return C.feast_response_get_bool(h, name, out, nil, err)
	}, func(values *C.uint8_t) []bool { return view[bool](unsafe.Pointer(values), r.rows) })
}

// GetTexts is the column with this name as strings.
func (r *Response) GetTexts(name string) (Texts, error) {
	var data *C.char
	return named(r, name, func(h *C.feast_response_t, name *C.char, out **C.int64_t, err **C.feast_error_t) C.feast_status_t {
		return C.feast_response_get_string(h, name, out, &data, nil, err)
	}, func(offsets *C.int64_t) Texts {
		ends := view[int64](unsafe.Pointer(offsets), r.rows+1)
		return Texts{Offsets: ends, Data: view[byte](unsafe.Pointer(data), int(ends[r.rows]))}
	})
}

// named asks for a column by its name.
func named[T, R any](
	r *Response, name string, get func(*C.feast_response_t, *C.char, **T, **C.feast_error_t) C.feast_status_t, made func(*T) R,
) (R, error) {
	var (
		values *T
		err    *C.feast_error_t
		none   R
	)
	if strings.IndexByte(name, 0) >= 0 {
		return none, &Error{Status: InvalidArgument, Message: "the name has a NUL in it"}
	}
	text := append([]byte(name), 0)
	if get(r.handle, (*C.char)(unsafe.Pointer(unsafe.SliceData(text))), &values, &err) != C.FEAST_OK {
		return none, taken(err)
	}
	return made(values), nil
}

// Texts is a column of strings, bytes or JSON: row i is Data[Offsets[i]:Offsets[i+1]].
type Texts struct {
	Offsets []int64
	Data    []byte
}

// At copies one row.
func (t Texts) At(row int) string { return string(t.Data[t.Offsets[row]:t.Offsets[row+1]]) }

// Texts is the column of type String, Bytes or JSON; an error for another type.
func (r *Response) Texts(column int) (Texts, error) {
	var (
		offsets *C.int64_t
		data    *C.char
		err     *C.feast_error_t
	)
	if C.feast_response_column_string(r.handle, C.size_t(column), &offsets, &data, &err) != C.FEAST_OK {
		return Texts{}, taken(err)
	}
	texts := Texts{Offsets: view[int64](unsafe.Pointer(offsets), r.rows+1)}
	texts.Data = view[byte](unsafe.Pointer(data), int(texts.Offsets[r.rows]))
	return texts, nil
}

// Lists is a column of lists: row i is Items[Offsets[i]:Offsets[i+1]].
type Lists[T any] struct {
	Offsets []int64
	Items   []T
}

// At is one row's list, not copied.
func (l Lists[T]) At(row int) []T { return l.Items[l.Offsets[row]:l.Offsets[row+1]] }

// Float64Lists is the column of lists of Double, such as an embedding; an error for another type.
func (r *Response) Float64Lists(column int) (Lists[float64], error) {
	return lists[float64](r, column, NullList+Double)
}

// Float32Lists is the column of lists of Float, which must be declared; an error for another type.
func (r *Response) Float32Lists(column int) (Lists[float32], error) {
	return lists[float32](r, column, NullList+Float)
}

// Int64Lists is the column of lists of Int64; an error for another type.
func (r *Response) Int64Lists(column int) (Lists[int64], error) {
	return lists[int64](r, column, NullList+Int64)
}

// IsNull tells whether a row has no value.
func (r *Response) IsNull(column, row int) bool {
	bits := view[byte](unsafe.Pointer(C.feast_response_column_validity(r.handle, C.size_t(column))), (r.rows+7)/8)
	return bits != nil && bits[row/8]>>(row%8)&1 == 0
}

// Statuses is what the server says of each row.
func (r *Response) Statuses(column int) []FieldStatus {
	return view[FieldStatus](unsafe.Pointer(C.feast_response_column_statuses(r.handle, C.size_t(column))), r.rows)
}

// EventTimestamps is the time of each row in nanoseconds since 1970, 0 where there is none; nil if the server sent none.
func (r *Response) EventTimestamps(column int) []int64 {
	return view[int64](unsafe.Pointer(C.feast_response_column_event_timestamps_ns(r.handle, C.size_t(column))), r.rows)
}

// Matrix copies all features, which must be numbers, into rows of float32, rowStride from one to the next; missing stands
// where there is no value. A list takes as many places as it has items, so a row may be wider than the number of features.
func (r *Response) Matrix(out []float32, rowStride int, missing float32) error {
	if len(out) < r.rows*rowStride {
		return &Error{Status: InvalidArgument, Message: "out is shorter than the rows times rowStride"}
	}
	var err *C.feast_error_t
	C.feast_response_copy_f32(r.handle, nil, 0, (*C.float)(unsafe.SliceData(out)), C.size_t(rowStride), C.float(missing),
		nil, &err)
	return taken(err)
}

func lists[T any](r *Response, column int, wanted Type) (Lists[T], error) {
	var (
		offsets *C.int64_t
		items   unsafe.Pointer
		err     *C.feast_error_t
	)
	if C.feast_response_column_list(r.handle, C.size_t(column), &offsets, &items, &err) != C.FEAST_OK {
		return Lists[T]{}, taken(err)
	}
	if r.Type(column) != wanted {
		return Lists[T]{}, &Error{Status: WrongType, Message: r.Name(column) + ": the lists are of another type"}
	}
	ends := view[int64](unsafe.Pointer(offsets), r.rows+1)
	return Lists[T]{ends, view[T](items, int(ends[r.rows]))}, nil
}

// view makes a slice of the library's memory; nil for NULL.
func view[T any](values unsafe.Pointer, count int) []T {
	if values == nil {
		return nil
	}
	return unsafe.Slice((*T)(values), count)
}

package feastremote

// #include "bridge.h"
import "C"

import (
	"context"
	"runtime"
	"slices"
	"unsafe"
)

// Number are the types of numbers in a [Matrix].
type Number interface {
	float32 | float64 | int64
}

// Matrix is where numbers go, row by row: that of row i and column j is Data[i*RowStride+j]. A column of lists takes as many as
// its lists have items, which must be the same number in every row. Booleans become 0 and 1. For float32 each number is rounded,
// as numpy's astype does; for the others one that does not fit exactly is an error.
type Matrix[T Number] struct {
	Columns   []string      // their names; nil: all features
	Data      []T           // room for the rows; made anew if it is nil
	RowStride int           // from one row to the next, at least the number of columns; 0: just that
	Missing   T             // what stands where there is no value, such as NaN or 0; [Request.SetMissing] goes before it
	Statuses  []FieldStatus // nil, or one for each number of Data
}

// CopyFrom fills the matrix with an answer's columns. After an error what Data holds is not specified.
func (m *Matrix[T]) CopyFrom(r *Response) error {
	defer r.keep()
	for _, name := range m.Columns {
		if err := withoutNUL(name); err != nil {
			return err
		}
	}
	var (
		data    *C.char
		lengths []C.size_t
	)
	if m.Columns != nil {
		data, lengths = joined(append(slices.Clone(m.Columns), ""), "\x00") // not empty, which would be all features
	}
	if m.RowStride == 0 {
		m.RowStride = int(C.matrix_width(r.handle, data, unsafe.SliceData(lengths), C.size_t(len(m.Columns))))
	}
	if err := m.makeRoom(r.rows); err != nil {
		return err
	}
	var (
		integer C.int64_t
		real    = C.double(m.Missing)
		err     *C.feast_error_t
	)
	if number, is := any(m.Missing).(int64); is {
		integer = C.int64_t(number)
	}
	C.copy_matrix(r.handle, C.feast_type_t(numberType[T]()), data, unsafe.SliceData(lengths), C.size_t(len(m.Columns)),
		unsafe.Pointer(unsafe.SliceData(m.Data)), C.size_t(m.RowStride), real, integer,
		(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(m.Statuses))), &err)
	return taken(err)
}

// GetOnlineFeaturesInto fetches all features of a request straight into a matrix, without a response in between. A feature whose
// values are both booleans and numbers is accepted here. The matrix's Columns are not used; its RowStride must
// be set where [Request.MatrixWidth] is not known. The context is that of [Remote.GetOnlineFeatures], but one that is cancelled is only
// heeded by returning at once, while the library goes on until the call's deadline, in memory of its own.
func (r *Remote) GetOnlineFeaturesInto(ctx context.Context, request *Request, m *Matrix[float32]) error {
	if m.RowStride == 0 {
		if m.RowStride = request.MatrixWidth(); m.RowStride == 0 {
			return invalid("the number of columns is not known: set RowStride, or declare how long lists are")
		}
	}
	if err := m.makeRoom(request.rows); err != nil {
		return err
	}
	out, statuses := m.Data, m.Statuses
	if ctx.Done() != nil { // the caller's memory is the caller's again when this returns
		out, statuses = slices.Clone(out), slices.Clone(statuses)
	}
	until := left(ctx)
	_, err := detached(ctx, grace, func() (struct{}, error) {
		var err *C.feast_error_t
		C.fetch_into(r.handle, request.handle, request.deadline, until, (*C.float)(unsafe.SliceData(out)),
			C.size_t(m.RowStride), C.float(m.Missing), (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(statuses))), &err)
		runtime.KeepAlive(r)
		runtime.KeepAlive(request)
		return struct{}{}, taken(err)
	}, nil)
	if err == nil && ctx.Done() != nil {
		copy(m.Data, out)
		copy(m.Statuses, statuses)
	}
	return err
}

// makeRoom makes Data if there is none, and refuses what is too short for C, which would write beyond it.
func (m *Matrix[T]) makeRoom(rows int) error {
	if m.RowStride < 0 {
		return invalid("RowStride is %d", m.RowStride)
	}
	if m.Data == nil {
		m.Data = make([]T, rows*m.RowStride)
	}
	if m.RowStride > 0 && len(m.Data)/m.RowStride < rows {
		return invalid("Data has room for %d numbers, and %d rows of %d are to be written", len(m.Data), rows, m.RowStride)
	}
	if m.Statuses != nil && len(m.Statuses) < len(m.Data) {
		return invalid("Statuses has room for %d, and Data for %d", len(m.Statuses), len(m.Data))
	}
	return nil
}

func numberType[T Number]() Type {
	switch any(*new(T)).(type) {
	case float32:
		return Float
	case float64:
		return Double
	default:
		return Int64
	}
}

package feastremote

// #include "bridge.h"
import "C"

import (
	"math"
	"runtime"
	"time"
	"unsafe"
)

// Frame holds rows to be written: columns of equal length, each with a name: the join keys, the features, and the event
// timestamps. Any number of writes may use it, by many goroutines while none changes it.
type Frame struct {
	handle *C.feast_frame_t
}

// NewFrame is empty.
func NewFrame() *Frame { return newFrame(C.feast_frame_new()) }

// NumRows is that of the first column.
func (f *Frame) NumRows() int {
	defer runtime.KeepAlive(f)
	return int(C.feast_frame_num_rows(f.handle))
}

// SetInt32 adds a column of integers of 32 bits, which are copied. valid says which rows have a value; nil: all. Likewise below.
func (f *Frame) SetInt32(name string, values []int32, valid []bool) error {
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_int32(f.handle, text, (*C.int32_t)(unsafe.SliceData(values)), bits, C.size_t(len(values)), err)
	})
}

// SetInt64 adds a column of integers of 64 bits.
func (f *Frame) SetInt64(name string, values []int64, valid []bool) error {
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_int64(f.handle, text, (*C.int64_t)(unsafe.SliceData(values)), bits, C.size_t(len(values)), err)
	})
}

// SetFloat32 adds a column of numbers of 32 bits, which must be finite.
func (f *Frame) SetFloat32(name string, values []float32, valid []bool) error {
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_float(f.handle, text, (*C.float)(unsafe.SliceData(values)), bits, C.size_t(len(values)), err)
	})
}

// SetFloat64 adds a column of numbers of 64 bits, which must be finite.
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

// SetTime adds a column of moments, from 1678 to 2261: event timestamps, to the microsecond, or features, of whole seconds.
func (f *Frame) SetTime(name string, values []time.Time, valid []bool) error {
	moments := make([]int64, len(values))
	for row, value := range values {
		if row < len(valid) && !valid[row] {
			continue
		}
		if value.Before(time.Unix(0, math.MinInt64)) || value.After(time.Unix(0, math.MaxInt64)) {
			return invalid("%s: row %d is %v, which nanoseconds since 1970 cannot reach", name, row, value)
		}
		moments[row] = value.UnixNano()
	}
	return f.set(name, valid, len(values), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_timestamp_ns(f.handle, text, (*C.int64_t)(unsafe.SliceData(moments)), bits, C.size_t(len(values)), err)
	})
}

// SetString adds a column of strings.
func (f *Frame) SetString(name string, values []string, valid []bool) error {
	nulls := make([]C.uint8_t, len(values))
	for row := range min(len(values), len(valid)) {
		if !valid[row] {
			nulls[row] = 1
		}
	}
	data, lengths := joined(values, "")
	return f.set(name, valid, len(values), func(text *C.char, _ *C.uint8_t, err **C.feast_error_t) {
		C.set_frame_strings(f.handle, text, data, unsafe.SliceData(lengths), unsafe.SliceData(nulls), C.size_t(len(values)), err)
	})
}

// SetJSON adds a column by a JSON array of anything, one element a row: maps, lists of lists, nulls.
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

// SetInt64Lists adds a column of lists of integers of 64 bits, which are copied. A nil list is a null, an empty one is empty.
// Likewise below.
func (f *Frame) SetInt64Lists(name string, lists [][]int64) error {
	offsets, items, valid := flat(lists)
	return f.set(name, valid, len(lists), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_int64_list(f.handle, text, unsafe.SliceData(offsets), (*C.int64_t)(unsafe.SliceData(items)), bits,
			C.size_t(len(lists)), err)
	})
}

// SetFloat32Lists adds a column of lists of numbers of 32 bits, such as embeddings, which must be finite.
func (f *Frame) SetFloat32Lists(name string, lists [][]float32) error {
	offsets, items, valid := flat(lists)
	return f.set(name, valid, len(lists), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_float_list(f.handle, text, unsafe.SliceData(offsets), (*C.float)(unsafe.SliceData(items)), bits,
			C.size_t(len(lists)), err)
	})
}

// SetFloat64Lists adds a column of lists of numbers of 64 bits, which must be finite.
func (f *Frame) SetFloat64Lists(name string, lists [][]float64) error {
	offsets, items, valid := flat(lists)
	return f.set(name, valid, len(lists), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.feast_frame_set_double_list(f.handle, text, unsafe.SliceData(offsets), (*C.double)(unsafe.SliceData(items)), bits,
			C.size_t(len(lists)), err)
	})
}

// SetStringLists adds a column of lists of strings.
func (f *Frame) SetStringLists(name string, lists [][]string) error {
	offsets, items, valid := flat(lists)
	for _, item := range items {
		if err := withoutNUL(item); err != nil {
			return err
		}
	}
	data, lengths := joined(items, "\x00")
	return f.set(name, valid, len(lists), func(text *C.char, bits *C.uint8_t, err **C.feast_error_t) {
		C.set_frame_string_lists(f.handle, text, unsafe.SliceData(offsets), data, unsafe.SliceData(lengths), bits,
			C.size_t(len(lists)), err)
	})
}

// flat puts the items of lists one behind the other.
func flat[T any](lists [][]T) (offsets []C.int64_t, items []T, valid []bool) {
	offsets = make([]C.int64_t, 1, len(lists)+1)
	valid = make([]bool, len(lists))
	for row, list := range lists {
		items = append(items, list...)
		offsets = append(offsets, C.int64_t(len(items)))
		valid[row] = list != nil
	}
	return offsets, items, valid
}

func (f *Frame) set(name string, valid []bool, rows int, add func(*C.char, *C.uint8_t, **C.feast_error_t)) error {
	if err := withoutNUL(name); err != nil {
		return err
	}
	if valid != nil && len(valid) != rows {
		return invalid("%s: %d rows, and valid has %d", name, rows, len(valid))
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

package feastremote

// #include "bridge.h"
import "C"

import (
	"slices"
	"time"
)

// GetBool copies the column with this name as booleans, false where there is no value, which [Response.Valid] and
// [Response.Statuses] tell. A column without any value has every type, and numbers are converted exactly; else an error says what
// there is. Likewise below.
func (r *Response) GetBool(name string) ([]bool, error) { return get[bool](r, name) }

// GetInt32 copies the column with this name as integers of 32 bits.
func (r *Response) GetInt32(name string) ([]int32, error) { return get[int32](r, name) }

// GetInt64 copies the column with this name as integers of 64 bits.
func (r *Response) GetInt64(name string) ([]int64, error) { return get[int64](r, name) }

// GetFloat32 copies the column with this name as numbers of 32 bits; reals are rounded, as numpy.float32 does.
func (r *Response) GetFloat32(name string) ([]float32, error) { return get[float32](r, name) }

// GetFloat64 copies the column with this name as numbers of 64 bits.
func (r *Response) GetFloat64(name string) ([]float64, error) { return get[float64](r, name) }

// GetString copies the column with this name as strings; of JSON, the text.
func (r *Response) GetString(name string) ([]string, error) {
	defer r.keep()
	texts, _, err := r.texts(name)
	return texts.strings(), err
}

// GetBytes copies the column with this name, of type Bytes (which must be declared) or text; nil where there is no value.
func (r *Response) GetBytes(name string) ([][]byte, error) {
	defer r.keep()
	texts, valid, err := r.texts(name)
	values := texts.bytes()
	for row := range values {
		if !valid.has(row) {
			values[row] = nil
		}
	}
	return values, err
}

// GetTime copies the column with this name, of seconds since 1970-01-01 UTC (UnixTimestamp, or integers), as moments; the zero
// time where there is no value.
func (r *Response) GetTime(name string) ([]time.Time, error) {
	defer r.keep()
	values, valid, err := fixed[int64](r, name)
	times := timesOf(values)
	for row := range times {
		if !valid.has(row) {
			times[row] = time.Time{}
		}
	}
	return times, err
}

// GetBoolList copies the lists of the column with this name; nil where there is none. Nulls among the items are false, or 0.
// Likewise below.
func (r *Response) GetBoolList(name string) ([][]bool, error) { return getLists[bool](r, name) }

// GetInt32List copies the lists of the column with this name as integers of 32 bits.
func (r *Response) GetInt32List(name string) ([][]int32, error) { return getLists[int32](r, name) }

// GetInt64List copies the lists of the column with this name as integers of 64 bits.
func (r *Response) GetInt64List(name string) ([][]int64, error) { return getLists[int64](r, name) }

// GetFloat32List copies the lists of the column with this name as numbers of 32 bits, such as embeddings.
func (r *Response) GetFloat32List(name string) ([][]float32, error) {
	return getLists[float32](r, name)
}

// GetFloat64List copies the lists of the column with this name as numbers of 64 bits.
func (r *Response) GetFloat64List(name string) ([][]float64, error) {
	return getLists[float64](r, name)
}

// GetStringList copies the lists of strings of the column with this name.
func (r *Response) GetStringList(name string) ([][]string, error) {
	defer r.keep()
	lists, err := r.textLists(name)
	return lists.strings(), err
}

// GetBytesList copies the lists of bytes of the column with this name, which must be declared, or of text.
func (r *Response) GetBytesList(name string) ([][][]byte, error) {
	defer r.keep()
	lists, err := r.textLists(name)
	return lists.bytes(), err
}

// GetTimeList copies the lists of seconds since 1970-01-01 UTC of the column with this name as moments.
func (r *Response) GetTimeList(name string) ([][]time.Time, error) {
	defer r.keep()
	lists, err := listsNamed[int64](r, name)
	return timeLists(lists), err
}

func get[T Fixed](r *Response, name string) ([]T, error) {
	defer r.keep()
	values, _, err := fixed[T](r, name)
	return slices.Clone(values), err
}

func getLists[T Fixed](r *Response, name string) ([][]T, error) {
	defer r.keep()
	lists, err := listsNamed[T](r, name)
	return lists.copied(), err
}

func timesOf(seconds []int64) []time.Time {
	times := make([]time.Time, len(seconds))
	for row, second := range seconds {
		times[row] = time.Unix(second, 0).UTC()
	}
	return times
}

func timeLists(lists Lists[int64]) [][]time.Time {
	return mapped(lists.rows(), func(row int) []time.Time {
		if !lists.valid.has(row) {
			return nil
		}
		return timesOf(lists.At(row))
	})
}

// mapped makes something of each row.
func mapped[T any](rows int, of func(int) T) []T {
	made := make([]T, rows)
	for row := range made {
		made[row] = of(row)
	}
	return made
}

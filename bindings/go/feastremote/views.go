package feastremote

// #include "bridge.h"
import "C"

import (
	"iter"
	"slices"
	"unsafe"
)

// View is the column with this name as the library has it, not copied: one value a row, 0 where there is none, converted as by
// [Response.GetInt64] and its like. It may be read, not written, until the response is closed. A response that was viewed is
// freed by Close alone, no more by the garbage collector, which does not see who reads the library's memory.
func View[T Fixed](r *Response, name string) ([]T, error) {
	r.pin()
	values, _, err := fixed[T](r, name)
	return values, err
}

// ViewLists is the column of lists with this name, not copied; likewise.
func ViewLists[T Fixed](r *Response, name string) (Lists[T], error) {
	r.pin()
	return listsNamed[T](r, name)
}

// ViewTexts is the column of strings, bytes or JSON with this name, not copied; likewise.
func (r *Response) ViewTexts(name string) (Texts, error) {
	r.pin()
	texts, _, err := r.texts(name)
	return texts, err
}

// pin leaves the freeing to Close.
func (r *Response) pin() { r.cleanup.Stop() }

// Texts is a column of strings, bytes or JSON: row i is Data[Offsets[i]:Offsets[i+1]].
type Texts struct {
	Offsets []int64
	Data    []byte
}

// At copies one row.
func (t Texts) At(row int) string { return string(t.Data[t.Offsets[row]:t.Offsets[row+1]]) }

// All iterates over the rows, copying each.
func (t Texts) All() iter.Seq2[int, string] { return each(t.rows(), t.At) }

func (t Texts) rows() int { return max(0, len(t.Offsets)-1) }

func (t Texts) strings() []string { return mapped(t.rows(), t.At) }

func (t Texts) bytes() [][]byte {
	return mapped(t.rows(), func(row int) []byte { return slices.Clone(t.Data[t.Offsets[row]:t.Offsets[row+1]]) })
}

// Lists is a column of lists: row i is Items[Offsets[i]:Offsets[i+1]], empty where there is no list.
type Lists[T any] struct {
	Offsets []int64
	Items   []T

	valid bitmap
}

// At is one row's list, not copied.
func (l Lists[T]) At(row int) []T { return l.Items[l.Offsets[row]:l.Offsets[row+1]:l.Offsets[row+1]] }

// All iterates over the rows' lists.
func (l Lists[T]) All() iter.Seq2[int, []T] { return each(l.rows(), l.At) }

// IsNull tells whether a row has no list.
func (l Lists[T]) IsNull(row int) bool { return !l.valid.has(row) }

func (l Lists[T]) rows() int { return max(0, len(l.Offsets)-1) }

func (l Lists[T]) copied() [][]T {
	return mapped(l.rows(), func(row int) []T {
		if !l.valid.has(row) {
			return nil
		}
		return append([]T{}, l.At(row)...)
	})
}

// textLists is a column of lists of texts: the texts of row i are lists.At(i).
type textLists struct {
	lists Lists[int64] // offsets into texts: those of row i are Offsets[i] up to Offsets[i+1]
	texts Texts
}

func (l textLists) strings() [][]string { return textRows(l, l.texts.At) }

func (l textLists) bytes() [][][]byte {
	return textRows(l, func(text int) []byte {
		return append([]byte{}, l.texts.Data[l.texts.Offsets[text]:l.texts.Offsets[text+1]]...)
	})
}

func textRows[T any](l textLists, at func(int) T) [][]T {
	return mapped(l.lists.rows(), func(row int) []T {
		if !l.lists.valid.has(row) {
			return nil
		}
		first := int(l.lists.Offsets[row])
		return mapped(int(l.lists.Offsets[row+1])-first, func(i int) T { return at(first + i) })
	})
}

func each[T any](rows int, at func(int) T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for row := range rows {
			if !yield(row, at(row)) {
				return
			}
		}
	}
}

// What follows looks into the library's memory, by names and by columns. Who calls it copies before the response can be freed.

func fixed[T Fixed](r *Response, name string) ([]T, bitmap, error) {
	var (
		values unsafe.Pointer
		bits   *C.uint8_t
	)
	err := r.named(name, func(name *C.char, err **C.feast_error_t) {
		C.get_values(r.handle, C.feast_type_t(typeOf[T]()), name, &values, &bits, err)
	})
	return sliceOf[T](values, r.rows), r.validity(bits), err
}

func (r *Response) texts(name string) (Texts, bitmap, error) {
	var (
		offsets *C.int64_t
		data    *C.char
		bits    *C.uint8_t
	)
	err := r.named(name, func(name *C.char, err **C.feast_error_t) {
		C.feast_response_get_string(r.handle, name, &offsets, &data, &bits, err)
	})
	return r.textsOf(offsets, data, r.rows), r.validity(bits), err
}

func listsNamed[T Fixed](r *Response, name string) (Lists[T], error) {
	var (
		offsets *C.int64_t
		items   unsafe.Pointer
		bits    *C.uint8_t
	)
	err := r.named(name, func(name *C.char, err **C.feast_error_t) {
		C.get_lists(r.handle, C.feast_type_t(typeOf[T]()), name, &offsets, &items, &bits, err)
	})
	return listsOf[T](r, offsets, items, bits), err
}

func (r *Response) textLists(name string) (textLists, error) {
	var (
		offsets, ends *C.int64_t
		data          *C.char
		bits          *C.uint8_t
	)
	err := r.named(name, func(name *C.char, err **C.feast_error_t) {
		C.feast_response_get_string_list(r.handle, name, &offsets, &ends, &data, &bits, err)
	})
	return r.textListsOf(offsets, ends, data, bits), err
}

func (r *Response) textsAt(column int) Texts {
	var (
		offsets *C.int64_t
		data    *C.char
	)
	C.feast_response_column_string(r.handle, C.size_t(column), &offsets, &data, nil)
	return r.textsOf(offsets, data, r.rows)
}

func listsAt[T Fixed](r *Response, column int) Lists[T] {
	var (
		offsets *C.int64_t
		items   unsafe.Pointer
	)
	C.feast_response_column_list(r.handle, C.size_t(column), &offsets, &items, nil)
	return listsOf[T](r, offsets, items, C.feast_response_column_validity(r.handle, C.size_t(column)))
}

func (r *Response) textListsAt(column int) textLists {
	var (
		offsets *C.int64_t
		ends    unsafe.Pointer
	)
	C.feast_response_column_list(r.handle, C.size_t(column), &offsets, &ends, nil)
	data := C.feast_response_column_list_data(r.handle, C.size_t(column))
	return r.textListsOf(offsets, (*C.int64_t)(ends), data, C.feast_response_column_validity(r.handle, C.size_t(column)))
}

func (r *Response) named(name string, get func(*C.char, **C.feast_error_t)) error {
	if err := withoutNUL(name); err != nil {
		return err
	}
	var err *C.feast_error_t
	get(terminated(name), &err)
	return taken(err)
}

func (r *Response) textsOf(offsets *C.int64_t, data *C.char, count int) Texts {
	ends := sliceOf[int64](unsafe.Pointer(offsets), count+1)
	if ends == nil {
		return Texts{}
	}
	return Texts{ends, sliceOf[byte](unsafe.Pointer(data), int(ends[count]))}
}

func listsOf[T any](r *Response, offsets *C.int64_t, items unsafe.Pointer, bits *C.uint8_t) Lists[T] {
	ends := sliceOf[int64](unsafe.Pointer(offsets), r.rows+1)
	if ends == nil {
		return Lists[T]{}
	}
	return Lists[T]{ends, sliceOf[T](items, int(ends[r.rows])), r.validity(bits)}
}

func (r *Response) textListsOf(offsets, ends *C.int64_t, data *C.char, bits *C.uint8_t) textLists {
	lists := listsOf[int64](r, offsets, nil, bits)
	if lists.Offsets == nil {
		return textLists{}
	}
	return textLists{lists, r.textsOf(ends, data, int(lists.Offsets[r.rows]))}
}

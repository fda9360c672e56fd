package feastremote

// #include "bridge.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Type is a column's type, with the numbers of feast_type_t.
type Type int32

// The types of columns. That of a column of lists is NullList plus its items' type.
const (
	InvalidType       Type = C.FEAST_TYPE_INVALID             // there is no such column
	Null              Type = C.FEAST_TYPE_NULL                // every value is null
	Bool              Type = C.FEAST_TYPE_BOOL                // bool
	Int32             Type = C.FEAST_TYPE_INT32               // int32; only where declared
	Int64             Type = C.FEAST_TYPE_INT64               // int64
	Float             Type = C.FEAST_TYPE_FLOAT               // float32; only where declared
	Double            Type = C.FEAST_TYPE_DOUBLE              // float64
	String            Type = C.FEAST_TYPE_STRING              // UTF-8
	Bytes             Type = C.FEAST_TYPE_BYTES               // bytes; only where declared
	UnixTimestamp     Type = C.FEAST_TYPE_UNIX_TIMESTAMP      // seconds since 1970-01-01 UTC; only where declared
	JSON              Type = C.FEAST_TYPE_JSON                // JSON text, as the server wrote it
	NullList          Type = C.FEAST_TYPE_NULL_LIST           // lists without any item but nulls
	BoolList          Type = C.FEAST_TYPE_BOOL_LIST           // lists, likewise
	Int32List         Type = C.FEAST_TYPE_INT32_LIST          //
	Int64List         Type = C.FEAST_TYPE_INT64_LIST          //
	FloatList         Type = C.FEAST_TYPE_FLOAT_LIST          //
	DoubleList        Type = C.FEAST_TYPE_DOUBLE_LIST         //
	StringList        Type = C.FEAST_TYPE_STRING_LIST         //
	BytesList         Type = C.FEAST_TYPE_BYTES_LIST          //
	UnixTimestampList Type = C.FEAST_TYPE_UNIX_TIMESTAMP_LIST //
)

var typeNames = map[Type]string{
	InvalidType: "INVALID", Null: "NULL", Bool: "BOOL", Int32: "INT32", Int64: "INT64", Float: "FLOAT", Double: "DOUBLE",
	String: "STRING", Bytes: "BYTES", UnixTimestamp: "UNIX_TIMESTAMP", JSON: "JSON", NullList: "NULL_LIST",
	BoolList: "BOOL_LIST", Int32List: "INT32_LIST", Int64List: "INT64_LIST", FloatList: "FLOAT_LIST",
	DoubleList: "DOUBLE_LIST", StringList: "STRING_LIST", BytesList: "BYTES_LIST", UnixTimestampList: "UNIX_TIMESTAMP_LIST",
}

// String is the type's name, such as INT64_LIST.
func (t Type) String() string {
	if name, known := typeNames[t]; known {
		return name
	}
	return fmt.Sprintf("Type(%d)", int32(t))
}

// FieldStatus is what the server says of a value.
type FieldStatus uint8

// Feast's field statuses.
const (
	InvalidStatus FieldStatus = C.FEAST_FIELD_STATUS_INVALID         // one that the library does not know
	Present       FieldStatus = C.FEAST_FIELD_STATUS_PRESENT         // the value is there; also a null that was written
	NullValue     FieldStatus = C.FEAST_FIELD_STATUS_NULL_VALUE      // the value is null
	RowNotFound   FieldStatus = C.FEAST_FIELD_STATUS_NOT_FOUND       // the online store has no row for the entity
	OutsideMaxAge FieldStatus = C.FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE // the row is too old
)

// String is the status's name, as Feast has it.
func (s FieldStatus) String() string {
	names := [...]string{"INVALID", "PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("FieldStatus(%d)", uint8(s))
}

// Fixed are the types of values of fixed width.
type Fixed interface {
	bool | int32 | int64 | float32 | float64
}

// typeOf is the column type of a Go type.
func typeOf[T Fixed]() Type {
	switch any(*new(T)).(type) {
	case bool:
		return Bool
	case int32:
		return Int32
	case int64:
		return Int64
	case float32:
		return Float
	default:
		return Double
	}
}

// sliceOf makes a slice of the library's memory; nil for NULL.
func sliceOf[T any](values unsafe.Pointer, count int) []T {
	if values == nil {
		return nil
	}
	return unsafe.Slice((*T)(values), count)
}

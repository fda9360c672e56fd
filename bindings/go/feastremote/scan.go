package feastremote

import (
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"
)

// Scan copies the rows into a slice of structs, whose fields say by tags which columns they take:
//
//	type Driver struct {
//		ID     int64                   `feast:"driver_id"`
//		Rate   *float64                `feast:"conv_rate"`              // nil where there is no value
//		Trips  int32                   `feast:"avg_daily_trips,zero"`   // 0 where there is no value
//		Vector []float32               `feast:"embedding"`              // nil where there is none
//		Known  feastremote.FieldStatus `feast:"conv_rate,status"`
//		At     time.Time               `feast:"conv_rate,event_timestamp"`
//	}
//	var drivers []Driver
//	err := response.Scan(&drivers)
//
// Fields are booleans, integers, floating-point numbers, strings, []byte, time.Time (of seconds), slices of these, and pointers
// to all of them. Values are converted exactly or not at all. A row without a value is an error unless the field says what
// stands for it: by a pointer, a slice, or the option zero. Fields without a tag are left alone.
func (r *Response) Scan(rows any) error {
	slice := reflect.ValueOf(rows)
	if slice.Kind() != reflect.Pointer || slice.IsNil() || slice.Elem().Kind() != reflect.Slice {
		return invalid("Scan takes a pointer to a slice of structs, not %T", rows)
	}
	slice = slice.Elem()
	scan, err := scanner(r, slice.Type().Elem())
	if err != nil {
		return err
	}
	scanned := reflect.MakeSlice(slice.Type(), r.rows, r.rows)
	for row := range r.rows {
		if err := scan(row, scanned.Index(row)); err != nil {
			return err
		}
	}
	slice.Set(scanned)
	r.keep()
	return nil
}

// Rows iterates over the rows as structs, as [Response.Scan] makes them. The first error ends it.
func Rows[T any](r *Response) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		scan, err := scanner(r, reflect.TypeFor[T]())
		if err != nil {
			yield(*new(T), err)
			return
		}
		for row := range r.rows {
			var one T
			err := scan(row, reflect.ValueOf(&one).Elem())
			if !yield(one, err) || err != nil {
				return
			}
		}
		r.keep()
	}
}

// reader sets a field to what a row has.
type reader func(row int, field reflect.Value) error

// scanner sets the fields of a struct.
func scanner(r *Response, structType reflect.Type) (reader, error) {
	if structType.Kind() != reflect.Struct {
		return nil, invalid("rows are scanned into structs, not %v", structType)
	}
	type tagged struct {
		index []int
		read  reader
	}
	var fields []tagged
	for _, field := range reflect.VisibleFields(structType) {
		tag, has := field.Tag.Lookup("feast")
		if !has || tag == "-" {
			continue
		}
		if !field.IsExported() {
			return nil, invalid("%v.%s has a tag and is not exported", structType, field.Name)
		}
		name, option, _ := strings.Cut(tag, ",")
		read, err := fieldReader(r, name, option, field.Type)
		if err != nil {
			return nil, fmt.Errorf("%v.%s: %w", structType, field.Name, err)
		}
		fields = append(fields, tagged{field.Index, read})
	}
	if len(fields) == 0 {
		return nil, invalid(`no field of %v has a tag such as feast:"driver_id"`, structType)
	}
	return func(row int, one reflect.Value) error {
		for _, field := range fields {
			if err := field.read(row, one.FieldByIndex(field.index)); err != nil {
				return fmt.Errorf("%v.%s: %w", structType, structType.FieldByIndex(field.index).Name, err)
			}
		}
		return nil
	}, nil
}

func fieldReader(r *Response, name, option string, fieldType reflect.Type) (reader, error) {
	column := r.Column(name)
	statuses := r.Statuses(column)
	switch option {
	case "", "zero":
	case "status":
		if statuses != nil && fieldType == reflect.TypeFor[FieldStatus]() {
			return func(row int, field reflect.Value) error { field.SetUint(uint64(statuses[row])); return nil }, nil
		}
		if statuses != nil {
			return nil, invalid("a status is a feastremote.FieldStatus, not %v", fieldType)
		}
	case "event_timestamp":
		if statuses != nil && fieldType == reflect.TypeFor[time.Time]() {
			times := r.EventTimestamps(column)
			return func(row int, field reflect.Value) error {
				if times != nil {
					field.Set(reflect.ValueOf(times[row]))
				}
				return nil
			}, nil
		}
		if statuses != nil {
			return nil, invalid("an event timestamp is a time.Time, not %v", fieldType)
		}
	default:
		return nil, invalid("the tag's option is %q, and not zero, status or event_timestamp", option)
	}
	valueType, isPointer := fieldType, fieldType.Kind() == reflect.Pointer
	if isPointer {
		valueType = fieldType.Elem()
	}
	read, valid, err := valueReader(r, name, valueType)
	if err != nil {
		return nil, err // also for a column that there is not: it names those that there are
	}
	return func(row int, field reflect.Value) error {
		switch {
		case !valid.has(row):
			if !isPointer && fieldType.Kind() != reflect.Slice && option != "zero" {
				return &Error{Status: WrongType, Message: fmt.Sprintf(
					`row %d of %s has no value (%v): make the field a pointer, or tag it feast:"%s,zero"`, row, name, statuses[row], name)}
			}
			return nil
		case isPointer:
			value := reflect.New(valueType)
			if err := read(row, value.Elem()); err != nil {
				return err
			}
			field.Set(value)
			return nil
		default:
			return read(row, field)
		}
	}, nil
}

// valueReader reads what is there, from the library's memory.
func valueReader(r *Response, name string, valueType reflect.Type) (reader, bitmap, error) {
	if valueType == reflect.TypeFor[time.Time]() {
		seconds, valid, err := fixed[int64](r, name)
		return func(row int, field reflect.Value) error {
			field.Set(reflect.ValueOf(time.Unix(seconds[row], 0).UTC()))
			return nil
		}, valid, err
	}
	switch valueType.Kind() {
	case reflect.String:
		texts, valid, err := r.texts(name)
		return func(row int, field reflect.Value) error { field.SetString(texts.At(row)); return nil }, valid, err
	case reflect.Slice:
		if valueType.Elem().Kind() == reflect.Uint8 {
			texts, valid, err := r.texts(name)
			return func(row int, field reflect.Value) error { field.SetBytes([]byte(texts.At(row))); return nil }, valid, err
		}
		return listReader(r, name, valueType.Elem())
	case reflect.Bool:
		values, valid, err := fixed[bool](r, name)
		return func(row int, field reflect.Value) error { return setFixed(field, values[row]) }, valid, err
	case reflect.Float32:
		values, valid, err := fixed[float32](r, name)
		return func(row int, field reflect.Value) error { return setFixed(field, values[row]) }, valid, err
	case reflect.Float64:
		values, valid, err := fixed[float64](r, name)
		return func(row int, field reflect.Value) error { return setFixed(field, values[row]) }, valid, err
	default:
		if !isInteger(valueType.Kind()) {
			return nil, nil, invalid("a column cannot become a %v", valueType)
		}
		values, valid, err := fixed[int64](r, name)
		return func(row int, field reflect.Value) error { return setFixed(field, values[row]) }, valid, err
	}
}

func listReader(r *Response, name string, itemType reflect.Type) (reader, bitmap, error) {
	if itemType == reflect.TypeFor[time.Time]() {
		lists, err := r.GetTimeList(name)
		return copiedLists(lists), nil, err
	}
	switch itemType.Kind() {
	case reflect.String:
		lists, err := r.GetStringList(name)
		return copiedLists(lists), nil, err
	case reflect.Slice:
		if itemType.Elem().Kind() != reflect.Uint8 {
			return nil, nil, invalid("a column cannot become lists of %v", itemType)
		}
		lists, err := r.GetBytesList(name)
		return copiedLists(lists), nil, err
	case reflect.Bool:
		return fixedLists[bool](r, name)
	case reflect.Float32:
		return fixedLists[float32](r, name)
	case reflect.Float64:
		return fixedLists[float64](r, name)
	default:
		if !isInteger(itemType.Kind()) {
			return nil, nil, invalid("a column cannot become lists of %v", itemType)
		}
		return fixedLists[int64](r, name)
	}
}

func fixedLists[T Fixed](r *Response, name string) (reader, bitmap, error) {
	lists, err := listsNamed[T](r, name)
	return func(row int, field reflect.Value) error {
		items := lists.At(row)
		made := reflect.MakeSlice(field.Type(), len(items), len(items))
		if same, is := made.Interface().([]T); is {
			copy(same, items)
		} else {
			for i, item := range items {
				if err := setFixed(made.Index(i), item); err != nil {
					return err
				}
			}
		}
		field.Set(made)
		return nil
	}, lists.valid, err
}

// copiedLists has nil where there is no list.
func copiedLists[T any](lists [][]T) reader {
	return func(row int, field reflect.Value) error {
		field.Set(reflect.ValueOf(lists[row]).Convert(field.Type()))
		return nil
	}
}

// setFixed sets a field of the kind that the value was read for.
func setFixed[T Fixed](field reflect.Value, value T) error {
	switch value := any(value).(type) {
	case bool:
		field.SetBool(value)
	case float32:
		field.SetFloat(float64(value))
	case float64:
		field.SetFloat(value)
	case int64:
		if field.CanInt() && !field.OverflowInt(value) {
			field.SetInt(value)
		} else if field.CanUint() && value >= 0 && !field.OverflowUint(uint64(value)) {
			field.SetUint(uint64(value))
		} else {
			return &Error{Status: WrongType, Message: fmt.Sprintf("%d is no %v", value, field.Type())}
		}
	}
	return nil
}

func isInteger(kind reflect.Kind) bool { return kind >= reflect.Int && kind <= reflect.Uint64 }

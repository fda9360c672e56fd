package feastremote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// everything has a column of each type, its second row without a value.
const everything = `{"results":[{"values":[1,2]},
	{"values":[true,null]},{"values":[3,null]},{"values":[4,null]},{"values":[0.1,null]},{"values":[0.5,null],
		"statuses":["PRESENT","OUTSIDE_MAX_AGE"],"event_timestamps":["2026-01-02T03:04:05Z","1970-01-01T00:00:00Z"]},
	{"values":["Köln",null]},{"values":["AQI=",null]},{"values":[60,null]},{"values":[{"a":[1]},null]},
	{"values":[[true,false],null]},{"values":[[5,6],null]},{"values":[[7],null]},{"values":[[0.25,null],null]},{"values":[[],null]},
	{"values":[["a","","Köln"],null]},{"values":[["AQI="],null]},{"values":[[60],null]},{"values":[null,null]}],
	"metadata":{"feature_names":["id","bool","int32","int64","float","double","string","bytes","time","json",
		"bools","int32s","int64s","floats","doubles","strings","bytess","times","none"]}}`

// answered is the answer to a request for everything.
func answered(t *testing.T) (*Remote, *Request, *Response) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(writer, everything)
	}))
	t.Cleanup(server.Close)
	remote, err := Open(Config{"path": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)
	request, err := NewRequest("v:bool")
	err = errors.Join(err, request.AddTyped("v:int32", Int32), request.Add("v:int64"), request.AddTyped("v:float", Float),
		request.Add("v:double"), request.Add("v:string"), request.AddTyped("v:bytes", Bytes),
		request.AddTyped("v:time", UnixTimestamp), request.AddTyped("v:json", JSON), request.Add("v:bools"),
		request.AddList("v:int32s", Int32List, 2), request.Add("v:int64s"), request.AddList("v:floats", FloatList, 2),
		request.AddTyped("v:doubles", DoubleList), request.Add("v:strings"), request.AddTyped("v:bytess", BytesList),
		request.AddTyped("v:times", UnixTimestampList), request.Add("v:none"), request.SetInt64("id", []int64{1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	response, err := remote.GetOnlineFeatures(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(response.Close)
	return remote, request, response
}

var minute = time.Unix(60, 0).UTC()

func TestAnAnswerIsMarshalledByItsColumns(t *testing.T) {
	_, _, response := answered(t)
	text, err := json.Marshal(response)
	wanted := `{"id":[1,2],"bool":[true,null],"int32":[3,null],"int64":[4,null],"float":[0.10000000149011612,null],` +
		`"double":[0.5,null],"string":["Köln",null],"bytes":["AQI=",null],"time":[60,null],"json":[{"a":[1]},null],` +
		`"bools":[[true,false],null],"int32s":[[5,6],null],"int64s":[[7],null],"floats":[[0.25,null],null],"doubles":[[],null],` +
		`"strings":[["a","","Köln"],null],"bytess":[["AQI="],null],"times":[[60],null],"none":[null,null]}`
	if string(text) != wanted || err != nil {
		t.Error(string(text), err)
	}
	response.Close()
	if _, err := json.Marshal(response); err == nil {
		t.Error("a closed response was marshalled")
	}
}

func TestEachTypeHasItsGoType(t *testing.T) {
	_, _, response := answered(t)
	wanted := map[string]any{
		"id": []int64{1, 2}, "bool": []bool{true, false}, "int32": []int32{3, 0}, "int64": []int64{4, 0},
		"float": []float32{0.1, 0}, "double": []float64{0.5, 0}, "string": []string{"Köln", ""}, "bytes": [][]byte{{1, 2}, {}},
		"time": []time.Time{minute, time.Unix(0, 0).UTC()}, "json": []string{`{"a":[1]}`, ""},
		"bools": [][]bool{{true, false}, nil}, "int32s": [][]int32{{5, 6}, nil}, "int64s": [][]int64{{7}, nil},
		"floats": [][]float32{{0.25, 0}, nil}, "doubles": [][]float64{{}, nil}, "strings": [][]string{{"a", "", "Köln"}, nil},
		"bytess": [][][]byte{{{1, 2}}, nil}, "times": [][]time.Time{{minute}, nil}, "none": nil,
	}
	seen := 0
	for column, name := range response.Columns() {
		seen++
		if got := response.Values(column); !reflect.DeepEqual(got, wanted[name]) {
			t.Errorf("%s: %#v, not %#v", name, got, wanted[name])
		}
		if valid := response.Valid(column); name != "id" && name != "none" && !slices.Equal(valid, []bool{true, false}) {
			t.Error(name, valid)
		}
		if response.Name(column) != name || response.Column(name) != column {
			t.Error(column, name)
		}
	}
	if seen != len(wanted) || seen != response.NumColumns() || response.NumEntities() != 1 || response.NumRows() != 2 {
		t.Error(seen, response.NumColumns(), response.NumEntities(), response.NumRows())
	}
	if response.Type(response.Column("times")).String() != "UNIX_TIMESTAMP_LIST" || response.Type(99) != InvalidType {
		t.Error(response.Type(response.Column("times")))
	}
}

func TestColumnsAreAskedForByNameAndType(t *testing.T) {
	_, _, r := answered(t)
	check := func(name string, wanted any) func(got any, err error) {
		return func(got any, err error) {
			t.Helper()
			if err != nil || !reflect.DeepEqual(got, wanted) {
				t.Errorf("%s: %#v, %v, not %#v", name, got, err, wanted)
			}
		}
	}
	any2 := func(got any, err error) (any, error) { return got, err }
	check("bool", []bool{true, false})(any2(r.GetBool("bool")))
	check("int32", []int32{4, 0})(any2(r.GetInt32("int64")))
	check("int64", []int64{3, 0})(any2(r.GetInt64("int32")))
	check("float32", []float32{0.5, 0})(any2(r.GetFloat32("double")))
	check("float64", []float64{4, 0})(any2(r.GetFloat64("int64")))
	check("string", []string{"Köln", ""})(any2(r.GetString("string")))
	check("bytes", [][]byte{{1, 2}, nil})(any2(r.GetBytes("bytes")))
	check("time", []time.Time{minute, {}})(any2(r.GetTime("time")))
	check("bools", [][]bool{{true, false}, nil})(any2(r.GetBoolList("bools")))
	check("int32s", [][]int32{{7}, nil})(any2(r.GetInt32List("int64s")))
	check("int64s", [][]int64{{5, 6}, nil})(any2(r.GetInt64List("int32s")))
	check("floats", [][]float32{{}, nil})(any2(r.GetFloat32List("doubles")))
	check("doubles", [][]float64{{0.25, 0}, nil})(any2(r.GetFloat64List("floats")))
	check("strings", [][]string{{"a", "", "Köln"}, nil})(any2(r.GetStringList("strings")))
	check("bytess", [][][]byte{{{1, 2}}, nil})(any2(r.GetBytesList("bytess")))
	check("times", [][]time.Time{{minute}, nil})(any2(r.GetTimeList("times")))
	check("none as lists", [][]float32{nil, nil})(any2(r.GetFloat32List("none")))
	check("none as strings", []string{"", ""})(any2(r.GetString("none")))
	for _, err := range []error{second(r.GetInt64("double")), second(r.GetString("double")), second(r.GetInt64List("double")),
		second(r.GetStringList("double")), second(r.GetTime("string"))} {
		if !errors.Is(err, WrongType) || !strings.Contains(err.Error(), "`double`") && !strings.Contains(err.Error(), "`string`") {
			t.Error(err)
		}
	}
	if err := second(r.GetInt64("doubel")); !errors.Is(err, InvalidArgument) || !strings.Contains(err.Error(), "double") {
		t.Error(err)
	}
	if err := second(r.GetInt64("double\x00")); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	column := r.Column("double")
	if !slices.Equal(r.Statuses(column), []FieldStatus{Present, OutsideMaxAge}) || r.Statuses(column)[1].String() != "OUTSIDE_MAX_AGE" {
		t.Error(r.Statuses(column))
	}
	moment := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if times := r.EventTimestamps(column); !slices.Equal(times, []time.Time{moment, {}}) || r.EventTimestamps(0) != nil && !r.EventTimestamps(0)[0].IsZero() {
		t.Error(times)
	}
	if r.IsNull(column, 0) || !r.IsNull(column, 1) || !r.IsNull(column, 2) || !r.IsNull(column, -1) || !r.IsNull(99, 0) {
		t.Error("IsNull")
	}
	if r.Int64(column) != nil || r.Float64(-1) != nil || r.Valid(99) != nil || r.Statuses(99) != nil || r.Values(99) != nil || r.Column("none\x00") != -1 {
		t.Error("what there is not is something")
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhatWasGotStaysAfterClose(t *testing.T) {
	remote, request, _ := answered(t)
	get := func() ([]float64, []string, [][]string) {
		response, err := remote.GetOnlineFeatures(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Close()
		texts, _ := response.GetString("string")
		lists, _ := response.GetStringList("strings")
		return response.Float64(response.Column("double")), texts, lists
	}
	numbers, texts, lists := get()
	for range 10 {
		get() // in the memory that was freed
	}
	if fmt.Sprint(numbers, texts, lists) != "[0.5 0] [Köln ] [[a  Köln] []]" {
		t.Error(numbers, texts, lists)
	}
	_, _, closed := answered(t)
	closed.Close()
	closed.Close()
	if closed.NumRows() != 0 || closed.NumColumns() != 0 || closed.Float64(5) != nil || closed.Column("double") != -1 || closed.Server() != "" {
		t.Error("a closed response has something")
	}
	if _, err := closed.GetFloat64("double"); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	if err := closed.Scan(&[]struct{}{}); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
}

func TestViewsAreTheLibrarysMemory(t *testing.T) {
	_, _, r := answered(t)
	numbers, err := View[float64](r, "double")
	again, _ := View[float64](r, "double")
	if err != nil || numbers[0] != 0.5 || &numbers[0] != &again[0] {
		t.Error(numbers, err)
	}
	texts, err := r.ViewTexts("string")
	if err != nil || texts.At(0) != "Köln" {
		t.Error(texts, err)
	}
	lists, err := ViewLists[float32](r, "floats")
	if err != nil || !slices.Equal(lists.At(0), []float32{0.25, 0}) || lists.IsNull(0) || !lists.IsNull(1) {
		t.Error(lists, err)
	}
	for row, list := range lists.All() {
		if len(list) != 2-2*row {
			t.Error(row, list)
		}
	}
	if _, err := View[int32](r, "string"); !errors.Is(err, WrongType) {
		t.Error(err)
	}
}

func TestRowsAreScannedIntoStructs(t *testing.T) {
	_, _, r := answered(t)
	type city string
	type Row struct {
		ID      uint16      `feast:"id"`
		Bool    *bool       `feast:"bool"`
		Int     int         `feast:"int64,zero"`
		Small   *int8       `feast:"int32"`
		Float   *float32    `feast:"float"`
		Double  float64     `feast:"double,zero"`
		Status  FieldStatus `feast:"double,status"`
		Event   time.Time   `feast:"double,event_timestamp"`
		City    *city       `feast:"string"`
		Bytes   []byte      `feast:"bytes"`
		Time    *time.Time  `feast:"time"`
		JSON    *string     `feast:"json"`
		Bools   []bool      `feast:"bools"`
		Ints    []int       `feast:"int32s"`
		Longs   []int64     `feast:"int64s"`
		Floats  []float32   `feast:"floats"`
		Doubles []float64   `feast:"doubles"`
		Strings []string    `feast:"strings"`
		Binary  [][]byte    `feast:"bytess"`
		Times   []time.Time `feast:"times"`
		None    *int64      `feast:"none"`
		Other   string
	}
	yes, small, float, koeln, json := true, int8(3), float32(0.1), city("Köln"), `{"a":[1]}`
	wanted := []Row{
		{1, &yes, 4, &small, &float, 0.5, Present, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), &koeln, []byte{1, 2}, &minute, &json,
			[]bool{true, false}, []int{5, 6}, []int64{7}, []float32{0.25, 0}, []float64{}, []string{"a", "", "Köln"}, [][]byte{{1, 2}},
			[]time.Time{minute}, nil, ""},
		{ID: 2, Status: OutsideMaxAge},
	}
	var rows []Row
	if err := r.Scan(&rows); err != nil || !reflect.DeepEqual(rows, wanted) {
		t.Errorf("%+v, %v, not %+v", rows, err, wanted)
	}
	var iterated []Row
	for row, err := range Rows[Row](r) {
		if err != nil {
			t.Fatal(err)
		}
		iterated = append(iterated, row)
	}
	if !reflect.DeepEqual(iterated, wanted) {
		t.Errorf("%+v", iterated)
	}
	for _, failing := range []struct {
		into   any
		status Status
		says   string
	}{
		{&[]struct {
			Rate float64 `feast:"double"`
		}{}, WrongType, "row 1 of double has no value (OUTSIDE_MAX_AGE): make the field a pointer"},
		{&[]struct {
			Rate int64 `feast:"double"`
		}{}, WrongType, "`double`"},
		{&[]struct {
			Rate *float64 `feast:"doubel"`
		}{}, InvalidArgument, "double"},
		{&[]struct {
			Rate *float64 `feast:"double,omit"`
		}{}, InvalidArgument, "omit"},
		{&[]struct {
			Rate *uint8 `feast:"big"`
		}{}, InvalidArgument, "big"},
		{&[]struct {
			rate *float64 `feast:"double"`
		}{}, InvalidArgument, "not exported"},
		{&[]struct {
			Rate map[string]int `feast:"json"`
		}{}, InvalidArgument, "map[string]int"},
		{&[]struct{ Rate float64 }{}, InvalidArgument, "tag"},
		{&[]int{}, InvalidArgument, "structs"},
		{[]Row{}, InvalidArgument, "pointer"},
		{nil, InvalidArgument, "pointer"},
	} {
		if err := r.Scan(failing.into); !errors.Is(err, failing.status) || !strings.Contains(err.Error(), failing.says) {
			t.Errorf("%T: %v", failing.into, err)
		}
	}
}

func TestNumbersBecomeMatrices(t *testing.T) {
	remote, request, response := answered(t)
	floats := Matrix[float32]{Columns: []string{"bool", "float", "floats"}, Missing: -1}
	if err := floats.CopyFrom(response); err != nil || floats.RowStride != 4 || !slices.Equal(floats.Data, []float32{1, 0.1, 0.25, -1, -1, -1, -1, -1}) {
		t.Error(floats, err)
	}
	doubles := Matrix[float64]{Columns: []string{"double", "id"}, Data: []float64{9, 9, 9, 9, 9, 9}, RowStride: 3, Missing: math.Inf(1), Statuses: make([]FieldStatus, 6)}
	if err := doubles.CopyFrom(response); err != nil || !slices.Equal(doubles.Data, []float64{0.5, 1, 9, math.Inf(1), 2, 9}) || doubles.Statuses[3] != OutsideMaxAge {
		t.Error(doubles, err)
	}
	integers := Matrix[int64]{Columns: []string{"id", "int64"}, Missing: math.MinInt64}
	if err := integers.CopyFrom(response); err != nil || !slices.Equal(integers.Data, []int64{1, 4, 2, math.MinInt64}) {
		t.Error(integers, err)
	}
	if none := (Matrix[int64]{Columns: []string{}}); none.CopyFrom(response) == nil && len(none.Data) != 0 {
		t.Error(none)
	}
	if all := (Matrix[float32]{}); !errors.Is(all.CopyFrom(response), WrongType) {
		t.Error("strings in a matrix:", all)
	}
	for _, short := range []Matrix[int64]{{Columns: []string{"id"}, Data: make([]int64, 1)}, {Columns: []string{"id"}, RowStride: -1},
		{Columns: []string{"id"}, Statuses: make([]FieldStatus, 1)}, {Columns: []string{"id"}, RowStride: math.MaxInt64, Data: make([]int64, 1)}} {
		if err := short.CopyFrom(response); !errors.Is(err, InvalidArgument) {
			t.Error(short, err)
		}
	}
	if width := request.MatrixWidth(); width != 0 {
		t.Error(width)
	}
	if err := remote.GetOnlineFeaturesInto(t.Context(), request, &Matrix[float32]{}); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
}

func TestAMatrixIsFetchedWithoutAResponse(t *testing.T) {
	remote := serveText(t, `{"results":[{"values":[1,2]},{"values":[0.5,null]},{"values":[[1,2],null]}],
		"metadata":{"feature_names":["id","rate","vector"]}}`)
	request, err := NewRequest("v:rate")
	if err := errors.Join(err, request.AddList("v:vector", FloatList, 2), request.SetJSON("id", "[1, 2]"),
		request.SetMissing("v:rate", -1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, ctx := range []context.Context{context.Background(), ctx} {
		m := Matrix[float32]{Missing: 7, Statuses: make([]FieldStatus, 6)}
		if err := remote.GetOnlineFeaturesInto(ctx, request, &m); err != nil || !slices.Equal(m.Data, []float32{0.5, 1, 2, -1, 7, 7}) || m.Statuses[3] != NullValue {
			t.Error(m, err)
		}
	}
	if err := remote.GetOnlineFeaturesInto(ctx, request, &Matrix[float32]{Data: make([]float32, 5)}); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
}

// serveText answers everything with the same.
func serveText(t *testing.T, text string) *Remote {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(writer, text)
	}))
	t.Cleanup(server.Close)
	remote, err := Open(Config{"path": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)
	return remote
}

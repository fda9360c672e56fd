package feastremote

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// takes answers writes of rows whose ids are below 1000, and searches.
func takes(t *testing.T) (*Remote, chan string) {
	t.Helper()
	bodies := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		bodies <- request.URL.Path + " " + string(body)
		switch {
		case strings.Contains(string(body), "1000]"):
			writer.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(writer, `"a bad row"`)
		case request.URL.Path == "/search":
			_, _ = io.WriteString(writer, `{"results":[{"values":["a","b"]},{"values":[1,2]},{"values":[0.5,0.25]},{"values":[2,1]}],
				"metadata":{"feature_names":["text","doc_id","distance","doc_id"]}}`)
		}
	}))
	t.Cleanup(server.Close)
	remote, err := Open(Config{"path": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)
	return remote, bodies
}

func TestRowsAreWritten(t *testing.T) {
	remote, bodies := takes(t)
	frame, at := NewFrame(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, err := range []error{
		frame.SetInt64("id", []int64{1, 2}, nil),
		frame.SetFloat64("rate", []float64{0.5, 0}, []bool{true, false}),
		frame.SetBool("flag", []bool{true, false}, nil),
		frame.SetString("city", []string{"Köln", ""}, []bool{true, false}),
		frame.SetInt32("small", []int32{7, 0}, nil),
		frame.SetFloat32("ratio", []float32{0.25, 1}, nil),
		frame.SetInt64Lists("longs", [][]int64{{}, {1}}),
		frame.SetFloat32Lists("vector", [][]float32{{1, 0.5}, {}}),
		frame.SetFloat64Lists("doubles", [][]float64{{}, {0.5}}),
		frame.SetStringLists("words", [][]string{{"a", ""}, {}}),
		frame.SetJSON("json", `[{}, null]`),
		frame.SetTime("event_timestamp", []time.Time{at, at}, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	written, err := remote.Push(t.Context(), "source", frame, Online|Offline, nil)
	if err != nil || written != (Written{Rows: 2, Requests: 1}) {
		t.Fatal(written, err)
	}
	want := `/push {"push_source_name":"source","df":{"id":[1,2],"rate":[0.5,null],"flag":[true,false],"city":["Köln",null],` +
		`"small":[7,0],"ratio":[0.25,1.0],"longs":[[],[1]],"vector":[[1.0,0.5],[]],"doubles":[[],[0.5]],"words":[["a",""],[]],"json":[{},null],"event_timestamp":["2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"]},` +
		`"to":"online_and_offline","allow_registry_cache":true,"transform_on_write":true}`
	if got := <-bodies; got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	if frame.NumRows() != 2 {
		t.Error(frame.NumRows())
	}
	if err := remote.CheckHealth(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRowsThatAreNotWrittenAreTold(t *testing.T) {
	remote, _ := takes(t)
	frame := NewFrame()
	if err := errors.Join(frame.SetInt64("id", []int64{1, 1000}, nil),
		frame.SetTime("when", []time.Time{time.Unix(0, 0), time.Unix(0, 0)}, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.WriteToOnlineStore(t.Context(), "view", frame, nil); !errors.Is(err, InvalidArgument) {
		t.Error("without event timestamps:", err)
	}
	_, err := remote.WriteToOnlineStore(t.Context(), "view", frame, &WriteOptions{TimestampField: "when"})
	var failure *Error
	if !errors.As(err, &failure) || failure.Status != Server || failure.RowsWritten != 0 || !slices.Equal(failure.UnwrittenRows, []uint64{0, 1}) {
		t.Error(err)
	}
	for _, valid := range [][]bool{{true}, {true, false, true}} {
		if err := frame.SetString("x", []string{"a", "b"}, valid); !errors.Is(err, InvalidArgument) {
			t.Error(valid, err)
		}
	}
	if err := frame.SetInt64("x", []int64{1}, []bool{true, true}); !errors.Is(err, InvalidArgument) {
		t.Error("a validity of another length:", err)
	}
}

func TestOptionsSayHowRowsAreWritten(t *testing.T) {
	remote, bodies := takes(t)
	frame := NewFrame()
	if err := errors.Join(frame.SetInt64("id", []int64{1}, nil), frame.SetBool("flag", []bool{true}, nil),
		frame.SetInt64Lists("none", [][]int64{nil}), frame.SetTime("made", []time.Time{time.Unix(60, 0)}, nil)); err != nil {
		t.Fatal(err)
	}
	options := &WriteOptions{WithoutTimestamps: true, CreatedTimestampColumn: "made", WithoutRegistryCache: true, WithoutTransformations: true}
	if _, err := remote.WriteToOnlineStore(t.Context(), "view", frame, options); err != nil {
		t.Fatal(err)
	}
	want := `/write-to-online-store {"feature_view_name":"view","df":{"id":[1],"flag":[true],"none":[null],"made":["1970-01-01T00:01:00Z"]},` +
		`"allow_registry_cache":false,"transform_on_write":false}`
	if got := <-bodies; got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	options.TimestampField = "made"
	if _, err := remote.WriteToOnlineStore(t.Context(), "view", frame, options); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	if err := frame.SetTime("x", []time.Time{{}}, nil); !errors.Is(err, InvalidArgument) {
		t.Error("the year 1 in nanoseconds:", err)
	}
	if err := frame.SetStringLists("x", [][]string{{"a\x00b"}}); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
}

func TestDocumentsAreFound(t *testing.T) {
	remote, bodies := takes(t)
	response, err := remote.RetrieveOnlineDocuments(t.Context(), Search{Features: []string{"docs:text", "docs:doc_id"}, Query: []float32{0.5}, TopK: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Close()
	keys, _ := response.GetInt64("doc_id")
	texts, _ := response.GetString("text")
	distances, err := response.GetFloat64("distance")
	if err != nil || !slices.Equal(keys, []int64{2, 1}) || texts[0] != "b" || !slices.Equal(distances, []float64{0.25, 0.5}) {
		t.Error(keys, texts, distances, err)
	}
	var asked map[string]any
	if err := json.Unmarshal([]byte(strings.TrimPrefix(<-bodies, "/search ")), &asked); err != nil || asked["top_k"] != 2.0 {
		t.Error(asked, err)
	}
	if _, err := remote.RetrieveOnlineDocuments(t.Context(), Search{}); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
}

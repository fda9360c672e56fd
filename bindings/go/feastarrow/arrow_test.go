package feastarrow

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/feast-dev/feast-remote/bindings/go/feastremote"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const answer = `{"results":[{"values":[1,2]},{"values":["Köln",null],"statuses":["PRESENT","NOT_FOUND"]},{"values":[[0.5],[]]}],
	"metadata":{"feature_names":["id","city","vector"]}}`

func TestAResponseBecomesARecordAndARecordAFrame(t *testing.T) {
	bodies := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		if request.URL.Path == "/push" {
			bodies <- string(body)
			return
		}
		_, _ = io.WriteString(writer, answer)
	}))
	t.Cleanup(server.Close)
	remote, err := feastremote.Open(feastremote.Config{"path": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)
	request, err := feastremote.NewRequest("v:city", "v:vector")
	if err := errors.Join(err, request.SetInt64("id", []int64{1, 2})); err != nil {
		t.Fatal(err)
	}
	response, err := remote.GetOnlineFeatures(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := RecordBatch(response)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	full, err := FullRecordBatch(response)
	response.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer full.Release()
	if text, err := batch.MarshalJSON(); err != nil || string(text) != `[{"city":"Köln","id":1,"vector":[0.5]}`+"\n,"+`{"city":null,"id":2,"vector":[]}`+"\n]" {
		t.Errorf("%s %v", text, err)
	}
	if names := full.Schema().String(); !strings.Contains(names, "city__status") {
		t.Error(names)
	}

	frame, err := Frame(batch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Push(t.Context(), "source", frame, feastremote.Online, &feastremote.WriteOptions{WithoutTimestamps: true}); err != nil {
		t.Fatal(err)
	}
	if body := <-bodies; !strings.Contains(body, `{"id":[1,2],"city":["Köln",null],"vector":[[0.5],[]]}`) {
		t.Error(body)
	}
	builder := array.NewDate32Builder(memory.DefaultAllocator)
	builder.Append(1)
	dates := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "day", Type: arrow.FixedWidthTypes.Date32}}, nil), []arrow.Array{builder.NewArray()}, 1)
	if _, err := Frame(dates); !errors.Is(err, feastremote.InvalidArgument) || !strings.Contains(err.Error(), "day") {
		t.Error(err)
	}
}

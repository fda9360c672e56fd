package feastremote

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestARequestSaysEverythingThatTheServerTakes(t *testing.T) {
	type question struct {
		header http.Header
		body   map[string]any
	}
	questions := make(chan question, 1)
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		seen := question{header: request.Header}
		if err := json.NewDecoder(request.Body).Decode(&seen.body); err != nil {
			t.Error(err)
		}
		questions <- seen
		_, _ = io.WriteString(writer, `{"results":[{"values":[1]},{"values":[2],"event_timestamps":["2001-01-01T00:00:00Z"]}],
			"metadata":{"feature_names":["driver_id","view__rate"]}}`)
	}))
	t.Cleanup(server.Close)
	remote, err := Open(Config{"path": server.URL, "header.X-Store": "1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)

	template, err := NewRequest()
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	if err := errors.Join(err, template.SetFeatureService("service"), template.SetFullFeatureNames(true),
		template.DeclareColumn("view__rate", Float, 0), template.SetTraceContext(parent, "a=b"), template.SetHeader("X-Request-Id", "7"),
		template.SetMaxAge(time.Hour, false), template.SetViewMaxAge("view", time.Minute, true)); err != nil {
		t.Fatal(err)
	}
	request := template.Clone()
	if err := errors.Join(request.SetInt64("driver_id", []int64{1}), request.SetBool("flag", []bool{true}),
		request.SetFloat64("rate", []float64{0.5}), request.SetString("city", []string{"Köln"}), request.SetJSON("vector", "[[1,null]]")); err != nil {
		t.Fatal(err)
	}
	response, err := remote.GetOnlineFeatures(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Close()
	asked := <-questions
	entities := map[string]any{"driver_id": []any{1.0}, "flag": []any{true}, "rate": []any{0.5}, "city": []any{"Köln"}, "vector": []any{[]any{1.0, nil}}}
	if asked.body["feature_service"] != "service" || asked.body["full_feature_names"] != true || !reflect.DeepEqual(asked.body["entities"], entities) {
		t.Error(asked.body)
	}
	if h := asked.header; h.Get("traceparent") != parent || h.Get("tracestate") != "a=b" || h.Get("X-Request-Id") != "7" || h.Get("X-Store") != "1" {
		t.Error(h)
	}
	column := response.Column("view__rate")
	if response.Type(column) != Float || response.Statuses(column)[0] != OutsideMaxAge || !response.IsNull(column, 0) {
		t.Error(response.Type(column), response.Statuses(column), response.Float32(column))
	}
	if response.Server() != server.URL {
		t.Error(response.Server())
	}
	// The template has no entities yet.
	if _, err := remote.GetOnlineFeatures(t.Context(), template); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	if err := errors.Join(request.SetHeader("X-Request-Id", "")); err != nil {
		t.Fatal(err)
	}
	raw, err := remote.GetOnlineFeaturesJSON(t.Context(), []byte(`{"entities":{"id":[1]}}`))
	if err != nil || !json.Valid(raw) || (<-questions).body["entities"] == nil {
		t.Error(string(raw), err)
	}
}

func TestRequestDataGoesWhereTheServerTakesIt(t *testing.T) {
	bodies := make(chan map[string]any, 1)
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		bodies <- body
		_, _ = io.WriteString(writer, `{"results":[{"values":[1]},{"values":[2]}],"metadata":{"feature_names":["driver_id","a"],
			"feature_view_metadata":[{"name":"v","version":3},{"name":"w"}]}}`)
	}))
	t.Cleanup(server.Close)
	request, err := NewRequest("v:a")
	if err := errors.Join(err, request.SetInt64("driver_id", []int64{1}), request.SetRequestDataInt64("int", []int64{2}),
		request.SetRequestDataFloat64("rate", []float64{0.5}), request.SetRequestDataBool("flag", []bool{true}),
		request.SetRequestDataString("city", []string{"Köln"}), request.SetRequestDataJSON("vector", "[[1,null]]"),
		request.SetIncludeFeatureViewVersionMetadata(true)); err != nil {
		t.Fatal(err)
	}
	entities := map[string]any{"driver_id": []any{1.0}}
	data := map[string]any{"int": []any{2.0}, "rate": []any{0.5}, "flag": []any{true}, "city": []any{"Köln"}, "vector": []any{[]any{1.0, nil}}}
	both := map[string]any{"driver_id": []any{1.0}}
	maps.Copy(both, data)
	for kind, sent := range map[string]map[string]any{
		"python": {"entities": both, "request_context": nil},
		"go":     {"entities": entities, "request_context": data},
	} {
		remote, err := Open(Config{"path": server.URL, "server": kind})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(remote.Close)
		response, err := remote.GetOnlineFeatures(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Close()
		body := <-bodies
		if !reflect.DeepEqual(body["entities"], sent["entities"]) || body["include_feature_view_version_metadata"] != true {
			t.Error(kind, body)
		}
		if context, has := body["request_context"]; has != (kind == "go") || has && !reflect.DeepEqual(context, sent["request_context"]) {
			t.Error(kind, context)
		}
		if views := response.FeatureViews(); !slices.Equal(views, []FeatureViewVersion{{"v", 3}, {"w", 0}}) || response.NumColumns() != 2 {
			t.Error(views, response.NumColumns())
		}
	}
	for name, err := range map[string]error{
		"a NUL":         request.SetRequestDataString("city", []string{"a\x00b"}),
		"no array":      request.SetRequestDataJSON("vector", "{"),
		"no finite one": request.SetRequestDataFloat64("rate", []float64{math.Inf(1)}),
	} {
		if !errors.Is(err, InvalidArgument) {
			t.Error(name, err)
		}
	}
}

func TestBadSettingsAndRequestsAreErrors(t *testing.T) {
	if _, err := Open(Config{"path": "http://127.0.0.1:1", "no_such_key": "1"}); !errors.Is(err, InvalidConfig) {
		t.Error(err)
	}
	if _, err := Open(Config{"auth.token": "a\x00b"}); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	if _, err := OpenYAML("/no/such/feature_store.yaml", nil); !errors.Is(err, InvalidConfig) {
		t.Error(err)
	}
	if _, err := NewRequest("no colon"); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	request := question(t)
	for _, err := range []error{
		request.SetString("driver_id", []string{"", "ü", "abc"}),
		request.SetString("driver_id", []string{"", ""}),
		request.SetString("driver_id", nil),
		request.SetFloat64("driver_id", nil),
		request.SetBool("driver_id", []bool{true, false}),
		request.SetJSON("driver_id", "[null]"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for name, err := range map[string]error{
		"a NUL":            request.SetString("driver_id", []string{"a\x00b"}),
		"a NUL in a name":  request.SetInt64("driver\x00id", nil),
		"no array":         request.SetJSON("driver_id", "{"),
		"a NUL in JSON":    request.SetJSON("driver_id", "[1]\x00"),
		"no type":          request.AddTyped("a:b", 99),
		"no length":        request.AddList("a:b", FloatList, -1),
		"no length either": request.DeclareColumn("a", FloatList, -1),
		"no trace":         request.SetTraceContext("00-1-2-3", ""),
		"no header":        request.SetHeader("Authorization", "x"),
		"a NUL in a value": request.SetHeader("X-A", "a\x00b"),
		"a negative age":   request.SetMaxAge(-time.Second, false),
	} {
		if !errors.Is(err, InvalidArgument) {
			t.Error(name, err)
		}
	}
}

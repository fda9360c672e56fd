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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const answer = `{"results":[{"values":[1001,1002]},{"values":[0.5,null],"statuses":["PRESENT","NOT_FOUND"]},
	{"values":["a","Köln"]},{"values":[[1.5,2.5],[]]},{"values":[true,false]}],
	"metadata":{"feature_names":["driver_id","rate","city","embedding","flag"]}}`

// serve answers each request, or holds it until the client is gone.
func serve(t *testing.T, stall bool) *Remote {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		if stall {
			<-request.Context().Done()
			return
		}
		_, _ = io.WriteString(writer, answer)
	}))
	t.Cleanup(server.Close)
	remote, err := Open(Config{"path": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)
	return remote
}

func question(t *testing.T) *Request {
	t.Helper()
	request, err := NewRequest("stats:rate", "stats:city", "stats:embedding", "stats:flag")
	if err != nil {
		t.Fatal(err)
	}
	if err := request.SetInt64("driver_id", []int64{1001, 1002}); err != nil {
		t.Fatal(err)
	}
	return request
}

func TestColumnsAreTypedSlices(t *testing.T) {
	remote, request := serve(t, false), question(t)
	for name, get := range map[string]func() (*Response, error){
		"async":    func() (*Response, error) { return remote.GetOnlineFeatures(t.Context(), request) },
		"blocking": func() (*Response, error) { return remote.GetOnlineFeaturesBlocking(request) },
	} {
		response, err := get()
		if err != nil {
			t.Fatal(name, err)
		}
		texts, err := response.Texts(response.Column("city"))
		if err != nil {
			t.Fatal(name, err)
		}
		lists, err := response.Float64Lists(response.Column("embedding"))
		if err != nil {
			t.Fatal(name, err)
		}
		rate := response.Column("rate")
		got := fmt.Sprintln(response.Int64(0), response.Float64(rate), response.IsNull(rate, 0), response.IsNull(rate, 1),
			response.Statuses(rate), texts.At(1), lists.At(0), lists.At(1), response.Bool(4), response.Column("none"))
		if want := "[1001 1002] [0.5 0] false true [1 3] Köln [1.5 2.5] [] [true false] -1\n"; got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
		if response.Int64(rate) != nil || response.NumColumns() != 5 || response.NumEntities() != 1 || response.Name(rate) != "rate" {
			t.Errorf("%s: a column of doubles gave int64, or counts are wrong", name)
		}
		if rates, err := response.GetFloat64("rate"); err != nil || rates[0] != 0.5 {
			t.Errorf("%s: %v, %v", name, rates, err)
		}
		if cities, err := response.GetTexts("city"); err != nil || cities.At(1) != "Köln" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := response.GetInt64("rate"); !errors.Is(err, WrongType) {
			t.Errorf("%s: doubles as integers gave %v", name, err)
		}
		if _, err := response.GetInt64("rat"); !errors.Is(err, InvalidArgument) || !strings.Contains(err.Error(), "no column `rat`; the answer has rate") {
			t.Errorf("%s: a typo gave %v", name, err)
		}
		if _, err := response.Int64Lists(response.Column("embedding")); !errors.Is(err, WrongType) {
			t.Errorf("%s: %v", name, err)
		}
		response.Close()
		response.Close()
	}
}

func TestManyGoroutinesShareOneStore(t *testing.T) {
	remote, request := serve(t, false), question(t)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for range 20 {
				response, err := remote.GetOnlineFeatures(t.Context(), request)
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Equal(response.Int64(0), []int64{1001, 1002}) {
					t.Error("another answer")
				}
				response.Close()
			}
		})
	}
	group.Wait()
}

// serveRows answers each row with itself, and takes a moment for it, so that calls gather.
func serveRows(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var question struct {
			Entities map[string]json.RawMessage `json:"entities"`
		}
		if err := json.NewDecoder(request.Body).Decode(&question); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond)
		_, _ = fmt.Fprintf(writer, `{"results":[{"values":%[1]s},{"values":%[1]s}],"metadata":{"feature_names":["driver_id","rate"]}}`,
			question.Entities["driver_id"])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestMergedCallsGetTheirOwnRows(t *testing.T) {
	remote, err := Open(Config{"path": serveRows(t), "merge_max_rows": "64", "merge_check": "false"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remote.Close)
	// Some call is merged sooner or later, and none that shall not.
	var merged atomic.Bool
	var group sync.WaitGroup
	for caller := range int64(16) {
		group.Go(func() {
			request, err := NewRequest("stats:rate")
			if err == nil && caller == 0 {
				err = request.SetMerge(false)
			}
			if err != nil {
				t.Error(err)
				return
			}
			for round := int64(0); !merged.Load() && round < 1000 || round < 10; round++ {
				driver := 1000*caller + round
				if err := request.SetInt64("driver_id", []int64{driver}); err != nil {
					t.Error(err)
					return
				}
				response, err := remote.GetOnlineFeatures(t.Context(), request)
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Equal(response.Int64(1), []int64{driver}) || caller == 0 && response.CallsInRequest() != 1 {
					t.Error(driver, response.Int64(1), response.CallsInRequest())
				}
				if response.CallsInRequest() > 1 {
					merged.Store(true)
				}
				response.Close()
			}
		})
	}
	group.Wait()
	if !merged.Load() {
		t.Error("no calls were merged")
	}
}

func TestTheContextEndsACall(t *testing.T) {
	remote, request := serve(t, true), question(t)
	deadline, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := remote.GetOnlineFeatures(deadline, request)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, Cancelled) {
		t.Error(err)
	}
	cancelled, stop := context.WithCancelCause(t.Context())
	reason := errors.New("the user left")
	go stop(reason)
	for range 2 { // during a call, and before one
		_, err := remote.GetOnlineFeatures(cancelled, request)
		if !errors.Is(err, reason) || !errors.Is(err, context.Canceled) || !errors.Is(err, Cancelled) {
			t.Error(err)
		}
	}
}

func TestATimeoutIsAnErrorThatSaysWhere(t *testing.T) {
	remote, request := serve(t, true), question(t)
	if err := request.SetTimeout(20*time.Millisecond - 1); err != nil {
		t.Fatal(err)
	}
	_, err := remote.GetOnlineFeatures(t.Context(), request)
	var failure *Error
	if !errors.As(err, &failure) || failure.Status != Timeout || !errors.Is(err, Timeout) || errors.Is(err, Closed) {
		t.Fatal(err)
	}
	if Timeout.Error() != "TIMEOUT" || !strings.Contains(failure.Message, "127.0.0.1") {
		t.Error(failure.Message)
	}
}

func TestTheProgramSetsTheToken(t *testing.T) {
	remote := serve(t, false)
	if err := remote.SetToken("a-token"); err != nil {
		t.Error(err)
	}
	if err := remote.SetToken(""); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
}

func TestADeadlineThatHasPassedIsADeadline(t *testing.T) {
	remote, request := serve(t, true), question(t)
	for _, timeout := range []time.Duration{0, -1, -time.Millisecond / 2, -2 * time.Millisecond, -time.Second, math.MinInt64} {
		if err := request.SetTimeout(timeout); err != nil {
			t.Fatal(err)
		}
		_, waited := remote.GetOnlineFeatures(t.Context(), request)
		_, blocked := remote.GetOnlineFeaturesBlocking(request)
		for _, err := range []error{waited, blocked} {
			var failure *Error
			if !errors.As(err, &failure) || failure.Status != Timeout || failure.Attempts != 0 {
				t.Errorf("%v: %v", timeout, err)
			}
		}
	}
}

func TestCloseEndsCallsUnderWayAndLaterOnesAreRefused(t *testing.T) {
	remote, request := serve(t, true), question(t)
	calls := make([]*Call, 100)
	for i := range calls {
		var err error
		if calls[i], err = remote.Start(request); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(remote.Close)
	}
	group.Go(func() {
		for _, call := range calls {
			call.Cancel()
		}
	})
	group.Wait()
	for _, call := range calls {
		if _, err := call.Result(); !errors.Is(err, Closed) && !errors.Is(err, Cancelled) {
			t.Error(err)
		}
		call.Cancel()
	}
	if _, err := remote.Start(request); !errors.Is(err, Closed) {
		t.Error(err)
	}
	if _, err := remote.GetOnlineFeaturesBlocking(request); !errors.Is(err, Closed) {
		t.Error(err)
	}
}

func TestBadSettingsAndRequestsAreErrors(t *testing.T) {
	if _, err := Open(Config{"path": "http://127.0.0.1:1", "no_such_key": "1"}); !errors.Is(err, InvalidConfig) {
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
		request.SetJSON("driver_id", "[null]"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for _, err := range []error{
		request.SetString("driver_id", []string{"a\x00b"}),
		request.SetJSON("driver_id", "{"),
		request.SetJSON("driver_id", "[1]\x00"),
		request.AddTyped("a:b", 99),
	} {
		if !errors.Is(err, InvalidArgument) {
			t.Error(err)
		}
	}
}

package feastremote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
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
		_, blocked := remote.GetOnlineFeaturesBlocking(t.Context(), request)
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
		if calls[i], err = remote.Start(t.Context(), request); err != nil {
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
	if _, err := remote.Start(t.Context(), request); !errors.Is(err, Closed) {
		t.Error(err)
	}
	if _, err := remote.GetOnlineFeaturesBlocking(t.Context(), request); !errors.Is(err, Closed) {
		t.Error(err)
	}
}

func TestCloseReturnsHoweverManyCallsEndAtOnce(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	request := question(t)
	for range 50 {
		remote, err := Open(Config{"path": "http://" + silent.Addr().String()})
		if err != nil {
			t.Fatal(err)
		}
		var calls []*Call
		for range 6 * runtime.GOMAXPROCS(0) {
			call, err := remote.Start(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, call)
		}
		remote.Close()
		for _, call := range calls {
			if _, err := call.Result(); !errors.Is(err, Closed) {
				t.Error(err)
			}
		}
	}
}

func TestTheContextEndsACall(t *testing.T) {
	remote, request := serve(t, true), question(t)
	frame := NewFrame()
	if err := frame.SetInt64("id", []int64{1}, nil); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(context.Context) error{
		"get": func(ctx context.Context) error { _, err := remote.GetOnlineFeatures(ctx, request); return err },
		"start": func(ctx context.Context) error {
			call, err := remote.Start(ctx, request)
			if err != nil {
				return err
			}
			<-call.Done // nobody waits for the result
			_, err = call.Result()
			return err
		},
		"into": func(ctx context.Context) error {
			return remote.GetOnlineFeaturesInto(ctx, request, &Matrix[float32]{RowStride: 9})
		},
		"json": func(ctx context.Context) error { _, err := remote.GetOnlineFeaturesJSON(ctx, []byte("{}")); return err },
		"write": func(ctx context.Context) error {
			_, err := remote.WriteToOnlineStore(ctx, "view", frame, &WriteOptions{WithoutTimestamps: true})
			return err
		},
		"search": func(ctx context.Context) error {
			_, err := remote.RetrieveOnlineDocuments(ctx, Search{Features: []string{"docs:text"}, Query: []float32{1}, TopK: 1})
			return err
		},
		"health":  remote.CheckHealth,
		"warm up": func(ctx context.Context) error { return remote.WarmUp(ctx, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deadline, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer stop()
			err := call(deadline)
			var failure *Error
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &failure) {
				t.Fatal(err)
			}
			// The library cannot be told when to give /health up.
			if failure.Status != Timeout || name != "health" && !strings.Contains(failure.Message, "127.0.0.1") {
				t.Error(failure.Status, err)
			}
			var timeout interface{ Timeout() bool }
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Error("not a timeout:", err)
			}
			reason := errors.New("the user left")
			cancelled, cancel := context.WithCancelCause(t.Context())
			go cancel(reason)
			for range 2 { // during a call, and before one
				err := call(cancelled)
				if !errors.Is(err, reason) || !errors.Is(err, context.Canceled) || !errors.Is(err, Cancelled) {
					t.Error(err)
				}
			}
			past, stop := context.WithDeadline(t.Context(), time.Unix(1, 0))
			defer stop()
			if err := call(past); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, Timeout) {
				t.Error(err)
			}
		})
	}
}

func TestAServerThatIsDownIsNamedWithinTheContextsDeadline(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close() // nobody listens there now
	remote, err := Open(Config{"path": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = remote.GetOnlineFeatures(ctx, question(t))
	var failure *Error
	if !errors.As(err, &failure) || failure.Status != Connect || !strings.Contains(err.Error(), server.URL) || failure.Attempts == 0 {
		t.Errorf("%v", err)
	}
	if failure.Timing.Attempts == 0 || failure.Timing.Server != server.URL {
		t.Errorf("%+v", failure.Timing)
	}
}

func TestATimeoutIsAnErrorThatSaysWhere(t *testing.T) {
	remote, request := serve(t, true), question(t)
	if err := request.SetTimeout(20*time.Millisecond - 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // the earlier of both counts
	defer cancel()
	_, err := remote.GetOnlineFeatures(ctx, request)
	var failure *Error
	if !errors.As(err, &failure) || failure.Status != Timeout || !errors.Is(err, Timeout) || errors.Is(err, Closed) ||
		errors.Is(err, context.DeadlineExceeded) || !failure.Timeout() {
		t.Fatal(err)
	}
	if Timeout.Error() != "TIMEOUT" || !strings.Contains(failure.Message, "127.0.0.1") {
		t.Error(failure.Message)
	}
}

func TestADeadlineOfTheRequestHoldsBesideTheContexts(t *testing.T) {
	remote, request := serve(t, true), question(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for _, deadline := range []time.Time{time.Now().Add(20 * time.Millisecond), time.Now(), time.Unix(1, 0)} {
		if err := request.SetDeadline(deadline); err != nil {
			t.Fatal(err)
		}
		if _, err := remote.GetOnlineFeatures(ctx, request.Clone()); !errors.Is(err, Timeout) || errors.Is(err, context.DeadlineExceeded) {
			t.Error(deadline, err)
		}
	}
}

func TestWhatNobodyClosedIsFreed(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(writer, answer)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(gone)
		}
	}
	server.Start()
	defer server.Close()
	func() {
		remote, err := Open(Config{"path": server.URL})
		if err != nil {
			t.Fatal(err)
		}
		response, err := remote.GetOnlineFeatures(t.Context(), question(t))
		if err != nil {
			t.Fatal(err)
		}
		if rates, err := response.GetFloat64("rate"); err != nil || rates[0] != 0.5 {
			t.Fatal(rates, err)
		}
	}()
	for { // its store is closed, and so is its connection
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

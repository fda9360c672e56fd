// Package feastremote fetches online features from a remote Feast feature server over libfeast_remote.
//
//	remote, err := feastremote.Open(feastremote.Config{"path": "http://localhost:6566"})
//	defer remote.Close()
//	request, err := feastremote.NewRequest("driver_hourly_stats:avg_daily_trips")
//	err = request.SetInt64("driver_id", []int64{1001, 1002})
//	response, err := remote.GetOnlineFeatures(ctx, request)
//	defer response.Close()
//	trips, err := response.GetInt64("avg_daily_trips")
//
// While a call is under way no thread is held: calls are handed to the library's queue, which a goroutine of the package
// empties, and a caller waits on a channel. Copy the folder, and change it as you like.
package feastremote

/*
#cgo pkg-config: feast_remote
#cgo noescape submit
#cgo noescape take
#cgo nocallback submit
#cgo nocallback take
#include <feast_remote.h>
#include <stdlib.h>

// What Go needs of an event, so that a batch of them costs one crossing. A failed call keeps its event for its error.
typedef struct {
  uintptr_t tag;
  feast_response_t *response;
  size_t rows;
  feast_event_t *failed;
} finished_t;

enum { BATCH = 64 };

static inline size_t take(feast_queue_t *queue, finished_t *finished) {
  feast_event_t *events[BATCH];
  size_t count = feast_queue_poll_batch(queue, -1, events, BATCH);
  for (size_t i = 0; i < count; i++) {
    feast_response_t *response = feast_event_take_response(events[i]);
    finished[i].tag = (uintptr_t)feast_event_tag(events[i]);
    finished[i].response = response;
    finished[i].rows = feast_response_num_rows(response);
    finished[i].failed = response == NULL ? events[i] : NULL;
    if (response != NULL) feast_event_free(events[i]);
  }
  return count;
}

// The tag is a number, which Go may not pass as a pointer.
static inline feast_status_t submit(feast_remote_t *remote, feast_request_t *request, feast_queue_t *queue, uintptr_t tag,
                                    feast_call_t **call, feast_error_t **err) {
  return feast_get_online_features_async(remote, request, queue, (void *)tag, call, err);
}
*/
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// Config holds the keys of CONFIGURATION.md, such as "path", "connection_pool_size" or "request_timeout_ms".
type Config map[string]string

// Remote is an open store: a pool of connections to one feature server. Any number of goroutines may use it.
type Remote struct {
	handle *C.feast_remote_t
	queue  *C.feast_queue_t
	poller sync.WaitGroup

	mutex   sync.Mutex
	calls   map[uintptr]*Call
	last    uintptr
	closed  bool
	emptied bool      // no call is under way any more
	idle    sync.Cond // no call is under way
}

// Call is a call under way.
type Call struct {
	// Done is closed when the call has ended and Result will not wait.
	Done     <-chan struct{}
	done     chan struct{}
	remote   *Remote
	tag      uintptr
	handle   *C.feast_call_t // while the call is in remote.calls
	response *Response
	err      error
}

// Open opens a store; nothing goes over the network before the first call.
func Open(config Config) (*Remote, error) { return OpenYAML("", config) }

// OpenYAML opens the online store of a feature_store.yaml, with more keys on top of it.
func OpenYAML(yaml string, config Config) (*Remote, error) {
	settings := C.feast_config_new()
	defer C.feast_config_free(settings)
	var err *C.feast_error_t
	if yaml != "" {
		path := C.CString(yaml)
		defer C.free(unsafe.Pointer(path))
		if C.feast_config_load_yaml(settings, path, &err) != C.FEAST_OK {
			return nil, taken(err)
		}
	}
	for key, value := range config {
		name, text := C.CString(key), C.CString(value)
		C.feast_config_set(settings, name, text, &err)
		C.free(unsafe.Pointer(name))
		C.free(unsafe.Pointer(text))
		if err != nil {
			return nil, taken(err)
		}
	}
	remote := &Remote{calls: make(map[uintptr]*Call)}
	remote.idle.L = &remote.mutex
	if C.feast_remote_open(settings, &remote.handle, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	if C.feast_queue_open(&remote.queue, &err) != C.FEAST_OK {
		C.feast_close(remote.handle)
		return nil, taken(err)
	}
	remote.poller.Go(remote.poll)
	return remote, nil
}

// Close ends the calls under way with Closed and closes every connection. Responses stay as they are.
func (r *Remote) Close() {
	r.mutex.Lock()
	first := !r.closed
	r.closed = true
	r.mutex.Unlock()
	C.feast_close(r.handle)
	r.mutex.Lock()
	for len(r.calls) > 0 {
		r.idle.Wait()
	}
	r.emptied = true
	r.mutex.Unlock()
	if first {
		C.feast_queue_wake(r.queue)
		r.poller.Wait() // or it might look into a queue that is freed
		C.feast_queue_free(r.queue)
	}
}

// GetOnlineFeatures fetches what the request asks for, until the context ends or the store's request_timeout_ms, or the
// request's own timeout, is over. An error has an *Error in it; if the context has ended, its error and cause besides.
func (r *Remote) GetOnlineFeatures(ctx context.Context, request *Request) (*Response, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx, &Error{Status: Cancelled, Message: "the context had ended before the call"})
	}
	call, err := r.Start(request)
	if err != nil {
		return nil, err
	}
	select {
	case <-call.Done:
		return call.response, call.err
	case <-ctx.Done():
	}
	call.Cancel()
	response, err := call.Result() // within milliseconds
	if err != nil {
		err = ended(ctx, err)
	}
	return response, err
}

// ended is for errors.Is: the context's error, its cause, and the library's.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w: %w", ctx.Err(), cause, err)
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// GetOnlineFeaturesBlocking fetches on the goroutine's own thread, without a hand-off to the library's and back: while few
// goroutines call, an answer is there in about half the time. It holds the thread and cannot be cancelled; the request's
// timeout or the store's ends it.
func (r *Remote) GetOnlineFeaturesBlocking(request *Request) (*Response, error) {
	var (
		response *C.feast_response_t
		err      *C.feast_error_t
	)
	if C.feast_get_online_features(r.handle, request.handle, &response, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	runtime.KeepAlive(request)
	return &Response{response, int(C.feast_response_num_rows(response))}, nil
}

// Start begins a call and returns at once. The request may be changed afterwards. Result must be called for each, and what
// it returns be closed, or the answer's memory is lost.
func (r *Remote) Start(request *Request) (*Call, error) {
	done := make(chan struct{})
	call := &Call{Done: done, done: done, remote: r}
	r.mutex.Lock()
	defer r.mutex.Unlock() // the poller must not find the call before its handle is there
	if r.closed {
		return nil, &Error{Status: Closed, Message: "the store was closed"}
	}
	r.last++
	call.tag = r.last
	var err *C.feast_error_t
	if C.submit(r.handle, request.handle, r.queue, C.uintptr_t(call.tag), &call.handle, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	runtime.KeepAlive(request)
	r.calls[call.tag] = call
	return call, nil
}

// Cancel ends a call soon, wherever it is; its error is then Cancelled, unless it was finished already.
func (c *Call) Cancel() {
	c.remote.mutex.Lock()
	defer c.remote.mutex.Unlock()
	if c.remote.calls[c.tag] == c {
		C.feast_call_cancel(c.handle)
	}
}

// Result waits for the call's end. The response is to be closed by its one receiver.
func (c *Call) Result() (*Response, error) {
	<-c.done
	return c.response, c.err
}

// SetToken has the next attempts use this bearer token, at any time. With the key "auth" set to "host" calls wait for the
// first one, and after a 401 for a newer one.
func (r *Remote) SetToken(token string) error {
	text := C.CString(token)
	defer C.free(unsafe.Pointer(text))
	var err *C.feast_error_t
	if C.feast_remote_set_token(r.handle, text, &err) != C.FEAST_OK {
		return taken(err)
	}
	return nil
}

// StatsJSON is the store's figures so far, as STATISTICS.md describes them.
func (r *Remote) StatsJSON() ([]byte, error) {
	var (
		json   *C.char
		length C.size_t
		err    *C.feast_error_t
	)
	if C.feast_stats_json(r.handle, &json, &length, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	defer C.feast_string_free(json)
	return C.GoBytes(unsafe.Pointer(json), C.int(length)), nil
}

func (r *Remote) poll() {
	finished := make([]C.finished_t, C.BATCH)
	ended := make([]*Call, C.BATCH)
	for {
		count := int(C.take(r.queue, unsafe.SliceData(finished)))
		r.mutex.Lock()
		if count == 0 && r.emptied {
			r.mutex.Unlock()
			return
		}
		for i, event := range finished[:count] {
			ended[i] = r.calls[uintptr(event.tag)]
			delete(r.calls, uintptr(event.tag))
		}
		if len(r.calls) == 0 {
			r.idle.Broadcast()
		}
		r.mutex.Unlock()
		for i, event := range finished[:count] {
			C.feast_call_free(ended[i].handle)
			if event.failed == nil {
				ended[i].response = &Response{event.response, int(event.rows)}
			} else {
				ended[i].err = fromC(C.feast_event_error(event.failed))
				C.feast_event_free(event.failed)
			}
			close(ended[i].done)
			ended[i] = nil
		}
	}
}

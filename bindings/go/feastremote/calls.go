package feastremote

/*
#cgo noescape submit
#cgo noescape take_finished
#include "bridge.h"
*/
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Call is a call under way.
type Call struct {
	// Done is closed when the call has ended and Result will not wait.
	Done <-chan struct{}

	ctx      context.Context
	done     chan struct{}
	remote   *Remote // not to be closed by the garbage collector meanwhile
	response *Response
	written  Written
	err      error

	mutex  sync.Mutex
	handle *C.feast_call_t // while the call is under way
	over   bool
	stop   func() bool // of who waits for the context's end
}

// GetOnlineFeatures fetches what the request asks for. The context's deadline is the call's, in place of the store's
// request_timeout_ms; a timeout of the request's own holds beside it. If the context ends the call is cancelled. An error has an
// [*Error] in it; if the context's end was the reason, its error and its cause besides.
func (r *Remote) GetOnlineFeatures(ctx context.Context, request *Request) (*Response, error) {
	if ctx.Done() == nil {
		// Nobody can cancel the call. While there are processors for them the goroutine's own thread makes it: there is no
		// hand-off to the library's thread and back.
		defer r.direct.Add(-1)
		if int(r.direct.Add(1)) <= runtime.GOMAXPROCS(0) {
			return r.GetOnlineFeaturesBlocking(ctx, request)
		}
	}
	call, err := r.start(ctx, r.fetching(ctx, request))
	if err != nil {
		return nil, err
	}
	return call.Result()
}

// GetOnlineFeaturesBlocking fetches on the goroutine's own thread, without a hand-off to the library's and back: while few
// goroutines call, an answer is there in less than half the time. It holds the thread, and of the context it heeds the deadline
// alone: a call that is under way is not cancelled.
func (r *Remote) GetOnlineFeaturesBlocking(ctx context.Context, request *Request) (*Response, error) {
	if err := before(ctx); err != nil {
		return nil, err
	}
	var (
		response *C.feast_response_t
		err      *C.feast_error_t
	)
	status := C.fetch(r.handle, request.handle, request.deadline, left(ctx), &response, &err)
	runtime.KeepAlive(r)
	runtime.KeepAlive(request)
	if status != C.FEAST_OK {
		return nil, ended(ctx, taken(err))
	}
	return newResponse(response, int(C.feast_response_num_rows(response))), nil
}

// GetOnlineFeaturesJSON sends a JSON body of the caller's own to /get-online-features and returns the server's JSON as it came. A
// context that is cancelled is heeded at once, while the library goes on until the call's deadline.
func (r *Remote) GetOnlineFeaturesJSON(ctx context.Context, body []byte) ([]byte, error) {
	var timeout C.int64_t // the store's
	if deadline, has := ctx.Deadline(); has {
		timeout = max(1, milliseconds(time.Until(deadline)))
	}
	return detached(ctx, grace, func() ([]byte, error) {
		var (
			json   *C.char
			length C.size_t
			err    *C.feast_error_t
		)
		text := (*C.char)(unsafe.Pointer(unsafe.SliceData(body)))
		status := C.feast_get_online_features_json(r.handle, text, C.size_t(len(body)), timeout, &json, &length, &err)
		runtime.KeepAlive(r)
		if status != C.FEAST_OK {
			return nil, taken(err)
		}
		defer C.feast_string_free(json)
		return bytesOf(json, length), nil
	}, nil)
}

// Start begins a call and returns at once. The request may be changed afterwards. The context is the call's, as that of
// [Remote.GetOnlineFeatures], whether or not anybody waits for the result.
func (r *Remote) Start(ctx context.Context, request *Request) (*Call, error) {
	call, err := r.start(ctx, r.fetching(ctx, request))
	if err == nil && ctx.Done() != nil {
		call.stopWith(context.AfterFunc(ctx, call.wait))
	}
	return call, err
}

// submission hands a call to the library.
type submission func(tag C.uintptr_t, call **C.feast_call_t, err **C.feast_error_t) C.feast_status_t

func (r *Remote) fetching(ctx context.Context, request *Request) submission {
	return func(tag C.uintptr_t, call **C.feast_call_t, err **C.feast_error_t) C.feast_status_t {
		defer runtime.KeepAlive(request)
		return C.submit(r.handle, request.handle, request.deadline, left(ctx), r.queue, tag, call, err)
	}
}

// start registers a call before the library has it, since its event may come at once.
func (r *Remote) start(ctx context.Context, submit submission) (*Call, error) {
	if err := before(ctx); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	call := &Call{Done: done, done: done, ctx: ctx, remote: r}
	r.mutex.Lock()
	if r.closed {
		r.mutex.Unlock()
		return nil, &Error{Status: Closed, Message: "the store was closed"}
	}
	r.last++
	tag := r.last
	r.calls[tag] = call
	r.mutex.Unlock()

	var (
		handle *C.feast_call_t
		err    *C.feast_error_t
	)
	if submit(C.uintptr_t(tag), &handle, &err) != C.FEAST_OK {
		r.mutex.Lock()
		r.forget(tag)
		r.mutex.Unlock()
		return nil, ended(ctx, taken(err))
	}
	call.mutex.Lock()
	defer call.mutex.Unlock()
	if call.over {
		C.feast_call_free(handle)
	} else {
		call.handle = handle
	}
	return call, nil
}

// forget is for who holds the mutex.
func (s *store) forget(tag uintptr) {
	delete(s.calls, tag)
	if len(s.calls) == 0 {
		s.idle.Broadcast()
	}
}

// Cancel ends a call soon, wherever it is; its error is then [Cancelled], unless it was finished already.
func (c *Call) Cancel() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	C.feast_call_cancel(c.handle)
}

// Result waits for the call's end, and cancels it if its context ends. The response is the same each time.
func (c *Call) Result() (*Response, error) {
	c.wait()
	return c.response, c.err
}

func (c *Call) wait() {
	select {
	case <-c.done:
	case <-c.ctx.Done():
		if _, has := c.ctx.Deadline(); has && c.ctx.Err() == context.DeadlineExceeded {
			// The library has the same deadline, and says where the call was.
			select {
			case <-c.done:
			case <-time.After(grace):
			}
		}
		c.Cancel()
		<-c.done // within milliseconds
	}
}

// stopWith says what is to be done when the call is over, which it may be already.
func (c *Call) stopWith(stop func() bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.over {
		stop()
	} else {
		c.stop = stop
	}
}

// poll takes the events of calls out of the queue, until the store is closed.
func (s *store) poll() {
	batch := make([]C.finished_t, C.FEASTREMOTE_BATCH)
	for s.handOut(-1, batch) > 0 || !s.isEmptied() {
	}
}

// help does the same for as long as there are events: answers are decoded where they are taken out, and those of many rows keep
// more than one processor busy.
func (s *store) help() {
	defer s.helpers.Add(-1)
	batch := make([]C.finished_t, C.FEASTREMOTE_BATCH)
	for s.handOut(0, batch) > 0 {
	}
	if s.isEmptied() {
		C.feast_queue_wake(s.queue) // this may have been the one who saw that of Close
	}
}

func (s *store) isEmptied() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.emptied
}

// handOut takes a batch of events, and counts them.
func (s *store) handOut(timeout C.int64_t, batch []C.finished_t) int {
	count := int(C.take_finished(s.queue, timeout, unsafe.SliceData(batch)))
	if count == 0 {
		return 0
	}
	if count == len(batch) { // there may be more
		if int(s.helpers.Add(1)) < runtime.GOMAXPROCS(0) {
			s.poller.Go(s.help)
		} else {
			s.helpers.Add(-1)
		}
	}
	var calls [C.FEASTREMOTE_BATCH]*Call
	s.mutex.Lock()
	for i, event := range batch[:count] {
		calls[i] = s.calls[uintptr(event.tag)]
		s.forget(uintptr(event.tag))
	}
	s.mutex.Unlock()
	for i, event := range batch[:count] {
		calls[i].finish(event)
	}
	// Those that waited run now, on this thread. If it went back into the library at once, they would wait for another
	// thread to be woken, to find them in the hands of this one: that took as long as the call.
	runtime.Gosched()
	return count
}

func (c *Call) finish(event C.finished_t) {
	c.mutex.Lock()
	C.feast_call_free(c.handle)
	c.handle, c.over = nil, true
	if c.stop != nil {
		c.stop()
	}
	c.mutex.Unlock()
	switch {
	case event.failed != nil:
		c.err = ended(c.ctx, fromC(C.feast_event_error(event.failed)))
		C.feast_event_free(event.failed)
	case event.written != nil:
		c.written = takenWrite(event.written)
	default:
		c.response = newResponse(event.response, int(event.rows))
	}
	close(c.done)
}

// bytesOf copies text of the library's.
func bytesOf(text *C.char, length C.size_t) []byte {
	return append([]byte{}, sliceOf[byte](unsafe.Pointer(text), int(length))...)
}

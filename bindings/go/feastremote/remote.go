package feastremote

// #include "bridge.h"
import "C"

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Config holds configuration keys, such as "path", "connection_pool_size" or "request_timeout_ms". CONFIGURATION.md lists them,
// with those for tokens ("auth.token"), headers ("header.NAME"), several servers ("path" with URLs between commas, "balance",
// "resolve", "hedge_percent") and merged calls ("merge_max_rows").
type Config map[string]string

// Remote is an open store: a pool of connections to one feature server, or to several of the same features. Any number of
// goroutines may use it; open one for all.
type Remote struct {
	*store
}

// store is what a Remote has and its goroutine needs, so that a Remote that nobody has any more is found and closed.
type store struct {
	handle  *C.feast_remote_t
	queue   *C.feast_queue_t
	poller  sync.WaitGroup
	helpers atomic.Int32 // of the poller's
	direct  atomic.Int32 // calls under way on their goroutines' own threads

	mutex   sync.Mutex
	calls   map[uintptr]*Call
	last    uintptr
	closed  bool
	emptied bool      // no call is under way any more
	idle    sync.Cond // no call is under way
}

// Open opens a store. Nothing goes over the network before the first call. Environment variables, for tokens and proxies, are
// looked up now.
func Open(config Config) (*Remote, error) { return OpenYAML("", config) }

// OpenYAML opens the online store of a Feast feature_store.yaml, with more keys on top of it.
func OpenYAML(yaml string, config Config) (*Remote, error) {
	settings := C.feast_config_new()
	defer C.feast_config_free(settings)
	var err *C.feast_error_t
	if failure := withoutNUL(yaml); failure != nil {
		return nil, failure
	}
	if yaml != "" {
		path := C.CString(yaml)
		defer C.free(unsafe.Pointer(path))
		if C.feast_config_load_yaml(settings, path, &err) != C.FEAST_OK {
			return nil, taken(err)
		}
	}
	for key, value := range config {
		if withoutNUL(key) != nil || withoutNUL(value) != nil {
			return nil, invalid("a configuration key or value has a NUL in it") // not the value: it may be a secret
		}
		name, text := C.CString(key), C.CString(value)
		C.feast_config_set(settings, name, text, &err)
		C.free(unsafe.Pointer(name))
		C.free(unsafe.Pointer(text))
		if err != nil {
			return nil, taken(err)
		}
	}
	opened := &store{calls: make(map[uintptr]*Call)}
	opened.idle.L = &opened.mutex
	if C.feast_remote_open(settings, &opened.handle, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	if C.feast_queue_open(&opened.queue, &err) != C.FEAST_OK {
		C.feast_close(opened.handle)
		return nil, taken(err)
	}
	opened.poller.Go(opened.poll)
	remote := &Remote{opened}
	runtime.AddCleanup(remote, func(opened *store) { go opened.close() }, opened) // it waits, which cleanups must not
	return remote, nil
}

// Close ends the calls under way with [Closed] and closes every connection. Responses stay as they are. More than once is fine.
func (r *Remote) Close() { r.close() }

func (s *store) close() {
	s.mutex.Lock()
	first := !s.closed
	s.closed = true
	s.mutex.Unlock()
	C.feast_close(s.handle)
	s.mutex.Lock()
	for len(s.calls) > 0 {
		s.idle.Wait()
	}
	s.emptied = true
	s.mutex.Unlock()
	if first {
		C.feast_queue_wake(s.queue)
		s.poller.Wait() // or it might look into a queue that is freed
		C.feast_queue_free(s.queue)
	}
}

// SetToken has the next attempts use this bearer token, at any time. With the key "auth" set to "host" calls wait for the
// first one, and after a 401 for a newer one.
func (r *Remote) SetToken(token string) error {
	if withoutNUL(token) != nil {
		return invalid("the token has a NUL in it")
	}
	text := C.CString(token)
	defer C.free(unsafe.Pointer(text))
	var err *C.feast_error_t
	C.feast_remote_set_token(r.handle, text, &err)
	runtime.KeepAlive(r)
	return taken(err)
}

// WarmUp makes connections before the first call needs them, from 1 to connection_pool_size, and asks the server on each whether
// it is well: for a readiness probe. Without a deadline it takes at most ten seconds. A context that is cancelled is heeded at
// once, while the library goes on for so long.
func (r *Remote) WarmUp(ctx context.Context, connections int) error {
	if connections < 1 {
		return invalid("%d connections: at least one can be made", connections)
	}
	left := 10 * time.Second
	if deadline, has := ctx.Deadline(); has {
		left = time.Until(deadline)
	}
	_, err := detached(ctx, grace, func() (struct{}, error) {
		var err *C.feast_error_t
		C.feast_remote_warm_up(r.handle, C.size_t(connections), milliseconds(left), &err)
		runtime.KeepAlive(r)
		return struct{}{}, taken(err)
	}, nil)
	return err
}

// CheckHealth asks the server's /health, within the store's request_timeout_ms. A context that ends is heeded at once, while the
// library goes on for so long.
func (r *Remote) CheckHealth(ctx context.Context) error {
	_, err := detached(ctx, 0, func() (struct{}, error) {
		var err *C.feast_error_t
		C.feast_check_health(r.handle, &err)
		runtime.KeepAlive(r)
		return struct{}{}, taken(err)
	}, nil)
	return err
}

// Version is that of the library, with those of libcurl and the TLS library in it.
func Version() string { return C.GoString(C.feast_version_string()) }

// milliseconds rounds up: what is left of a caller's time is not the store's default, which 0 often is; what is past is 0.
func milliseconds(left time.Duration) C.int64_t {
	if left <= 0 {
		return 0
	}
	return C.int64_t((left-1)/time.Millisecond + 1)
}

// left is how many nanoseconds a context has; math.MaxInt64 if it has no deadline.
func left(ctx context.Context) C.int64_t {
	if deadline, has := ctx.Deadline(); has {
		return C.int64_t(min(time.Until(deadline), math.MaxInt64-1))
	}
	return math.MaxInt64
}

// detached makes a call that the library cannot cancel. If the context ends before it, the call goes on by itself, until its
// deadline, and drop gets what it came to. Where the library has the context's deadline it gets a moment more, to say where the
// call was.
func detached[T any](ctx context.Context, wait time.Duration, call func() (T, error), drop func(T)) (T, error) {
	var none T
	if err := before(ctx); err != nil {
		return none, err
	}
	if ctx.Done() == nil {
		return call()
	}
	type result struct {
		value T
		err   error
	}
	results := make(chan result, 1)
	go func() {
		value, err := call()
		results <- result{value, err}
	}()
	finish := func(got result) (T, error) {
		if got.err != nil {
			return none, ended(ctx, got.err)
		}
		return got.value, nil
	}
	select {
	case got := <-results:
		return finish(got)
	case <-ctx.Done():
	}
	if ctx.Err() == context.DeadlineExceeded {
		select {
		case got := <-results:
			return finish(got)
		case <-time.After(wait):
		}
	}
	if drop != nil {
		go func() {
			if got := <-results; got.err == nil {
				drop(got.value)
			}
		}()
	}
	return none, ended(ctx, &Error{Status: statusOf(ctx), Message: "the context ended during the call"})
}

// grace is how long the library has, after the deadline of a context that it was told, to say where the call was.
const grace = 100 * time.Millisecond

// before refuses a call whose context has ended.
func before(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return ended(ctx, &Error{Status: statusOf(ctx), Message: "the context had ended before the call, and nothing was sent"})
}

// statusOf is what the end of a context is for the library.
func statusOf(ctx context.Context) Status {
	if ctx.Err() == context.DeadlineExceeded {
		return Timeout
	}
	return Cancelled
}

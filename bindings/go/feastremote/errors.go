package feastremote

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// Status is the kind of a failure, with the numbers of feast_status_t. It works with errors.Is:
//
//	if errors.Is(err, feastremote.Overloaded) { ... }
type Status int32

// The statuses. Their hundreds say who has to act: 1xx the caller, 2xx this process, 3xx the network, 400 to 500 the server's
// answer (numbered like HTTP), 501 and up the data, 9xx the library.
const (
	InvalidArgument  Status = C.FEAST_INVALID_ARGUMENT  // something that cannot be used; the message says what
	InvalidConfig    Status = C.FEAST_CONFIG            // a configuration key or value that cannot be used
	Closed           Status = C.FEAST_CLOSED            // the store was closed before or during the call
	Cancelled        Status = C.FEAST_CANCELLED         // the call was cancelled
	Overloaded       Status = C.FEAST_OVERLOADED        // no connection of the pool came free in time
	Timeout          Status = C.FEAST_TIMEOUT           // the deadline passed
	Connect          Status = C.FEAST_CONNECT           // no connection could be made
	TLS              Status = C.FEAST_TLS               // a certificate that does not verify, or a broken handshake
	IO               Status = C.FEAST_IO                // the connection broke before the whole answer was there
	Unauthenticated  Status = C.FEAST_UNAUTHENTICATED   // HTTP 401
	PermissionDenied Status = C.FEAST_PERMISSION_DENIED // HTTP 403
	NotFound         Status = C.FEAST_NOT_FOUND         // HTTP 404: no such feature view or service, or no feature server
	InvalidRequest   Status = C.FEAST_INVALID_REQUEST   // HTTP 422, and every other 4xx without a status of its own
	Throttled        Status = C.FEAST_THROTTLED         // HTTP 429
	Server           Status = C.FEAST_SERVER            // HTTP 5xx; Feast answers most mistakes of the caller with 500
	Decode           Status = C.FEAST_DECODE            // the answer cannot be read, or does not fit the request
	WrongType        Status = C.FEAST_WRONG_TYPE        // a value does not fit the type that it was asked for in
	Internal         Status = C.FEAST_INTERNAL          // the library or libcurl failed in a way that should not happen
	Panic            Status = C.FEAST_PANIC             // a bug in the library, contained
)

// Error is the status's name, such as TIMEOUT.
func (s Status) Error() string { return C.GoString(C.feast_status_name(C.feast_status_t(s))) }

// Error is a failed call.
type Error struct {
	Status     Status
	HTTPStatus int    // of the last answer; 0 if there was none
	FeastClass string // the server's exception, such as FeatureViewNotFoundException, or ""
	Attempts   int    // how often the server was asked
	Server     string // the URL of the last attempt's server, or ""
	Retriable  bool   // whether the same call may succeed later although nobody changes it
	Message    string // what was tried, against which server, what it said, and what to do; never a credential
	Timing     Timing // where the time of the call went; zero for an error from before a call began

	// Of a write that failed: how many rows the server said are written, the others by their numbers, and those of them that
	// were sent and of which it said nothing.
	RowsWritten                 uint64
	UnwrittenRows, DoubtfulRows []uint64
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the status to errors.Is.
func (e *Error) Unwrap() error { return e.Status }

// Timeout tells whether the time was up, as errors of package net do.
func (e *Error) Timeout() bool { return e.Status == Timeout }

// invalid is an error of an argument that the library never saw.
func invalid(format string, values ...any) error {
	return &Error{Status: InvalidArgument, Message: fmt.Sprintf(format, values...)}
}

// withoutNUL refuses what C would cut off.
func withoutNUL(text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return invalid("%q has a NUL in it", text)
	}
	return nil
}

// fromC copies an error and leaves it to its owner.
func fromC(err *C.feast_error_t) error {
	copied := &Error{
		Status:     Status(C.feast_error_code(err)),
		HTTPStatus: int(C.feast_error_http_status(err)),
		FeastClass: C.GoString(C.feast_error_feast_class(err)),
		Attempts:   int(C.feast_error_attempts(err)),
		Server:     C.GoString(C.feast_error_server(err)),
		Retriable:  bool(C.feast_error_is_retriable(err)),
		Message:    C.GoString(C.feast_error_message(err)),

		RowsWritten:   uint64(C.feast_error_rows_written(err)),
		UnwrittenRows: rowsOf(func(count *C.size_t) *C.uint64_t { return C.feast_error_unwritten_rows(err, count) }),
		DoubtfulRows:  rowsOf(func(count *C.size_t) *C.uint64_t { return C.feast_error_doubtful_rows(err, count) }),
	}
	var timing C.feast_timing_t
	timing.size = C.sizeof_feast_timing_t
	if C.feast_error_timing(err, &timing) {
		copied.Timing = timingOf(&timing)
	}
	return copied
}

// rowsOf copies numbers of rows.
func rowsOf(get func(*C.size_t) *C.uint64_t) []uint64 {
	var count C.size_t
	rows := get(&count)
	return slices.Clone(sliceOf[uint64](unsafe.Pointer(rows), int(count)))
}

// taken copies an error of a failed function and frees it; nil after success.
func taken(err *C.feast_error_t) error {
	if err == nil {
		return nil
	}
	defer C.feast_error_free(err)
	return fromC(err)
}

// contextError is an error of the library's that came of the end of a context.
type contextError struct {
	context, cause error
	err            error
}

func (e *contextError) Error() string {
	if errors.Is(e.cause, e.context) {
		return fmt.Sprintf("%v (%v)", e.err, e.cause)
	}
	return fmt.Sprintf("%v (%v: %v)", e.err, e.context, e.cause)
}

// Unwrap is for errors.Is and errors.As: the context's error, its cause, and the library's.
func (e *contextError) Unwrap() []error { return []error{e.context, e.cause, e.err} }

// Timeout tells whether it was the context's deadline.
func (e *contextError) Timeout() bool { return errors.Is(e.context, context.DeadlineExceeded) }

// ended makes the failure of a call the context's, where it came of the context's end.
func ended(ctx context.Context, err error) error {
	status := Status(0)
	if !errors.As(err, &status) || status != Timeout && status != Cancelled && status != Overloaded {
		return err
	}
	if ctx.Err() != nil {
		return &contextError{ctx.Err(), context.Cause(ctx), err}
	}
	// The library may be a moment ahead of the context.
	if deadline, has := ctx.Deadline(); has && status != Cancelled && time.Until(deadline) < time.Millisecond {
		return &contextError{context.DeadlineExceeded, context.DeadlineExceeded, err}
	}
	return err
}

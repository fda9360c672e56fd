package feastremote

// #include <feast_remote.h>
import "C"

import (
	"slices"
	"unsafe"
)

// Status is the kind of a failure, with the numbers of feast_status_t. It works with errors.Is:
//
//	if errors.Is(err, feastremote.Overloaded) { ... }
type Status int32

// The statuses that programs tell apart most often; feast_remote.h has them all.
const (
	InvalidArgument  Status = C.FEAST_INVALID_ARGUMENT
	InvalidConfig    Status = C.FEAST_CONFIG
	Closed           Status = C.FEAST_CLOSED
	Cancelled        Status = C.FEAST_CANCELLED
	Overloaded       Status = C.FEAST_OVERLOADED
	Timeout          Status = C.FEAST_TIMEOUT
	Connect          Status = C.FEAST_CONNECT
	TLS              Status = C.FEAST_TLS
	IO               Status = C.FEAST_IO
	Unauthenticated  Status = C.FEAST_UNAUTHENTICATED
	PermissionDenied Status = C.FEAST_PERMISSION_DENIED
	NotFound         Status = C.FEAST_NOT_FOUND
	InvalidRequest   Status = C.FEAST_INVALID_REQUEST
	Throttled        Status = C.FEAST_THROTTLED
	Server           Status = C.FEAST_SERVER
	Decode           Status = C.FEAST_DECODE
	WrongType        Status = C.FEAST_TYPE
)

// Error is the status's name, such as TIMEOUT.
func (s Status) Error() string { return C.GoString(C.feast_status_name(C.feast_status_t(s))) }

// Error is a failed call.
type Error struct {
	Status     Status
	HTTPStatus int    // of the last answer; 0 if there was none
	FeastClass string // the server's exception, such as FeatureViewNotFoundException, or ""
	Attempts   int    // how often the server was asked
	Server     string // of the last attempt, or ""
	Retriable  bool   // whether the same call may succeed later
	Message    string // what was tried, against which server, and what it said

	// Of a write that failed: how many rows the server said are written, the others by their numbers, and those of them that
	// were sent and of which it said nothing.
	RowsWritten                 uint64
	UnwrittenRows, DoubtfulRows []uint64
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the status to errors.Is.
func (e *Error) Unwrap() error { return e.Status }

// fromC copies an error and leaves it to its owner.
func fromC(err *C.feast_error_t) error {
	return &Error{
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
}

// rowsOf copies numbers of rows.
func rowsOf(get func(*C.size_t) *C.uint64_t) []uint64 {
	var count C.size_t
	rows := get(&count)
	return slices.Clone(view[uint64](unsafe.Pointer(rows), int(count)))
}

// taken copies an error of a failed function and frees it; nil after success.
func taken(err *C.feast_error_t) error {
	if err == nil {
		return nil
	}
	defer C.feast_error_free(err)
	return fromC(err)
}

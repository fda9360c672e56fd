package feastremote

// #include "bridge.h"
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// Search says which documents are wanted.
type Search struct {
	Features       []string  // each as "feature_view:feature", of one view
	Query          []float32 // the vector that they shall be near to
	TopK           int       // how many there may be
	DistanceMetric string    // such as "COSINE"; "" is the view's, or the server's
	Filters        string    // a JSON object, as Feast's server takes it, or ""
}

// RetrieveOnlineDocuments is the documents nearest to a vector, nearest first: join keys, features and "distance". A context that
// is cancelled is heeded at once, while the library goes on until the call's deadline.
func (r *Remote) RetrieveOnlineDocuments(ctx context.Context, search Search) (*Response, error) {
	handle, err := search.handle(ctx)
	if err != nil {
		C.feast_search_free(handle)
		return nil, err
	}
	return detached(ctx, grace, func() (*Response, error) {
		defer C.feast_search_free(handle)
		var (
			response *C.feast_response_t
			err      *C.feast_error_t
		)
		C.feast_retrieve_online_documents(r.handle, handle, &response, &err)
		runtime.KeepAlive(r)
		if err != nil {
			return nil, taken(err)
		}
		return newResponse(response, int(C.feast_response_num_rows(response))), nil
	}, (*Response).Close)
}

func (s *Search) handle(ctx context.Context) (*C.feast_search_t, error) {
	handle := C.feast_search_new()
	var err *C.feast_error_t
	if failure := before(ctx); failure != nil {
		return handle, failure
	}
	text := func(value string, set func(*C.char)) {
		copied := C.CString(value)
		defer C.free(unsafe.Pointer(copied))
		if err == nil {
			set(copied)
		}
	}
	for _, value := range append([]string{s.DistanceMetric, s.Filters}, s.Features...) {
		if failure := withoutNUL(value); failure != nil {
			return handle, failure
		}
	}
	for _, feature := range s.Features {
		text(feature, func(name *C.char) { C.feast_search_add_feature(handle, name, &err) })
	}
	if s.DistanceMetric != "" {
		text(s.DistanceMetric, func(name *C.char) { C.feast_search_set_distance_metric(handle, name, &err) })
	}
	if s.Filters != "" {
		text(s.Filters, func(json *C.char) { C.feast_search_set_filters(handle, json, &err) })
	}
	if err == nil {
		C.feast_search_set_query(handle, (*C.float)(unsafe.SliceData(s.Query)), C.size_t(len(s.Query)), &err)
	}
	if err == nil {
		C.feast_search_set_top_k(handle, C.size_t(max(0, s.TopK)), &err)
	}
	if deadline, has := ctx.Deadline(); has && err == nil {
		C.feast_search_set_timeout_ms(handle, milliseconds(time.Until(deadline)), &err)
	}
	return handle, taken(err)
}

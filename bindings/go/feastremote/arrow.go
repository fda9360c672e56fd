package feastremote

// #include "bridge.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// ExportArrow hands over all columns through the Arrow C data interface, as a struct array with a child for each column. Values
// are not copied, and live until both structs are released, also after Close. array and schema point to a struct ArrowArray and a
// struct ArrowSchema that hold nothing yet; the caller releases them. With full two columns stand behind each feature, NAME__status
// and NAME__ts. The module feastarrow makes a record of it for arrow-go.
func (r *Response) ExportArrow(array, schema unsafe.Pointer, full bool) error {
	defer r.keep()
	var err *C.feast_error_t
	if full {
		C.feast_response_export_arrow_full(r.handle, (*C.struct_ArrowArray)(array), (*C.struct_ArrowSchema)(schema), &err)
	} else {
		C.feast_response_export_arrow(r.handle, (*C.struct_ArrowArray)(array), (*C.struct_ArrowSchema)(schema), &err)
	}
	return taken(err)
}

// ImportArrow makes a frame of a record batch that came through the Arrow C data interface: integers, floats, booleans, UTF-8,
// timestamps, lists of these, and nulls. On success array and schema are copied and released, else they are not touched.
func ImportArrow(array, schema unsafe.Pointer) (*Frame, error) {
	var (
		frame *C.feast_frame_t
		err   *C.feast_error_t
	)
	if C.feast_frame_import_arrow((*C.struct_ArrowArray)(array), (*C.struct_ArrowSchema)(schema), &frame, &err) != C.FEAST_OK {
		return nil, taken(err)
	}
	return newFrame(frame), nil
}

func newFrame(handle *C.feast_frame_t) *Frame {
	frame := &Frame{handle}
	runtime.AddCleanup(frame, func(handle *C.feast_frame_t) { C.feast_frame_free(handle) }, handle)
	return frame
}

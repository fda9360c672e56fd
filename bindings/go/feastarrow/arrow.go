// Package feastarrow makes records of feastremote's responses, and frames of records, for programs that have arrow-go. Values of
// responses are not copied.
//
// A module of its own, so that who does not need it does not get arrow-go.
package feastarrow

import (
	"unsafe"

	"github.com/feast-dev/feast-remote/bindings/go/feastremote"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/cdata"
)

// RecordBatch is all columns of a response, in its order, which the batch shares: it stands on its own after the response was closed,
// until its Release. Types: null, bool, int32, int64, float32, float64, large_utf8 of strings and JSON, large_binary,
// timestamp[s, UTC], and large_list of these.
func RecordBatch(response *feastremote.Response) (arrow.RecordBatch, error) {
	return recordBatch(response, false)
}

// FullRecordBatch has two more columns behind each feature: NAME__status, its field statuses as uint8, and NAME__ts, its event
// timestamps as timestamp[ns, UTC], if the server sent some.
func FullRecordBatch(response *feastremote.Response) (arrow.RecordBatch, error) {
	return recordBatch(response, true)
}

func recordBatch(response *feastremote.Response, full bool) (arrow.RecordBatch, error) {
	var (
		array  cdata.CArrowArray
		schema cdata.CArrowSchema
	)
	if err := response.ExportArrow(unsafe.Pointer(&array), unsafe.Pointer(&schema), full); err != nil {
		return nil, err
	}
	return cdata.ImportCRecordBatch(&array, &schema)
}

// Frame copies a record's rows into a frame to be written: integers of each size, floats, booleans, UTF-8, timestamps, lists of
// these, and nulls. Other types are an error, dictionaries and bytes among them.
func Frame(batch arrow.RecordBatch) (*feastremote.Frame, error) {
	var (
		array  cdata.CArrowArray
		schema cdata.CArrowSchema
	)
	cdata.ExportArrowRecordBatch(batch, &array, &schema)
	frame, err := feastremote.ImportArrow(unsafe.Pointer(&array), unsafe.Pointer(&schema))
	if err != nil {
		cdata.ReleaseCArrowArray(&array)
		cdata.ReleaseCArrowSchema(&schema)
	}
	return frame, err
}

// Package feastremote fetches online features from a remote Feast feature server (`feast serve`), writes rows to it and searches
// its documents. It is libfeast_remote, a C library with libcurl and a TLS library inside, which the module carries: a pool of
// warm connections, one deadline a call, retries, tokens, several servers, merged calls.
//
//	remote, err := feastremote.Open(feastremote.Config{"path": "http://localhost:6566"})
//	request, err := feastremote.NewRequest("driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips")
//	err = request.SetInt64("driver_id", []int64{1001, 1002})
//	response, err := remote.GetOnlineFeatures(ctx, request)
//	trips, err := response.GetInt64("avg_daily_trips")
//
// # Contexts
//
// A context's deadline becomes the call's, in place of the store's request_timeout_ms; the end of a context cancels the call.
// The error of a call that its context has ended is both: errors.Is finds context.DeadlineExceeded or context.Canceled, the
// context's cause, and the [Status]; errors.As finds the [*Error], which says what was tried, against which server.
//
// # Memory
//
// What methods return is a copy and stays, unless they are named view: [View], [ViewLists] and [Response.ViewTexts] give the
// library's own memory, until the response is closed. Stores, requests, responses and frames that are not closed are freed when
// the garbage collector finds that nobody has them any more; closing them is sooner.
//
// # Threads
//
// No thread is held while a call is under way: calls are handed to the library, and their callers wait as goroutines do. Only
// where a context can never end, such as context.Background(), and few such calls are under way, the goroutine's own thread
// makes the call, which takes a third of the time; [Remote.GetOnlineFeaturesBlocking] always does.
//
// # Linking
//
// On Linux on amd64 and arm64 the static library is in the module; with the build tag musl it is the one for musl (Alpine). The
// build tag feast_remote_system links the machine's library instead, which pkg-config finds: PKG_CONFIG_PATH names the folder of
// feast_remote.pc, if it is not in a usual place. There the program needs libfeast_remote.so when it runs: in a folder that
// ldconfig knows, in LD_LIBRARY_PATH, or by CGO_LDFLAGS=-Wl,-rpath,FOLDER when it is built.
package feastremote

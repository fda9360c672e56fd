package feastremote

/*
#include "bridge.h"

extern void feastremote_log(int32_t level, char *message, void *none);

static inline void set_log(int32_t level) {
  feast_set_log_callback(level == 0 ? NULL : (feast_log_callback_t)feastremote_log, NULL, level);
}
*/
import "C"

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"unsafe"
)

var (
	logging sync.Mutex
	logger  atomic.Pointer[slog.Logger]
)

// SetLogger has the library's messages go to a logger, all stores' of the process: as slog.LevelWarn what works otherwise than
// probably wanted, as slog.LevelInfo what is part of normal life. They hold no secret. nil: none, as at first. The logger's
// handler is called by several goroutines at once, and must not call this package.
func SetLogger(to *slog.Logger) {
	logging.Lock()
	defer logging.Unlock()
	logger.Store(to)
	switch {
	case to == nil:
		C.set_log(0)
	case to.Enabled(context.Background(), slog.LevelInfo):
		C.set_log(C.FEAST_LOG_INFO)
	default:
		C.set_log(C.FEAST_LOG_WARNING)
	}
}

//export feastremote_log
func feastremote_log(level C.int32_t, message *C.char, _ unsafe.Pointer) {
	to := logger.Load()
	if to == nil {
		return
	}
	severity := slog.LevelInfo
	if level == C.FEAST_LOG_WARNING {
		severity = slog.LevelWarn
	}
	to.Log(context.Background(), severity, C.GoString(message))
}

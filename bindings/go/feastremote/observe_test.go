package feastremote

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestFiguresAndTimes(t *testing.T) {
	remote, request := serve(t, false), question(t)
	response, err := remote.GetOnlineFeatures(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Close()
	timing := response.Timing()
	phases := timing.MergeWait + timing.Retries + timing.Queue + timing.Connect + timing.TLS + timing.FirstByte + timing.Transfer + timing.Decode
	if timing.Total <= 0 || timing.Total < phases/2 || timing.Rows != 2 || timing.Attempts != 1 || !timing.NewConnection ||
		timing.Server != response.Server() || !strings.HasPrefix(timing.Server, "http://127.0.0.1:") {
		t.Errorf("%+v", timing)
	}
	text, err := Prometheus(map[string]*Remote{"mine": remote, "other": serve(t, false)})
	for _, line := range []string{`feast_remote_calls_total{store="mine",outcome="success"} 1`, `feast_remote_calls_total{store="other",outcome="success"} 0`} {
		if err != nil || !strings.Contains(string(text), line) {
			t.Errorf("%s %v", text, err)
		}
	}
	if _, err := Prometheus(nil); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	var figures struct{ Calls any }
	stats, err := remote.StatsJSON()
	if json.Unmarshal(stats, &figures) != nil || err != nil || figures.Calls == nil {
		t.Error(string(stats), err)
	}
	if err := remote.WarmUp(t.Context(), 0); !errors.Is(err, InvalidArgument) {
		t.Error(err)
	}
	if err := remote.WarmUp(t.Context(), 2); err != nil {
		t.Error(err)
	}
	if !strings.Contains(Version(), "libcurl/") {
		t.Error(Version())
	}
}

// written is what a logger has written.
type written struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (w *written) Write(text []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.text.Write(text)
}

func TestMessagesGoToALogger(t *testing.T) {
	yaml := filepath.Join(t.TempDir(), "feature_store.yaml")
	if err := os.WriteFile(yaml, []byte("online_store:\n  type: remote\n  path: http://127.0.0.1:1\n  no_such_key: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() {
		remote, err := OpenYAML(yaml, nil)
		if err != nil {
			t.Fatal(err)
		}
		remote.Close()
	}
	var log written
	SetLogger(slog.New(slog.NewTextHandler(&log, nil)))
	open()
	SetLogger(nil)
	text := log.text.String()
	if !strings.Contains(text, "level=WARN") || !strings.Contains(text, "no_such_key") {
		t.Error(text)
	}
	open()
	if log.text.String() != text {
		t.Error("messages without a logger:", log.text.String())
	}
}

// A load client with the line protocol of benches/feast_remote_client.c, over this package or over what one would write
// by hand, net/http and encoding/json; both decode every answer.
//
//	bench feast_remote|feast_remote_uncancellable|net_http BASE_URL ROWS FEATURES REQUESTS GOROUTINES
//
// feast_remote's context can be cancelled, as that of an HTTP handler; the other one's cannot.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/feast-dev/feast-remote/bindings/go/feastremote"
)

func main() {
	if len(os.Args) != 7 {
		fmt.Fprintln(os.Stderr, "usage: bench feast_remote|feast_remote_uncancellable|net_http BASE_URL ROWS FEATURES REQUESTS GOROUTINES")
		os.Exit(2)
	}
	var numbers [4]int
	for i := range numbers {
		numbers[i], _ = strconv.Atoi(os.Args[3+i])
	}
	rows, features, total, goroutines := numbers[0], numbers[1], numbers[2], numbers[3]
	names := make([]string, features)
	for i := range names {
		names[i] = fmt.Sprintf("stats:feature_%03d", i)
	}
	ids := make([]int64, rows)
	for i := range ids {
		ids[i] = int64(1000 + i)
	}
	var one func() error
	switch os.Args[1] {
	case "feast_remote":
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		one = overFeastRemote(ctx, os.Args[2], names, ids)
	case "feast_remote_uncancellable":
		one = overFeastRemote(context.Background(), os.Args[2], names, ids)
	default:
		one = overNetHTTP(os.Args[2], names, ids, goroutines)
	}
	for range 50 {
		if err := one(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	measure("go-"+os.Args[1], one, total/goroutines, goroutines)
}

func overFeastRemote(ctx context.Context, url string, names []string, ids []int64) func() error {
	remote, err := feastremote.Open(feastremote.Config{"path": url, "connection_pool_size": "64"})
	check(err)
	request, err := feastremote.NewRequest(names...)
	check(err)
	check(request.SetInt64("driver_id", ids))
	return func() error {
		response, err := remote.GetOnlineFeatures(ctx, request)
		if err == nil {
			response.Close()
		}
		return err
	}
}

type answer struct {
	Results []struct {
		Values          []any    `json:"values"`
		Statuses        []string `json:"statuses"`
		EventTimestamps []string `json:"event_timestamps"`
	} `json:"results"`
	Metadata struct {
		FeatureNames []string `json:"feature_names"`
	} `json:"metadata"`
}

func overNetHTTP(url string, names []string, ids []int64, goroutines int) func() error {
	body, err := json.Marshal(map[string]any{"features": names, "entities": map[string]any{"driver_id": ids}})
	check(err)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: goroutines, MaxConnsPerHost: goroutines}}
	return func() error {
		response, err := client.Post(url+"/get-online-features", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		var decoded answer
		return json.Unmarshal(text, &decoded)
	}
}

func measure(name string, one func() error, each, goroutines int) {
	latencies := make([]time.Duration, each*goroutines)
	errors := make([]int, goroutines)
	var group sync.WaitGroup
	start, cpuStart := time.Now(), cpu()
	for g := range goroutines {
		group.Go(func() {
			for i := range each {
				called := time.Now()
				if one() != nil {
					errors[g]++
				}
				latencies[g*each+i] = time.Since(called)
			}
		})
	}
	group.Wait()
	seconds, cpuUsed := time.Since(start).Seconds(), cpu()-cpuStart
	slices.Sort(latencies)
	failed := 0
	for _, count := range errors {
		failed += count
	}
	n := len(latencies)
	fmt.Printf("%s conc=%d n=%d rps=%.0f p50=%dus p99=%dus max=%dus cpu/req=%.1fus errors=%d\n", name, goroutines, n,
		float64(n)/seconds, latencies[n/2].Microseconds(), latencies[n*99/100].Microseconds(),
		latencies[n-1].Microseconds(), float64(cpuUsed.Nanoseconds())/1e3/float64(n), failed)
}

func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

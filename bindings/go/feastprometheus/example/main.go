// Asks a feature server ten times a second, and serves what there is to see of it on /metrics. Prints its port.
//
//	example http://localhost:6566
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/feast-dev/feast-remote/bindings/go/feastprometheus"
	"github.com/feast-dev/feast-remote/bindings/go/feastremote"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	remote, err := feastremote.Open(feastremote.Config{"path": os.Args[1]})
	if err != nil {
		log.Fatal(err)
	}
	defer remote.Close()
	prometheus.MustRegister(feastprometheus.NewCollector(map[string]*feastremote.Remote{"drivers": remote}))
	go ask(remote)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Handle("/metrics", promhttp.Handler())
	log.Fatal(http.Serve(listener, nil))
}

func ask(remote *feastremote.Remote) {
	request, err := feastremote.NewRequest("driver_hourly_stats:conv_rate")
	if err == nil {
		err = request.SetInt64("driver_id", []int64{1001})
	}
	if err != nil {
		log.Fatal(err)
	}
	for ; ; time.Sleep(100 * time.Millisecond) {
		response, err := remote.GetOnlineFeatures(context.Background(), request)
		if err != nil {
			log.Print(err)
			continue
		}
		response.Close()
	}
}

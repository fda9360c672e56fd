// An HTTP service that answers from online features. Prints its address.
//
//	service http://localhost:6566 127.0.0.1:8080
//
//	GET /drivers/1001  a driver's features
//	GET /ready         whether there are connections to the feature server: for a readiness probe
//	GET /metrics       the store's figures, for Prometheus
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/feast-dev/feast-remote/bindings/go/feastremote"
)

// driver is what the service answers.
type driver struct {
	ID     int64                   `feast:"driver_id" json:"driver_id"`
	Rate   *float64                `feast:"conv_rate" json:"conv_rate"`
	Trips  *int64                  `feast:"avg_daily_trips" json:"avg_daily_trips"`
	Status feastremote.FieldStatus `feast:"conv_rate,status" json:"-"`
}

type service struct {
	remote   *feastremote.Remote
	template *feastremote.Request // a copy for each call
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: service FEATURE_SERVER_URL ADDRESS")
	}
	feastremote.SetLogger(slog.Default())
	remote, err := feastremote.Open(feastremote.Config{"path": os.Args[1]})
	if err != nil {
		log.Fatal(err)
	}
	defer remote.Close()
	template, err := feastremote.NewRequest("driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips")
	if err != nil {
		log.Fatal(err)
	}
	s := service{remote, template}
	http.HandleFunc("GET /drivers/{id}", s.driver)
	http.HandleFunc("GET /ready", s.ready)
	http.HandleFunc("GET /metrics", s.metrics)

	listener, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.WriteString(listener.Addr().String() + "\n")
	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := http.Server{}
	go func() {
		<-ended.Done()
		_ = server.Shutdown(context.Background())
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Print(err)
	}
}

func (s service) driver(writer http.ResponseWriter, request *http.Request) {
	id, err := strconv.ParseInt(request.PathValue("id"), 10, 64)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	// The call ends when the client goes away, and after 100 ms.
	ctx, cancel := context.WithTimeout(request.Context(), 100*time.Millisecond)
	defer cancel()
	found, err := s.fetch(ctx, id)
	switch {
	case err != nil:
		slog.Error("features", "driver", id, "error", err)
		http.Error(writer, err.Error(), status(err))
	case found.Status == feastremote.RowNotFound:
		http.Error(writer, "no such driver", http.StatusNotFound)
	default:
		writer.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(writer).Encode(found)
	}
}

func (s service) fetch(ctx context.Context, id int64) (driver, error) {
	question := s.template.Clone()
	if err := question.SetInt64("driver_id", []int64{id}); err != nil {
		return driver{}, err
	}
	response, err := s.remote.GetOnlineFeatures(ctx, question)
	if err != nil {
		return driver{}, err
	}
	defer response.Close()
	var drivers []driver
	if err := response.Scan(&drivers); err != nil {
		return driver{}, err
	}
	return drivers[0], nil
}

// status is what the service's client is told of a failure.
func status(err error) int {
	var failure *feastremote.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.As(err, &failure) && failure.Retriable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadGateway
	}
}

func (s service) ready(writer http.ResponseWriter, request *http.Request) {
	ctx, cancel := context.WithTimeout(request.Context(), time.Second)
	defer cancel()
	if err := s.remote.WarmUp(ctx, 4); err != nil {
		http.Error(writer, err.Error(), http.StatusServiceUnavailable)
	}
}

func (s service) metrics(writer http.ResponseWriter, _ *http.Request) {
	text, err := feastremote.Prometheus(map[string]*feastremote.Remote{"drivers": s.remote})
	if err != nil {
		http.Error(writer, err.Error(), http.StatusInternalServerError)
		return
	}
	writer.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = writer.Write(text)
}

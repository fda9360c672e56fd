// Prints features of three drivers and shows how calls end early:
//
//	go run -tags feast_remote_system . http://localhost:6566
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/feast-dev/feast-remote/bindings/go/feastremote"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . URL")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// driver is a row of the answer.
type driver struct {
	ID     int64                   `feast:"driver_id"`
	Rate   *float64                `feast:"conv_rate"`
	Trips  *int64                  `feast:"avg_daily_trips"`
	Status feastremote.FieldStatus `feast:"avg_daily_trips,status"`
}

func run(url string) error {
	remote, err := feastremote.Open(feastremote.Config{"path": url})
	if err != nil {
		return err
	}
	defer remote.Close()
	request, err := feastremote.NewRequest("driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips")
	if err != nil {
		return err
	}
	if err := request.SetInt64("driver_id", []int64{1001, 1002, 9999}); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	response, err := remote.GetOnlineFeatures(ctx, request)
	if err != nil {
		return err
	}
	defer response.Close()
	for driver, err := range feastremote.Rows[driver](response) {
		switch {
		case err != nil:
			return err
		case driver.Status == feastremote.RowNotFound:
			fmt.Println(driver.ID, "is not known")
		case driver.Rate == nil || driver.Trips == nil:
			fmt.Println(driver.ID, "has no values")
		default:
			fmt.Println(driver.ID, *driver.Rate, *driver.Trips)
		}
	}

	// Many at once, without a goroutine for each.
	calls := make([]*feastremote.Call, 20)
	for i := range calls {
		if calls[i], err = remote.Start(ctx, request); err != nil {
			return err
		}
	}
	rows := 0
	for _, call := range calls {
		answer, err := call.Result()
		if err != nil {
			return err
		}
		rows += answer.NumRows()
		answer.Close()
	}
	fmt.Println(rows, "rows from", len(calls), "calls at once")

	unknown, err := feastremote.NewRequest("no_such_view:feature")
	if err != nil {
		return err
	}
	if err := unknown.SetInt64("driver_id", []int64{1001}); err != nil {
		return err
	}
	_, err = remote.GetOnlineFeatures(ctx, unknown)
	var failure *feastremote.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Status, failure.FeastClass)
	}
	return nil
}

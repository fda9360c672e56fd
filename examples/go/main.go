// Prints features of two drivers and shows how calls end early:
//
//	go run . http://localhost:6566
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
	drivers, err := response.GetInt64("driver_id")
	if err != nil {
		return err
	}
	rates, err := response.GetFloat64("conv_rate")
	if err != nil {
		return err
	}
	trips, err := response.GetInt64("avg_daily_trips")
	if err != nil {
		return err
	}
	column := response.Column("avg_daily_trips")
	for row, driver := range drivers {
		if response.Statuses(column)[row] == feastremote.RowNotFound {
			fmt.Println(driver, "is not known")
			continue
		}
		if response.IsNull(response.Column("conv_rate"), row) || response.IsNull(column, row) {
			fmt.Println(driver, "has no values")
			continue
		}
		fmt.Println(driver, rates[row], trips[row])
	}

	// Many at once, without a goroutine for each.
	calls := make([]*feastremote.Call, 20)
	for i := range calls {
		if calls[i], err = remote.Start(request); err != nil {
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

// Package feastprometheus shows the figures of feastremote's stores in a program that has client_golang: registered once, they stand
// among its own.
//
//	registry.MustRegister(feastprometheus.NewCollector(map[string]*feastremote.Remote{"drivers": remote}))
//
// A module of its own, so that who does not need it does not get client_golang.
package feastprometheus

import (
	"bytes"

	"github.com/feast-dev/feast-remote/bindings/go/feastremote"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

type collector struct {
	stores map[string]*feastremote.Remote
}

// NewCollector makes a collector of these stores, by their names: each is the label store of its series. They must stay open as
// long as it is registered.
func NewCollector(stores map[string]*feastremote.Remote) prometheus.Collector {
	return collector{stores}
}

// Describe tells nothing: a newer library may have families that nobody knows yet.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the figures.
func (c collector) Collect(out chan<- prometheus.Metric) {
	text, err := feastremote.Prometheus(c.stores)
	if err != nil {
		out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		return
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
	}
	for name, family := range families {
		for _, series := range family.Metric {
			labels := make([]string, len(series.Label))
			for i, label := range series.Label {
				labels[i] = label.GetName()
			}
			out <- metric{prometheus.NewDesc(name, family.GetHelp(), labels, nil), series}
		}
	}
}

// metric is one series as the text had it.
type metric struct {
	desc   *prometheus.Desc
	series *dto.Metric
}

func (m metric) Desc() *prometheus.Desc { return m.desc }

func (m metric) Write(out *dto.Metric) error {
	out.Label, out.Counter, out.Gauge, out.Histogram = m.series.Label, m.series.Counter, m.series.Gauge, m.series.Histogram
	return nil
}

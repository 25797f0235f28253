package prometheus

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kivisdb/kivis"
)

// stat is one number of kivis.Stats.
type stat struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(kivis.Stats) float64
}

func newStat(name, help string, kind prometheus.ValueType, of func(kivis.Stats) float64) stat {
	return stat{prometheus.NewDesc(name, help, []string{"db"}, nil), kind, of}
}

var stats = []stat{
	newStat("kivis_commits_total", "Write transactions committed.", prometheus.CounterValue,
		func(s kivis.Stats) float64 { return float64(s.Commits) }),
	newStat("kivis_conflicts_total", "Commits refused because of a conflict.", prometheus.CounterValue,
		func(s kivis.Stats) float64 { return float64(s.Conflicts) }),
	newStat("kivis_retries_total", "Attempts made again after a conflict.", prometheus.CounterValue,
		func(s kivis.Stats) float64 { return float64(s.Retries) }),
	newStat("kivis_full_scans_total", "Queries that read a whole table for want of an index.", prometheus.CounterValue,
		func(s kivis.Stats) float64 { return float64(s.FullScans) }),
	newStat("kivis_failed_builds", "Index builds in the background that have failed.", prometheus.GaugeValue,
		func(s kivis.Stats) float64 { return float64(s.FailedBuilds) }),
	newStat("kivis_open_transactions", "Transactions and iterators open now.", prometheus.GaugeValue,
		func(s kivis.Stats) float64 { return float64(s.OpenTx) }),
	newStat("kivis_oldest_snapshot_seconds", "Age of the oldest snapshot that is open.", prometheus.GaugeValue,
		func(s kivis.Stats) float64 { return s.OldestSnapshot.Seconds() }),
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.seconds.Describe(out)
	m.rows.Describe(out)
	m.entries.Describe(out)
	for _, s := range stats {
		out <- s.desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.seconds.Collect(out)
	m.rows.Collect(out)
	m.entries.Collect(out)
	m.mu.Lock()
	dbs := maps.Clone(m.dbs)
	m.mu.Unlock()
	for name, db := range dbs {
		now := db.Stats()
		for _, s := range stats {
			out <- prometheus.MustNewConstMetric(s.desc, s.kind, s.of(now), name)
		}
	}
}

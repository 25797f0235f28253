package main

import (
	"runtime"
	"time"
)

// Measure is what a workload cost a contender once.
type Measure struct {
	Ops          int           `json:"ops,omitempty"`
	Wall         time.Duration `json:"wall_ns,omitempty"` // of all Ops together, like the rest
	CPU          time.Duration `json:"cpu_ns,omitempty"`  // of the whole process, background work included
	Allocs       uint64        `json:"allocs,omitempty"`  // by Go alone
	Bytes        uint64        `json:"bytes,omitempty"`
	Instructions uint64        `json:"instructions,omitempty"` // in user mode; 0 where the machine does not count them

	// Value is the result of a workload that measures something else than
	// operations: a size in bytes, or a factor.
	Value float64 `json:"value,omitempty"`
}

// per returns x, a sum over all operations, for one.
func (m *Measure) per(x float64) float64 {
	if m.Ops == 0 {
		return 0
	}
	return x / float64(m.Ops)
}

// A meter adds up what happens between its starts and stops.
type meter struct {
	Measure
	counters *counters
	began    Measure
	at       time.Time
}

// newMeter returns a meter that has been stopped, after a collection, so that
// nobody pays for the garbage of another.
func newMeter() *meter {
	runtime.GC()
	return &meter{counters: openCounters()}
}

// start begins to measure.
func (m *meter) start() {
	m.began = m.now()
	m.at = time.Now()
}

// stop ends that, and takes it as ops operations.
func (m *meter) stop(ops int) {
	m.Wall += time.Since(m.at)
	end := m.now()
	m.Ops += ops
	m.CPU += end.CPU - m.began.CPU
	m.Allocs += end.Allocs - m.began.Allocs
	m.Bytes += end.Bytes - m.began.Bytes
	m.Instructions += end.Instructions - m.began.Instructions
}

// result returns the sums and lets the counters go.
func (m *meter) result() Measure {
	m.counters.close()
	return m.Measure
}

// now returns what the process has used since it began.
func (m *meter) now() Measure {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return Measure{
		CPU:          cpuTime(),
		Allocs:       mem.Mallocs,
		Bytes:        mem.TotalAlloc,
		Instructions: m.counters.read(),
	}
}

package main

import "slices"

// Spread is the middle of several values and how far they lie apart: half of
// them are between Low and High.
type Spread struct {
	Median, Low, High float64
	N                 int
}

// spreadOf returns the spread of values; N is 0 where there are none.
func spreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	return Spread{quantile(v, 0.5), quantile(v, 0.25), quantile(v, 0.75), len(v)}
}

// quantile returns the value at the share q of sorted values, between the two
// nearest ones where it falls between them.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Cell addresses the samples of a contender at a workload.
type Cell struct {
	Records             int
	Contender, Workload string
}

// moment addresses samples that were taken at about the same time.
type moment struct{ round, slice int }

// Stats are results by cell.
type Stats map[Cell]map[moment]Measure

// statsOf arranges results.
func statsOf(r *Results) Stats {
	st := Stats{}
	for _, s := range r.Samples {
		c := Cell{s.Records, s.Contender, s.Workload}
		if st[c] == nil {
			st[c] = map[moment]Measure{}
		}
		st[c][moment{s.Round, s.Slice}] = s.Measure
	}
	return st
}

// value returns the spread of a number of a cell's measures.
func (st Stats) value(c Cell, number func(Measure) float64) Spread {
	var values []float64
	for _, m := range st[c] {
		values = append(values, number(m))
	}
	return spreadOf(values)
}

// ratio returns the spread of the ratios between two cells, each between
// measures of one moment.
func (st Stats) ratio(c, base Cell, number func(Measure) float64) Spread {
	var values []float64
	for at, m := range st[c] {
		if b, ok := st[base][at]; ok && number(b) > 0 && number(m) > 0 {
			values = append(values, number(m)/number(b))
		}
	}
	return spreadOf(values)
}

// The numbers of a measure.
func cpuPerOp(m Measure) float64    { return m.per(float64(m.CPU)) }
func allocsPerOp(m Measure) float64 { return m.per(float64(m.Allocs)) }
func instrPerOp(m Measure) float64  { return m.per(float64(m.Instructions)) }

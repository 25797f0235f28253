package main

import (
	"fmt"
	"slices"
	"time"
)

// aged is what a scan and a count cost after a table was overwritten many
// times, as a multiple of what they cost before.
type aged struct{ scan, count float64 }

// agedRecords is how many records that table has, unless the other has fewer.
const agedRecords = 10_000

func runAgedScan(s *session) (Measure, error) {
	if err := s.age(); err != nil {
		return Measure{}, err
	}
	return Measure{Value: s.aged.scan}, nil
}

func runAgedCount(s *session) (Measure, error) {
	if err := s.age(); err != nil {
		return Measure{}, err
	}
	return Measure{Value: s.aged.count}, nil
}

// age does it, once in a session.
func (s *session) age() error {
	if s.aged != nil {
		return nil
	}
	return s.scratch("aged", false, func(db Contender) error {
		n := min(agedRecords, s.Records)
		for first := 1; first <= n; first += blockSize {
			if err := db.InsertMany(s.data.Block(uint64(first), min(blockSize, n-first+1))); err != nil {
				return err
			}
		}
		scan, count, err := s.look(db)
		if err != nil {
			return err
		}
		if err := s.overwrite(db, n); err != nil {
			return err
		}
		time.Sleep(s.Idle)
		scanNow, countNow, err := s.look(db)
		s.aged = &aged{ratio(scanNow, scan), ratio(countNow, count)}
		return err
	})
}

// overwrite changes records of the n in db at random.
func (s *session) overwrite(db Contender, n int) error {
	rng := s.rand("overwrite")
	texts := bios(rng)
	for i, end := 0, time.Now().Add(s.LoadCap); i < s.Overwrites; i++ {
		if err := db.SetBio(1+rng.Uint64N(uint64(n)), texts[rng.IntN(len(texts))]); err != nil {
			return err
		}
		if i%1000 == 0 && time.Now().After(end) {
			return fmt.Errorf("%d overwrites took longer than %v", i, s.LoadCap)
		}
	}
	return nil
}

// look returns the medians of how long a scan and a count take.
func (s *session) look(db Contender) (scan, count time.Duration, err error) {
	var got sum
	scan, err = middle(func() error { return db.Named(s.data.names[0], got.visit) })
	if err != nil {
		return 0, 0, err
	}
	count, err = middle(func() error {
		_, err := db.CountAges(1, 1+ages/10)
		return err
	})
	return scan, count, err
}

// middle returns the median time of a few calls.
func middle(fn func() error) (time.Duration, error) {
	const calls = 9
	times := make([]time.Duration, calls)
	for i := range times {
		began := time.Now()
		if err := fn(); err != nil {
			return 0, err
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times[calls/2], nil
}

// ratio returns a / b.
func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

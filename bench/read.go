package main

import (
	"fmt"
	"math/rand/v2"
)

// runGet measures gets of random records by some threads.
func runGet(threads int) func(*session) (Measure, error) {
	return func(s *session) (Measure, error) {
		rngs := make([]*rand.Rand, threads)
		for i := range rngs {
			rngs[i] = s.rand(fmt.Sprint("get", i))
		}
		get := func(thread, _ int) error {
			_, err := s.db.Get(s.id(rngs[thread]))
			return err
		}
		if threads == 1 {
			return s.warmed(maxOps, func(i int) error { return get(0, i) })
		}
		return s.together(threads, maxOps, get)
	}
}

// samples is how many arguments are made for operations that draw from them.
const samples = 1 << 14

// runEmail measures gets by the unique field.
func runEmail(s *session) (Measure, error) {
	rng := s.rand("email")
	emails := make([]string, samples)
	for i := range emails {
		emails[i] = s.data.Email(s.id(rng))
	}
	return s.warmed(maxOps, func(i int) error {
		_, err := s.db.ByEmail(emails[i%samples])
		return err
	})
}

// sum is what visits add up, so that nobody can leave them out.
type sum struct{ records, bytes int }

func (s *sum) visit(r Record) {
	s.records++
	s.bytes += r.Age + len(r.Bio)
}

// runCity measures reads of the records with a value of an index.
func runCity(s *session) (Measure, error) {
	rng := s.rand("city")
	var got sum
	return s.warmed(maxOps, func(int) error {
		return s.db.ByCity(s.data.cities[rng.IntN(len(s.data.cities))], got.visit)
	})
}

// rangeLimit is how many records an ordered range has.
const rangeLimit = 100

// runRange measures ordered ranges of an index.
func runRange(s *session) (Measure, error) {
	rng := s.rand("range")
	var got sum
	return s.warmed(maxOps, func(int) error {
		return s.db.FromAge(1+rng.IntN(ages-10), rangeLimit, got.visit)
	})
}

// runFilter measures scans that keep one record in a hundred.
func runFilter(s *session) (Measure, error) {
	rng := s.rand("filter")
	var got sum
	return s.warmed(maxOps, func(int) error {
		return s.db.Named(s.data.names[rng.IntN(names)], got.visit)
	})
}

// runFunc measures the same scans with a function for the condition.
func runFunc(s *session) (Measure, error) {
	rng := s.rand("filter")
	var got sum
	return s.warmed(maxOps, func(int) error {
		name := s.data.names[rng.IntN(names)]
		return s.db.Filter(func(r *Record) bool { return r.Name == name }, got.visit)
	})
}

// runAll measures scans of everything.
func runAll(s *session) (Measure, error) {
	var got sum
	return s.warmed(maxOps, func(int) error { return s.db.All(got.visit) })
}

// runCount measures counts of a tenth of the table.
func runCount(s *session) (Measure, error) {
	rng := s.rand("count")
	return s.warmed(maxOps, func(int) error {
		lo := 1 + rng.IntN(ages*9/10)
		_, err := s.db.CountAges(lo, lo+ages/10)
		return err
	})
}

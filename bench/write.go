package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// restless is how long a session that has written may take to become quiet.
const restless = 2 * time.Second

// runSetAge measures updates of an indexed field.
func runSetAge(s *session) (Measure, error) {
	defer s.settle(restless)
	rng := s.rand("age")
	return s.repeat(maxOps, func(int) error { return s.db.SetAge(s.id(rng), 1+rng.IntN(ages)) })
}

// bios returns texts for updates.
func bios(rng *rand.Rand) []string {
	texts := make([]string, 256)
	for i := range texts {
		texts[i] = bio(rng)
	}
	return texts
}

// runSetBio measures updates of a field that no index has.
func runSetBio(s *session) (Measure, error) {
	defer s.settle(restless)
	rng := s.rand("bio")
	texts := bios(rng)
	return s.repeat(maxOps, func(int) error { return s.db.SetBio(s.id(rng), texts[rng.IntN(len(texts))]) })
}

// growth is how many records one measurement adds at most: it should not make
// another table of this one.
func (s *session) growth() int { return min(max(s.Records/10, 100), 20_000) }

// fresh returns new records for the table, which it takes as added.
func (s *session) fresh(n int) []Record {
	rs := s.data.Block(s.next, n)
	s.next += uint64(n)
	return rs
}

// added notes that the first n of rs have been added.
func (s *session) added(rs []Record, n int) {
	for i := range n {
		s.extras = append(s.extras, rs[i].ID)
	}
}

// runInsert measures inserts by some threads.
func runInsert(threads int) func(*session) (Measure, error) {
	return func(s *session) (Measure, error) {
		defer s.settle(restless)
		rs := s.fresh(s.growth())
		m, err := s.inserts(s.db, threads, rs)
		s.added(rs, m.Ops)
		return m, err
	}
}

// inserts measures inserts of records into a database.
func (s *session) inserts(db Contender, threads int, rs []Record) (Measure, error) {
	if threads == 1 {
		return s.repeat(len(rs), func(i int) error { return db.Insert(&rs[i]) })
	}
	return s.together(threads, len(rs), func(_, i int) error { return db.Insert(&rs[i]) })
}

// durableRecords are in the table before runDurable begins.
const durableRecords = 1000

// runDurable measures inserts that wait for the disk, in a table of its own.
func runDurable(threads int) func(*session) (Measure, error) {
	return func(s *session) (m Measure, err error) {
		if s.entry.Field != onDisk {
			return m, errSkip
		}
		err = s.scratch(fmt.Sprint("durable-", threads), true, func(db Contender) error {
			if err := db.InsertMany(s.data.Block(1, durableRecords)); err != nil {
				return err
			}
			m, err = s.inserts(db, threads, s.data.Block(durableRecords+1, 10_000))
			return err
		})
		return m, err
	}
}

// runDelete measures deletes of records that were added for this.
func runDelete(s *session) (Measure, error) {
	defer s.settle(restless)
	if err := s.grow(); err != nil {
		return Measure{}, err
	}
	rng := s.rand("delete")
	rng.Shuffle(len(s.extras), func(i, j int) { s.extras[i], s.extras[j] = s.extras[j], s.extras[i] })
	n := min(len(s.extras), s.growth())
	m, err := s.repeat(n, func(i int) error { return s.db.Delete(s.extras[i]) })
	s.extras = s.extras[m.Ops:]
	return m, err
}

// grow adds records until there are enough to delete, or it takes too long.
func (s *session) grow() error {
	for end := time.Now().Add(2 * s.Budget); len(s.extras) < s.growth(); {
		rs := s.fresh(min(blockSize, s.growth()-len(s.extras)))
		if err := s.db.InsertMany(rs); err != nil {
			return err
		}
		s.added(rs, len(rs))
		if time.Now().After(end) {
			break
		}
	}
	s.settle(restless)
	return nil
}

// snapEvery is after how many writes somebody takes another snapshot.
const snapEvery = 4

// amid calls op while snapshots are taken and held, by the contender that is
// the limit without any.
func (s *session) amid(op func(i int) error) (func(i int) error, func(), error) {
	snap, ok := s.db.(snapshotter)
	release := func() {}
	switch {
	case s.entry.Field != inRAM, !ok && s.entry.Name != s.entry.Field.Baseline:
		return nil, release, errSkip
	case !ok:
		return op, release, nil
	}
	return func(i int) (err error) {
		if i%snapEvery == 0 {
			release()
			if release, err = snap.Snapshot(); err != nil {
				release = func() {}
				return err
			}
		}
		return op(i)
	}, func() { release() }, nil
}

// runInsertSnap measures inserts while snapshots are taken.
func runInsertSnap(s *session) (Measure, error) {
	rs := s.fresh(s.growth())
	op, done, err := s.amid(func(i int) error { return s.db.Insert(&rs[i]) })
	if err != nil {
		return Measure{}, err
	}
	defer done()
	m, err := s.repeat(len(rs), op)
	s.added(rs, m.Ops)
	return m, err
}

// runUpdateSnap measures updates of an indexed field while snapshots are taken.
func runUpdateSnap(s *session) (Measure, error) {
	rng := s.rand("age")
	op, done, err := s.amid(func(int) error { return s.db.SetAge(s.id(rng), 1+rng.IntN(ages)) })
	if err != nil {
		return Measure{}, err
	}
	defer done()
	return s.repeat(maxOps, op)
}

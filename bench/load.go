package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// blockSize is how many records one transaction of a load has.
const blockSize = 1000

// maxOps bounds the operations of one measurement.
const maxOps = 1 << 20

// runBulk loads the table.
func runBulk(s *session) (Measure, error) {
	forgetPeak()
	var err error
	if s.db, err = s.open(mainFolder, false); err != nil {
		return Measure{}, err
	}
	m := newMeter()
	err = s.blocks(m, s.db.InsertMany)
	s.settle(10 * time.Second)
	return m.result(), err
}

// blocks gives all records to insert, block by block, and measures that.
func (s *session) blocks(m *meter, insert func([]Record) error) error {
	for first := 1; first <= s.Records; first += blockSize {
		rs := s.data.Block(uint64(first), min(blockSize, s.Records-first+1))
		m.start()
		err := insert(rs)
		m.stop(len(rs))
		if err != nil {
			return err
		}
		if m.Wall > s.LoadCap {
			return fmt.Errorf("%d records took longer than %v", m.Ops, s.LoadCap)
		}
	}
	return nil
}

// runImport loads all records into another database, in the contender's own
// way if it has one.
func runImport(s *session) (m Measure, err error) {
	err = s.scratch("import", false, func(db Contender) error {
		meter := newMeter()
		if imp, ok := db.(importer); ok {
			err = s.imported(meter, imp)
		} else {
			err = s.blocks(meter, db.InsertMany)
		}
		m = meter.result()
		return err
	})
	s.settle(5 * time.Second)
	return m, err
}

// imported measures Import but for the making of the records.
func (s *session) imported(m *meter, imp importer) error {
	first := 1
	next := func() []Record {
		m.stop(0)
		defer m.start()
		n := min(blockSize, s.Records-first+1)
		if n <= 0 {
			return nil
		}
		rs := s.data.Block(uint64(first), n)
		first += n
		return rs
	}
	m.start()
	err := imp.Import(next)
	m.stop(s.Records)
	return err
}

// runDisk returns how much of the disk a record takes in a closed database.
func runDisk(s *session) (Measure, error) {
	if s.entry.Field != onDisk {
		return Measure{}, errSkip
	}
	var n int64
	var err error
	closed := func() { n, err = diskUsage(filepath.Join(s.Dir, mainFolder)) }
	if err := s.reopen(closed, func() {}); err != nil {
		return Measure{}, err
	}
	return Measure{Value: float64(n) / float64(s.Records+len(s.extras))}, err
}

// opens is how often runOpen opens the database.
const opens = 3

// runOpen measures the opening of the table and one get, which shows that it
// is really open.
func runOpen(s *session) (Measure, error) {
	if s.entry.Field != onDisk {
		return Measure{}, errSkip
	}
	m := newMeter()
	for range opens {
		if err := s.reopen(m.start, func() { m.stop(1) }); err != nil {
			return Measure{}, err
		}
	}
	return m.result(), nil
}

// reopen closes the table and opens it again, and calls before and after
// around the latter and a get.
func (s *session) reopen(before, after func()) (err error) {
	err = s.db.Close()
	s.db = nil
	if err != nil {
		return err
	}
	before()
	if s.db, err = s.open(mainFolder, false); err == nil {
		_, err = s.db.Get(s.id(s.rand("open")))
	}
	after()
	return err
}

// runMemory returns the most memory that the process has had since it began to
// load.
func runMemory(s *session) (Measure, error) {
	peak := peakMemory()
	if peak == 0 {
		return Measure{}, errSkip
	}
	return Measure{Value: float64(peak)}, nil
}

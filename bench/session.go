package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Settings are what a child needs to know beside what it is asked to do.
type Settings struct {
	Contender  string
	Dir        string // an empty directory of its own
	Records    int
	Seed       uint64
	Memory     int64
	Budget     time.Duration // of one measurement
	LoadCap    time.Duration // after which a contender gives up loading
	Overwrites int           // of the workloads that let a table age
	Idle       time.Duration // how long they then do nothing
	Profile    string        // directory for profiles; "" is none
}

// session is a contender with its table, in the process that has them.
type session struct {
	Settings
	entry Entry
	data  *Data
	db    Contender // the table of Records records
	round int       // which measurement of a workload this is

	next   uint64   // id of the next record to add
	extras []uint64 // ids of the records that were added and not deleted
	aged   *aged    // what the table that was let age showed; nil before
}

// errSkip is the result of a workload that a contender has no part in.
var errSkip = errors.New("not for this contender")

func newSession(s Settings) (*session, error) {
	entry, ok := entryOf(s.Contender)
	if !ok {
		return nil, fmt.Errorf("unknown contender %q", s.Contender)
	}
	return &session{
		Settings: s,
		entry:    entry,
		data:     newData(s.Seed, s.Records),
		next:     uint64(s.Records) + 1,
	}, nil
}

// open opens a database in a folder of the session's directory.
func (s *session) open(folder string, durable bool) (Contender, error) {
	dir := filepath.Join(s.Dir, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return s.entry.Open(Config{Dir: dir, Durable: durable, Memory: s.Memory})
}

// scratch opens an empty database beside the table, has fn use it, and removes
// it.
func (s *session) scratch(folder string, durable bool, fn func(Contender) error) (err error) {
	db, err := s.open(folder, durable)
	if err != nil {
		return err
	}
	err = errors.Join(fn(db), db.Close())
	return errors.Join(err, os.RemoveAll(filepath.Join(s.Dir, folder)))
}

// mainFolder is where the table is.
const mainFolder = "table"

// close closes the table, after a last look at whether it has as many records
// as it should.
func (s *session) close() error {
	if s.db == nil {
		return nil
	}
	n, err := s.db.CountAges(0, ages+1)
	if want := s.Records + len(s.extras); err == nil && n != want {
		err = fmt.Errorf("%d records are there at the end, want %d", n, want)
	}
	db := s.db
	s.db = nil
	return errors.Join(err, db.Close())
}

// rand returns a source of numbers that are the same for every contender in
// this measurement of the workload.
func (s *session) rand(workload string) *rand.Rand {
	h := s.Seed + uint64(s.round)
	for _, c := range []byte(workload) {
		h = mix(h ^ uint64(c))
	}
	return rand.New(rand.NewPCG(s.Seed, h))
}

// id returns one of the ids that are there from the beginning.
func (s *session) id(rng *rand.Rand) uint64 { return 1 + rng.Uint64N(uint64(s.Records)) }

// repeat measures op, called with 0, 1 and so on, at most max times and, after
// the first time, only within the budget.
func (s *session) repeat(max int, op func(i int) error) (Measure, error) {
	m := newMeter()
	m.start()
	n, err := loop(m.at.Add(s.Budget), max, op)
	m.stop(n)
	return m.result(), err
}

// warmed is repeat after a tenth of the budget that is not measured, for
// operations that change nothing.
func (s *session) warmed(max int, op func(i int) error) (Measure, error) {
	if _, err := loop(time.Now().Add(s.Budget/10), max, op); err != nil {
		return Measure{}, err
	}
	return s.repeat(max, op)
}

// loop calls op until the deadline or max. It looks at the clock ever less
// often while that makes less than a millisecond.
func loop(deadline time.Time, max int, op func(i int) error) (n int, err error) {
	step := 1
	for last := time.Now(); n < max && last.Before(deadline); {
		for end := min(n+step, max); n < end; n++ {
			if err := op(n); err != nil {
				return n, err
			}
		}
		now := time.Now()
		if now.Sub(last) < time.Millisecond/2 {
			step *= 2
		}
		last = now
	}
	return n, nil
}

// together is repeat by several goroutines at once, which share the numbers.
func (s *session) together(threads, max int, op func(thread, i int) error) (Measure, error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	faults := make([]error, threads)
	counts := make([]int, threads)
	m := newMeter()
	m.start()
	deadline := m.at.Add(s.Budget)
	for t := range threads {
		wg.Go(func() {
			_, faults[t] = loop(deadline, max, func(int) error {
				i := int(next.Add(1)) - 1
				if i >= max {
					return errEnough
				}
				counts[t]++
				return op(t, i)
			})
		})
	}
	wg.Wait()
	ops := 0
	for _, n := range counts {
		ops += n
	}
	m.stop(ops)
	for _, err := range faults {
		if err != nil && !errors.Is(err, errEnough) {
			return Measure{}, err
		}
	}
	return m.result(), nil
}

// errEnough ends the loop of one goroutine of several.
var errEnough = errors.New("all done")

// settle waits until the process does nothing any more, so that what it still
// had to do does not disturb others, but at most for max.
func (s *session) settle(max time.Duration) {
	look := min(50*time.Millisecond, s.Budget/4)
	quiet := 0
	for end := time.Now().Add(max); quiet < 2 && time.Now().Before(end); {
		before := cpuTime()
		time.Sleep(look)
		quiet++
		if cpuTime()-before > look/20 {
			quiet = 0
		}
	}
}

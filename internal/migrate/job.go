package migrate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// Work is what a change of the schema does to what is stored.
type Work string

// The kinds of work.
const (
	IndexBuild Work = "build"   // fills an index
	TableDrop  Work = "drop"    // deletes what a dropped table or index has left
	Rewriting  Work = "rewrite" // writes records anew
)

// Phase is how far a job has come.
type Phase string

// The phases.
const (
	Building  Phase = "building"
	Blocked   Phase = "blocked" // stored records have the same value in a unique index
	Failed    Phase = "failed"
	Dropping  Phase = "dropping"
	Checking  Phase = "checking"
	Writing   Phase = "rewriting"
	Finishing Phase = "finishing"
)

// A Duplicate is two stored records with the same value in a unique index.
type Duplicate struct {
	Holder, Record *record.Ref // Holder has the entry
}

// A Status is a job as it is now.
type Status struct {
	Work        Work
	Table       string
	Index       string // "" for a job on a whole table
	Phase       Phase
	Done, Total int     // records or keys; Total is 0 where it is not known
	Rate        float64 // of Done, in a second
	Duplicates  []Duplicate
	Err         error
}

// A job is work that is under way, or that could not be finished.
type job struct {
	mu    sync.Mutex
	now   Status
	began time.Time
	ref   schema.IndexRef
}

// jobs are the jobs of a database. The zero value is ready.
type jobs struct {
	mu   sync.Mutex
	list []*job
}

// start adds a job, in the place of an earlier one on the same.
func (js *jobs) start(ref schema.IndexRef, s Status) *job {
	j := &job{now: s, began: time.Now(), ref: ref}
	js.mu.Lock()
	defer js.mu.Unlock()
	js.list = slices.DeleteFunc(js.list, func(o *job) bool { return o.ref == ref && o.now.Work == s.Work })
	js.list = append(js.list, j)
	return j
}

// end takes a job out, or, where it could not be finished for a reason that
// lasts, leaves it with its error.
func (js *jobs) end(ctx context.Context, j *job, err error, keep bool) {
	if err != nil && keep && ctx.Err() == nil {
		j.fail(err)
		return
	}
	js.mu.Lock()
	defer js.mu.Unlock()
	js.list = slices.DeleteFunc(js.list, func(o *job) bool { return o == j })
}

// step counts what a chunk has done.
func (j *job) step(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now.Done += n
}

// phase begins another phase, over total records.
func (j *job) phase(p Phase, total int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now.Phase, j.now.Done, j.now.Total, j.began = p, 0, total, time.Now()
}

func (j *job) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now.Err = err
	if j.now.Phase = Failed; len(j.now.Duplicates) > 0 {
		j.now.Phase = Blocked
	}
}

// duplicate notes two records with one value.
func (j *job) duplicate(d Duplicate) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now.Duplicates = append(j.now.Duplicates, d)
}

// status returns the job as it is now.
func (j *job) status() Status {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.now
	s.Duplicates = slices.Clone(s.Duplicates)
	if took := time.Since(j.began).Seconds(); took > 0 && s.Err == nil {
		s.Rate = float64(s.Done) / took
	}
	return s
}

// Jobs returns the work that is under way, and what could not be finished.
func (m *Migrator) Jobs() []Status {
	m.jobs.mu.Lock()
	list := slices.Clone(m.jobs.list)
	m.jobs.mu.Unlock()
	out := make([]Status, len(list))
	for i, j := range list {
		out[i] = j.status()
	}
	return out
}

// countRecords returns how many records a table has.
func countRecords(ctx context.Context, db *tables.DB, tb *schema.Table) (n int, err error) {
	t, err := db.Begin(ctx, false)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	r := record.PrefixRange(tb.Prefix(0))
	r.KeysOnly = true
	c, err := t.Scan(r)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for c.Next() {
		if n++; n%chunkSize == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
	}
	return n, c.Err()
}

package guide

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Job is work to be done. It is free when Due has come; whoever claims it
// moves Due into the future, so that a worker that dies loses it again.
type Job struct {
	kivis.Auto[Job]
	Due     time.Time `kivis:"index"`
	Tries   int
	Payload []byte
}

var (
	jobs   = kivis.TableOf[Job](nil)
	jobDue = kivis.FieldOf(func(j *Job) *time.Time { return &j.Due })
)

var errTaken = errors.New("somebody else has it")

// claim returns a job that is this worker's alone until its Due, or
// ErrNotFound. It picks one of the first few: workers that all want the very
// first would only conflict.
func claim(ctx context.Context, db *kivis.DB, now time.Time, lease time.Duration) (Job, error) {
	jobs := jobs.With(db)
	for {
		free, err := jobs.Where(jobDue.Le(now)).OrderBy(jobDue.Asc()).Limit(16).Collect(ctx)
		if err != nil {
			return Job{}, err
		}
		if len(free) == 0 {
			return Job{}, kivis.ErrNotFound
		}
		pick := free[rand.N(len(free))]
		job, err := jobs.Modify(ctx, pick.ID, func(j *Job) error {
			if j.Due.After(now) {
				return errTaken
			}
			j.Due = now.Add(lease)
			j.Tries++
			return nil
		})
		if !errors.Is(err, errTaken) && !errors.Is(err, kivis.ErrNotFound) {
			return job, err
		}
	}
}

// finish removes a job that has been done, unless its lease ran out and it has
// become somebody else's.
func finish(ctx context.Context, db *kivis.DB, job Job) error {
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		now, err := jobs.With(tx).Get(ctx, job.ID)
		if err != nil {
			return err
		}
		if !now.Due.Equal(job.Due) {
			return errTaken
		}
		return jobs.With(tx).Delete(ctx, job.ID)
	})
}

func TestQueue(t *testing.T) {
	db := kivistest.New(t, &Job{})
	const n = 60
	for range n {
		if _, err := jobs.With(db).Insert(bg, &Job{Due: monday}); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	did := map[kivis.ID[Job]]int{}
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for {
				job, err := claim(bg, db, monday, time.Minute)
				if errors.Is(err, kivis.ErrNotFound) {
					return
				}
				if err == nil {
					err = finish(bg, db, job)
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				did[job.ID]++
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if len(did) != n {
		t.Errorf("%d jobs done, want %d", len(did), n)
	}
	for id, times := range did {
		if times != 1 {
			t.Errorf("job %d done %d times", id, times)
		}
	}
}

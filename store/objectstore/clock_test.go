package objectstore_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/kivisdb/kivis/store/objectstore"
)

// wrongClock is a bucket's, which is set back and forth.
type wrongClock struct{ off atomic.Int64 }

func (c *wrongClock) Now() time.Time { return time.Now().Add(time.Duration(c.off.Load())) }

func (c *wrongClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// TestBucketClock has the bucket's clock be set back and forth, by up to a day, while
// processes commit, make checkpoints and collect: what is collected too early is in a
// checkpoint, and nothing is lost.
func TestBucketClock(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	clock := &wrongClock{}
	backend := s3mem.New(s3mem.WithTimeSource(clock))
	if err := backend.CreateBucket(bucketName); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithTimeSource(clock), gofakes3.WithTimeSkewLimit(0)).Server())
	t.Cleanup(server.Close)
	url := fmt.Sprintf("s3://%s/clock?endpoint=%s", bucketName, server.URL)
	rounds := 25
	if testing.Short() {
		rounds = 8
	}
	const stores = 3
	var wg sync.WaitGroup
	for i := range stores {
		s := open(t, url, &objectstore.Options{Patience: time.Minute, Keep: 10 * time.Millisecond, Checkpoint: 500})
		wg.Go(func() {
			if err := work(s, fmt.Sprint(i), rounds); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan bool)
	go func() {
		wg.Wait()
		close(done)
	}()
	for working := true; working; {
		select {
		case <-done:
			working = false
		case <-time.After(5 * time.Millisecond):
			clock.off.Store(rnd.Int64N(int64(48*time.Hour)) - int64(24*time.Hour))
		}
	}
	s := open(t, url, nil)
	wantWork(t, s, stores, rounds)
	if err := s.Verify(background); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if version, _, err := s.Boundary(background); version == 1 || err != nil {
		t.Errorf("the boundary is at %d, error %v: nothing was collected meanwhile", version, err)
	}
}

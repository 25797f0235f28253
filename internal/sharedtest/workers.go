package sharedtest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// What tells a process that it is a worker, and of what.
const (
	workerURL    = "KIVIS_WORKER_URL"
	workerName   = "KIVIS_WORKER_NAME"
	workerRounds = "KIVIS_WORKER_ROUNDS"
)

// writersOfOne is how many writers a worker has.
const writersOfOne = 4

// Worker is what a test named TestWorker does: it is no test but a process of others, in
// which four writers Work on the store that open opens.
func Worker(t *testing.T, open func(url string) store.Store) {
	url := os.Getenv(workerURL)
	if url == "" {
		t.Skip("is a process of other tests")
	}
	rounds, err := strconv.Atoi(os.Getenv(workerRounds))
	if err != nil {
		t.Fatal(err)
	}
	s := open(url)
	var wg sync.WaitGroup
	for g := range writersOfOne {
		wg.Go(func() {
			if err := Work(s, fmt.Sprint(os.Getenv(workerName), g), rounds); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// NewWorker returns the i-th process of TestWorker, not yet started.
func NewWorker(url string, i, rounds int) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestWorker$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), workerURL+"="+url, fmt.Sprint(workerName, "=", string(rune('a'+i))), fmt.Sprint(workerRounds, "=", rounds))
	return cmd
}

// Workers has so many workers, which all make the store, too, work on it at once.
func Workers(t *testing.T, url string, n, rounds int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if out, err := NewWorker(url, i, rounds).CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	wg.Wait()
}

// WantWorkers checks what so many workers have left.
func WantWorkers(t *testing.T, s store.Store, n, rounds int) {
	t.Helper()
	WantWork(t, s, n*writersOfOne, rounds)
}

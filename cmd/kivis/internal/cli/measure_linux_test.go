package cli

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sample is what something took.
type sample struct {
	name   string
	took   time.Duration
	cpu    time.Duration // of all processors
	memory int64         // the most of its own, beside what the process had before
	peak   int64         // the same with files that are mapped
}

// measure measures fn, and logs it. Memory is what the kernel says: its own, that
// is without pages of files, which the kernel can have back, is looked at every few
// milliseconds.
func (r *rating) measure(name string, fn func()) sample {
	r.t.Helper()
	debug.FreeOSMemory()
	clearPeak(r.t)
	ownBefore, allBefore := memory(r.t, "RssAnon:"), memory(r.t, "VmRSS:")
	stop, most := watchMemory(r.t)
	began, used := time.Now(), cpu(r.t)
	fn()
	s := sample{name: name, took: time.Since(began), cpu: cpu(r.t) - used}
	close(stop)
	s.memory, s.peak = <-most-ownBefore, memory(r.t, "VmHWM:")-allBefore
	r.t.Logf("%-18s %7.3fs, %7.3fs of CPU, %8.0f records/s, %d MB of memory, %d MB with files", name, s.took.Seconds(), s.cpu.Seconds(),
		float64(r.n)/s.took.Seconds(), s.memory>>20, s.peak>>20)
	return s
}

// clearPeak has the kernel forget the most memory that the process has had.
func clearPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Logf("the peak of memory with files is that since the process began: %v", err)
	}
}

// watchMemory looks at the process's own memory until stop is closed, and then
// sends the most that it saw.
func watchMemory(t *testing.T) (stop chan struct{}, most chan int64) {
	stop, most = make(chan struct{}), make(chan int64, 1)
	go func() {
		var peak int64
		for {
			peak = max(peak, memory(t, "RssAnon:"))
			select {
			case <-stop:
				most <- peak
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return stop, most
}

// memory returns a line of what the kernel says of the process, in bytes.
func memory(t *testing.T, line string) (n int64) {
	status, err := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(status, []byte(line))
	if err == nil {
		_, err = fmt.Sscan(strings.TrimSpace(string(rest)), &n)
	}
	if err != nil {
		t.Errorf("reading %s of the process: %v", line, err)
	}
	return n << 10
}

// cpu returns the time that the process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

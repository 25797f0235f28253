package main

import (
	"bytes"
	"math"
	"testing"
	"time"
)

func small() config {
	return config{processes: 20, writers: 3, keys: 200, reads: 4, writes: 2, skewed: true, roundTrip: time.Millisecond,
		flush: 200 * time.Microsecond, pauses: kivisPauses, last: 2 * time.Second, seed: 7}
}

// TestSame has one seed give the same, and another one something else.
func TestSame(t *testing.T) {
	line := func(seed uint64) string {
		c := small()
		c.seed = seed
		var b bytes.Buffer
		run(c).print(&b)
		return b.String()
	}
	if a, b := line(7), line(7); a != b {
		t.Errorf("one seed gives\n%sand then\n%s", a, b)
	}
	if a, b := line(7), line(8); a == b {
		t.Errorf("two seeds give the same: %s", a)
	}
}

// TestLaw has no transaction be committed that has read what was overwritten; and one
// that nobody validates is found.
func TestLaw(t *testing.T) {
	for _, bucket := range []bool{false, true} {
		for _, p := range []pauses{noPauses, kivisPauses, longPauses} {
			c := small()
			c.bucket, c.pauses = bucket, p
			r := run(c)
			if r.violations != 0 || r.commits == 0 {
				t.Errorf("bucket %v, pauses %s: %d of %d commits break the law", bucket, p, r.violations, r.commits)
			}
			for i, n := range r.each {
				if n == 0 && !bucket {
					t.Errorf("bucket %v, pauses %s: process %d has committed nothing", bucket, p, i)
				}
			}
		}
	}
	c := small()
	c.careless = true
	if r := run(c); r.violations == 0 {
		t.Error("without validation no commit breaks the law")
	}
}

// TestReckoned has runs whose outcome can be reckoned.
func TestReckoned(t *testing.T) {
	for _, test := range []struct {
		name               string
		processes, writers int
		flush              time.Duration
		bucket             bool
		commits, versions  float64 // in a second
	}{
		{"one writer: three round trips and a flush", 1, 1, time.Millisecond, false, 250, 250},
		{"a server that is busy: a flush for each", 50, 1, 10 * time.Millisecond, false, 100, 100},
		{"one writer and a bucket: three round trips", 1, 1, 0, true, 1000. / 3, 1000. / 3},
	} {
		c := small()
		c.processes, c.writers, c.flush, c.bucket = test.processes, test.writers, test.flush, test.bucket
		c.keys, c.skewed, c.last = 1_000_000, false, 10*time.Second
		r := run(c)
		if got := r.rate(r.commits); math.Abs(got/test.commits-1) > .02 {
			t.Errorf("%s: %.1f commits/s, want %.1f", test.name, got, test.commits)
		}
		if got := r.rate(int(r.versions)); math.Abs(got/test.versions-1) > .02 {
			t.Errorf("%s: %.1f versions/s, want %.1f", test.name, got, test.versions)
		}
	}
}

// TestGroups has the writers of one process be committed together.
func TestGroups(t *testing.T) {
	c := small()
	c.processes, c.writers, c.keys, c.skewed = 1, 50, 1_000_000, false
	if r := run(c); r.commits < 10*int(r.versions) {
		t.Errorf("%d commits of 50 writers take %d versions", r.commits, r.versions)
	}
}

package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

var watchTests = []test{
	{"Marked", testWatchMarked, 0},
	{"TooLate", testWatchTooLate, 0},
	{"BeforeCommitReturns", testWatchBeforeCommitReturns, 0},
	{"SeesIt", testWatchSeesIt, 0},
	{"NeverMissed", testWatchNeverMissed, writers},
	{"Stop", testWatchStop, 0},
	{"Close", testWatchClose, 0},
	{"Model", testWatchModel, 0},
}

// watched returns a store that is a Watcher and holds pairs.
func watched(t testing.TB, h *harness, pairs ...string) (store.Store, store.Watcher) {
	t.Helper()
	s := h.new(t)
	w, ok := s.(store.Watcher)
	if !ok {
		t.Skip("not a store.Watcher")
	}
	if len(pairs) > 0 {
		fill(t, s, pairs...)
	}
	return s, w
}

// marked says whether a watch is.
func marked(written <-chan struct{}) bool {
	select {
	case <-written:
		return true
	default:
		return false
	}
}

// watch watches ranges from now on, until the end of the test.
func watch(t testing.TB, s store.Store, ranges ...store.Range) <-chan struct{} {
	t.Helper()
	tx := begin(t, s, false)
	defer tx.Discard()
	written, stop := s.(store.Watcher).Watch(ranges, tx.Version())
	t.Cleanup(stop)
	return written
}

// key returns the range that holds key alone.
func key(key string) store.Range { return span(key, key+"\x00") }

func testWatchMarked(t *testing.T, h *harness) {
	for _, test := range []struct {
		name   string
		ranges []store.Range
		writes []string
		want   bool
	}{
		{"nothing", nil, []string{"a=1"}, false},
		{"everything", []store.Range{{}}, []string{"a=1"}, true},
		{"key", []store.Range{key("b")}, []string{"b=1"}, true},
		{"key deleted", []store.Range{key("b")}, []string{"b"}, true},
		{"absent key deleted", []store.Range{key("x")}, []string{"x"}, true},
		{"key and its neighbours", []store.Range{key("b")}, []string{"a=1", "b\x00=1", "ba=1", "c=1"}, false},
		{"the empty key", []store.Range{key("")}, []string{"=1"}, true},
		{"the empty key and others", []store.Range{key("")}, []string{"\x00=1"}, false},
		{"range", []store.Range{span("b", "d")}, []string{"c=1"}, true},
		{"lower bound", []store.Range{span("b", "d")}, []string{"b=1"}, true},
		{"upper bound", []store.Range{span("b", "d")}, []string{"d=1"}, false},
		{"below", []store.Range{span("b", "d")}, []string{"a=1"}, false},
		{"no upper bound", []store.Range{from("b")}, []string{"\xff\xff=1"}, true},
		{"below no upper bound", []store.Range{from("b")}, []string{"a\xff=1"}, false},
		{"several", []store.Range{key("a"), span("b", "c"), span("e", "f"), key("g")}, []string{"d=1", "eee=1"}, true},
		{"between several", []store.Range{key("a"), span("b", "c"), span("e", "f"), key("g")}, []string{"c=1", "d=1", "f=1", "h=1"}, false},
		{"long keys", []store.Range{span("prefix/0001", "prefix/0003")}, []string{"prefix/0002=1"}, true},
		{"long keys beside", []store.Range{span("prefix/0001", "prefix/0003")}, []string{"prefix/0003=1", "prefix/0000=1"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, w := watched(t, h, "a=0", "b=0", "c=0")
			written := watch(t, s, test.ranges...)
			before := begin(t, s, false).Version()
			if marked(written) {
				t.Error("marked before anything was written")
			}
			fill(t, s, test.writes...)
			if got := marked(written); got != test.want {
				t.Errorf("marked after writes of %q: %v, want %v", test.writes, got, test.want)
			}
			if got, err := w.Written(test.ranges, before); got != test.want || err != nil {
				t.Errorf("Written after writes of %q = %v, %v; want %v", test.writes, got, err, test.want)
			}
			if got, err := w.Written(test.ranges, before+1); got || err != nil {
				t.Errorf("Written since the commit = %v, %v; want false", got, err)
			}
		})
	}
}

// testWatchTooLate begins to watch when the commit has been made.
func testWatchTooLate(t *testing.T, h *harness) {
	s, w := watched(t, h, "a=1", "b=1")
	tx, r := record(t, s)
	get(t, tx, "a")
	fill(t, s, "b=2")
	ranges := r.Footprint()
	written, stop := w.Watch(ranges, tx.Version())
	defer stop()
	if marked(written) {
		t.Error("marked by a commit of something else")
	}
	fill(t, s, "a=2")
	if !marked(written) {
		t.Error("not marked")
	}
	late, stop := w.Watch(ranges, tx.Version())
	defer stop()
	if !marked(late) {
		t.Error("a watch that begins after the commit is not marked at once")
	}
	now := watch(t, s, ranges...)
	if marked(now) {
		t.Error("a watch since the commit is marked by it")
	}
}

func testWatchBeforeCommitReturns(t *testing.T, h *harness) {
	s, _ := watched(t, h, "n=0")
	for i := range 200 {
		written := watch(t, s, key("n"))
		fill(t, s, fmt.Sprint("n=", i))
		if !marked(written) {
			t.Fatalf("commit %d has returned, and a watch of its key is not marked", i)
		}
	}
}

// testWatchSeesIt begins a transaction as soon as a watch is marked: it must see
// the commit.
func testWatchSeesIt(t *testing.T, h *harness) {
	s, _ := watched(t, h, "n=0")
	var wg sync.WaitGroup
	defer wg.Wait()
	const last = 100
	seen := make(chan string)
	wg.Go(func() {
		for i := range last {
			fill(t, s, fmt.Sprint("n=", i+1))
			<-seen
		}
	})
	for i := range last {
		tx, _ := record(t, s)
		value := get(t, tx, "n")
		written, stop := s.(store.Watcher).Watch(store.Footprint(tx), tx.Version())
		tx.Discard()
		if value == fmt.Sprint(i) {
			<-written
			tx := begin(t, s, false)
			value = get(t, tx, "n")
			tx.Discard()
		}
		stop()
		if value != fmt.Sprint(i+1) {
			t.Errorf("a transaction that began when the watch was marked sees %s, want %d", value, i+1)
		}
		seen <- value
	}
}

// testWatchNeverMissed has watchers run again whenever what they have read is
// written, as live queries do, and the next commit come just when they begin to
// watch: none may fall between.
func testWatchNeverMissed(t *testing.T, h *harness) {
	s, _ := watched(t, h, "n=")
	const watchers, rounds, stuck = 4, 300, 10 * time.Second
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	patience := time.AfterFunc(stuck, cancel)
	read := make(chan int, watchers*(rounds+1))
	var wg sync.WaitGroup
	for range watchers {
		wg.Go(func() {
			for seen := -1; ctx.Err() == nil && seen < rounds; {
				seen = followOnce(ctx, s, seen, rounds, read)
			}
		})
	}
	for i := range rounds {
		for n := 0; n < watchers && ctx.Err() == nil; {
			select {
			case seen := <-read:
				if seen == i {
					n++
				}
			case <-ctx.Done():
			}
		}
		increment(t, s, "n")
		patience.Reset(stuck)
	}
	wg.Wait()
	if ctx.Err() != nil {
		t.Error("a watch was not marked by a commit that concerned it")
	}
}

// followOnce reads how long n is, says so if it has grown, and waits until it is
// written, unless it has the last length. It returns the length.
func followOnce(ctx context.Context, s store.Store, seen, last int, read chan<- int) int {
	tx, err := s.Begin(ctx, false)
	if err != nil {
		return seen
	}
	defer tx.Discard()
	store.Record(tx)
	value, err := tx.Get([]byte("n"))
	if err != nil {
		return seen
	}
	if n := len(value); n > seen {
		seen = n
		read <- n
	}
	if seen == last {
		return seen
	}
	written, stop := s.(store.Watcher).Watch(store.Footprint(tx), tx.Version())
	defer stop()
	select {
	case <-written:
	case <-ctx.Done():
	}
	return seen
}

func testWatchStop(t *testing.T, h *harness) {
	s, w := watched(t, h, "a=1")
	version := begin(t, s, false).Version()
	one, stopOne := w.Watch([]store.Range{key("a"), span("b", "c")}, version)
	two, stopTwo := w.Watch([]store.Range{key("a"), span("b", "c")}, version)
	defer stopTwo()
	stopOne()
	stopOne()
	fill(t, s, "b=1")
	if marked(one) {
		t.Error("a watch is marked after stop")
	}
	if !marked(two) {
		t.Error("a watch is not marked, since another of the same ranges has stopped")
	}
}

func testWatchClose(t *testing.T, h *harness) {
	s := h.open(t)
	w, ok := s.(store.Watcher)
	if !ok {
		s.Close()
		t.Skip("not a store.Watcher")
	}
	written := watch(t, s, key("a"))
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if !marked(written) {
		t.Error("a watch is not marked by Close")
	}
	late, stop := w.Watch([]store.Range{key("a")}, 1)
	defer stop()
	if !marked(late) {
		t.Error("a watch of a closed store is not marked")
	}
	_, err := w.Written([]store.Range{key("a")}, 1)
	wantErr(t, "Written of a closed store", err, store.ErrClosed)
}

// testWatchModel has random watches come and go, and compares with a list of
// them after each commit.
func testWatchModel(t *testing.T, h *harness) {
	s, w := watched(t, h)
	rnd, seed := random(t)
	type one struct {
		ranges  []store.Range
		written <-chan struct{}
		stop    func()
		want    bool
	}
	letters := func() string {
		b := make([]byte, 1+rnd.IntN(3))
		for i := range b {
			b[i] = "\x00ab\xff"[rnd.IntN(4)]
		}
		return string(b)
	}
	var live []one
	version := fill(t, s, "a=1")
	for round := range 400 {
		var bounds []string
		for range 2 * (1 + rnd.IntN(4)) {
			bounds = append(bounds, letters())
		}
		slices.Sort(bounds)
		var ranges []store.Range
		for i := 0; i+1 < len(bounds); i += 2 {
			switch r := span(bounds[i], bounds[i+1]); {
			case bounds[i] == bounds[i+1]:
			case rnd.IntN(3) == 0:
				ranges = append(ranges, key(bounds[i]))
			default:
				ranges = append(ranges, r)
			}
		}
		written, stop := w.Watch(ranges, version)
		live = append(live, one{ranges, written, stop, false})
		if len(live) > 40 || rnd.IntN(4) == 0 {
			i := rnd.IntN(len(live))
			live[i].stop()
			live = slices.Delete(live, i, i+1)
		}
		pairs := []string{letters() + "=1", letters()}
		version = fill(t, s, pairs...)
		for i := range live {
			for _, pair := range pairs {
				live[i].want = live[i].want || covers(t, live[i].ranges, keyOf(pair))
			}
			if got := marked(live[i].written); got != live[i].want {
				t.Fatalf("seed %d, round %d: after writes of %q a watch of %v is marked: %v, want %v",
					seed, round, pairs, showAll(live[i].ranges), got, live[i].want)
			}
		}
	}
	for _, l := range live {
		l.stop()
	}
}

func showAll(ranges []store.Range) (all []string) {
	for _, r := range ranges {
		all = append(all, show(r))
	}
	return all
}

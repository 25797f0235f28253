package pgstore_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
	"github.com/kivisdb/kivis/store/remote"
)

// TestScanPages scans values of all lengths about which a page is asked for in another
// way: it has what was written, no more bytes than is said, and never nothing.
func TestScanPages(t *testing.T) {
	for _, test := range []struct {
		name    string
		n       int
		lengths []int // in turn
	}{
		{"short", 120, []int{0, 1, 100}},
		{"as long as 1000 may be", 120, []int{0, pgstore.MaxPage / 1000, pgstore.MaxPage/1000 + 1}},
		{"one long among short", 120, append(slices.Repeat([]int{10}, 59), pgstore.MaxPage/100+1)},
		{"long", 120, []int{pgstore.MaxPage/100 + 1}},
		{"longer than a page", 6, []int{10, pgstore.MaxPage, pgstore.MaxPage + 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, newURL(t), &pgstore.Options{Timeout: time.Minute}) // for some MiB on a busy machine
			want := writeLengths(t, s, test.n, test.lengths)
			for _, keysOnly := range []bool{false, true} {
				for _, limit := range []int{1, 7, 100, 1000} {
					wantPages(t, s, store.Range{KeysOnly: keysOnly}, limit, want)
					wantPages(t, s, store.Range{KeysOnly: keysOnly, Reverse: true}, limit, want)
					part := store.Range{Lo: want[1].Key, Hi: want[len(want)-1].Key, KeysOnly: keysOnly}
					wantPages(t, s, part, limit, want[1:len(want)-1])
					part.Reverse = true
					wantPages(t, s, part, limit, want[1:len(want)-1])
				}
			}
		})
	}
}

// TestScanPlans has the server read no more than a page of the index for a page, in each
// direction, however it plans: what is in order is not sorted.
func TestScanPlans(t *testing.T) {
	s := open(t, newURL(t), nil)
	const fill = "insert into @.entries select decode(md5(i::text), 'hex'), 2, decode(repeat('00', 100), 'hex') from generate_series(1, 20000) i"
	for _, statement := range []string{fill, "analyze @.entries"} {
		if err := s.Exec(background, statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		plans, err := s.ScanPlans(background, mode)
		if err != nil {
			t.Fatal(err)
		}
		for _, plan := range plans {
			_, page, _ := strings.Cut(plan, "Limit") // what comes before takes what a page has
			if strings.Contains(page, "Sort") || !strings.Contains(page, "using entries_key") {
				t.Errorf("%s:\n%s", mode, plan)
			}
		}
	}
}

// writeLengths writes n entries over others, of some lengths, deletes some, and returns the rest.
func writeLengths(t *testing.T, s *pgstore.Store, n int, lengths []int) (list []remote.Entry) {
	t.Helper()
	set := func(value func(i int) []byte) {
		_, err := update(s, func(tx store.Tx) error {
			for i := range n {
				if err := tx.Set(fmt.Appendf(nil, "k%04d", i), value(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(func(int) []byte { return []byte("old") })
	set(func(i int) []byte {
		value := bytes.Repeat([]byte{byte(i)}, lengths[i%len(lengths)])
		if i%9 != 4 {
			list = append(list, remote.Entry{Key: fmt.Appendf(nil, "k%04d", i), Value: value})
		}
		return value
	})
	for i := 4; i < n; i += 9 {
		write(t, s, fmt.Sprintf("k%04d", i), true)
	}
	return list
}

// wantPages scans r by pages.
func wantPages(t *testing.T, s *pgstore.Store, r store.Range, limit int, want []remote.Entry) {
	t.Helper()
	if r.Reverse {
		want = slices.Clone(want)
		slices.Reverse(want)
	}
	whole, got := r, 0
	for more := true; more; {
		page, m, err := s.Page(background, r, limit)
		if err != nil {
			t.Fatal(err)
		}
		if more = m; len(page) > limit || more && len(page) == 0 {
			t.Fatalf("scan of %+v at most %d: %d entries, more: %v", whole, limit, len(page), more)
		}
		size := 0
		for i, e := range page {
			if got == len(want) {
				t.Fatalf("scan of %+v at most %d: %q after the last", whole, limit, e.Key)
			}
			w := want[got]
			if r.KeysOnly {
				w.Value = nil
			}
			if !bytes.Equal(e.Key, w.Key) || !bytes.Equal(e.Value, w.Value) || (e.Value == nil) != r.KeysOnly {
				t.Fatalf("scan of %+v at most %d: %q with %d bytes, want %q with %d", whole, limit, e.Key, len(e.Value), w.Key, len(w.Value))
			}
			got++
			if size += len(e.Value); size >= pgstore.MaxPage && i < len(page)-1 {
				t.Fatalf("scan of %+v at most %d: %d bytes, and more", whole, limit, size)
			}
			if r.Reverse {
				r.Hi = e.Key
			} else {
				r.Lo = append(bytes.Clone(e.Key), 0)
			}
		}
	}
	if got != len(want) {
		t.Errorf("scan of %+v at most %d: %d entries, want %d", whole, limit, got, len(want))
	}
}

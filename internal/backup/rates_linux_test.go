package backup_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/filestore"
	"github.com/kivisdb/kivis/store/memstore"
)

var rates = flag.Int("rates", 0, "records of TestRates; without it the test is left out")

// Reading is a record of TestRates.
type Reading struct {
	kivis.Auto[Reading]
	Sensor string    `kivis:"index"`
	At     time.Time `kivis:"index"`
	Value  float64
	Note   string
}

// TestRates holds backup and restore against a plain scan and a plain Bulk of
// the same records in badgerstore, in one run, and against 100 MB of memory,
// which for Restore are those beside the store's own.
func TestRates(t *testing.T) {
	if *rates == 0 {
		t.Skip("-rates is not set")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "backup")
	open := func(sub string) *badgerstore.Store {
		return must(badgerstore.Open(filepath.Join(dir, sub), nil))(t)
	}
	db := must(kivis.Open(open("a"), nil))(t)
	check(t, db.Register(&Reading{}))
	bulk := measure(t, "Bulk", func() { load(t, db) })
	check(t, db.Close())
	st := open("a")
	db = must(kivis.Open(kept{st}, nil))(t)
	check(t, db.Register(&Reading{}))
	scan := measure(t, "scan of the records", func() {
		for _, err := range kivis.TableByID[Reading](db).All(bg) {
			check(t, err)
		}
	})
	raw := measure(t, "scan of the store", func() { scanAll(t, st) })
	backup := measure(t, "Backup", func() {
		file := must(os.Create(name))(t)
		info := must(db.Backup(bg, file, nil))(t)
		check(t, file.Close())
		t.Logf("%d entries, %d bytes", info.Entries, info.Bytes)
	})
	file := must(os.Open(name))(t)
	defer file.Close()
	inc := measure(t, "Backup of an increment", func() {
		must(db.Backup(bg, io.Discard, &kivis.BackupOptions{Since: []io.ReaderAt{file}}))(t)
	})
	check(t, db.Close())
	check(t, st.Close())
	verified := measure(t, "VerifyBackup", func() { must(kivis.VerifyBackup(bg, file))(t) })
	to := open("b")
	restored := measure(t, "Restore", func() { must(kivis.Restore(bg, to, file))(t) })
	check(t, to.Close())
	sunk := measure(t, "Restore into nothing", func() { must(kivis.Restore(bg, sink{memstore.New()}, file))(t) })
	fs := must(filestore.Open(name))(t)
	measure(t, "scan of the file", func() { scanAll(t, fs) })
	check(t, fs.Close())

	for _, c := range []struct {
		name      string
		got, base sample
		most      float64
	}{
		{"Backup against a scan of the store", backup, raw, 1.5},
		{"Backup against a scan of the records", backup, scan, 1.5},
		{"Restore against Bulk", restored, bulk, 1.5},
	} {
		ratio := float64(c.got.took) / float64(c.base.took)
		t.Logf("%s: %.2f", c.name, ratio)
		if ratio > c.most {
			t.Errorf("%s: %.2f times as long, want %.1f at most", c.name, ratio, c.most)
		}
	}
	for _, s := range []sample{backup, inc, verified, sunk} {
		if s.grew > 100<<20 {
			t.Errorf("%s takes %d MB of memory, want under 100", s.name, s.grew>>20)
		}
	}
}

// load inserts the records.
func load(t *testing.T, db *kivis.DB) {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	check(t, db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
		table := kivis.TableByID[Reading](b)
		for i := range *rates {
			r := Reading{
				Sensor: fmt.Sprint("sensor ", i*7919%1000), At: at.Add(time.Duration(i) * time.Second),
				Value: float64(i*7919%10007) / 7, Note: fmt.Sprint("reading number ", i),
			}
			if _, err := table.Insert(ctx, &r); err != nil {
				return err
			}
		}
		return nil
	}))
}

// sink is a store that keeps the catalog alone: what Restore takes over it, it
// takes by itself.
type sink struct{ *memstore.Store }

func (s sink) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.Store.Begin(ctx, write)
	return sinkTx{tx}, err
}

type sinkTx struct{ store.Tx }

func (t sinkTx) Set(key, value []byte) error {
	if key[0] > 0x80 {
		return nil
	}
	return t.Tx.Set(key, value)
}

func scanAll(t *testing.T, st store.Store) {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	cur := must(tx.Scan(store.Range{}))(t)
	defer cur.Close()
	for cur.Next() {
	}
	check(t, cur.Err())
}

// sample is what something took.
type sample struct {
	name string
	took time.Duration
	cpu  time.Duration // of all processors
	grew int64         // the most memory above what there was before
}

func measure(t *testing.T, name string, fn func()) sample {
	t.Helper()
	debug.FreeOSMemory()
	check(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)) // the peak begins anew
	before := memory(t, "VmRSS:")
	began, used := time.Now(), cpu(t)
	fn()
	s := sample{name, time.Since(began), cpu(t) - used, memory(t, "VmHWM:") - before}
	t.Logf("%-24s %8.3fs, %8.3fs of CPU, %8.0f records/s, %d MB above %d MB", name, s.took.Seconds(), s.cpu.Seconds(),
		float64(*rates)/s.took.Seconds(), s.grew>>20, before>>20)
	return s
}

// cpu returns the time that the process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	check(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory returns a line of what the kernel says of the process, in bytes.
func memory(t *testing.T, line string) (n int64) {
	t.Helper()
	status := must(os.ReadFile("/proc/self/status"))(t)
	_, rest, _ := bytes.Cut(status, []byte(line))
	must(fmt.Sscan(strings.TrimSpace(string(rest)), &n))(t)
	return n << 10
}

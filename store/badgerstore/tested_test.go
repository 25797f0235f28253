package badgerstore_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4/options"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// build returns what a program knows of itself that has a version of Badger.
func build(version string, replace *debug.Module) func() (*debug.BuildInfo, bool) {
	return func() (*debug.BuildInfo, bool) {
		return &debug.BuildInfo{Deps: []*debug.Module{
			{Path: "github.com/dgraph-io/ristretto/v2", Version: "v2.0.0"},
			{Path: "github.com/dgraph-io/badger/v4", Version: version, Replace: replace},
		}}, true
	}
}

// inGoMod returns the version of Badger that this module asks for.
func inGoMod(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../go.mod")
	check(t, err)
	_, rest, _ := strings.Cut(string(data), "github.com/dgraph-io/badger/v4 ")
	version, _, ok := strings.Cut(rest, "\n")
	if !ok {
		t.Fatal("go.mod does not have Badger")
	}
	return version
}

func TestTestedEngine(t *testing.T) {
	from, to := badgerstore.Tested()
	for _, test := range []struct {
		name string
		read func() (*debug.BuildInfo, bool)
		want bool
	}{
		// If this fails with a newer Badger, and the other tests pass, widen the
		// range.
		{"the one of go.mod", build(inGoMod(t), nil), true},
		{"first", build(from, nil), true},
		{"last", build(to, nil), true},
		{"older", build("v4.8.99", nil), false},
		{"newer", build("v4.10.0", nil), false},
		{"newer patch", build("v4.9.999", nil), false},
		{"next major", build("v5.0.0", nil), false},
		{"between releases", build(to+"-0.20260101000000-0123456789ab", nil), false},
		{"release candidate", build(to+"-rc1", nil), false},
		{"local", build("(devel)", nil), false},
		{"replaced", build(to, &debug.Module{Path: "../badger"}), false},
		{"without it", func() (*debug.BuildInfo, bool) { return &debug.BuildInfo{}, true }, true},
		{"nothing known", func() (*debug.BuildInfo, bool) { return nil, false }, true},
	} {
		if version, got := badgerstore.TestedEngine(test.read); got != test.want {
			t.Errorf("%s: %s is tested: %t, want %t", test.name, version, got, test.want)
		}
	}
}

// With another release of Badger the store works by Badger's own means, and
// says so.
func TestUntestedEngine(t *testing.T) {
	opts := badgerstore.UntestedOptions(t.TempDir(), nil)
	if !opts.SyncWrites || opts.BypassLockGuard || opts.ChecksumVerificationMode != options.OnTableAndBlockRead {
		t.Errorf("SyncWrites is %t, BypassLockGuard %t, checks are %v; want Badger to do it all",
			opts.SyncWrites, opts.BypassLockGuard, opts.ChecksumVerificationMode)
	}
	var log bytes.Buffer
	dir := t.TempDir()
	logged := &badgerstore.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	newer := build("v4.99.0", nil)
	for round := range 3 {
		s, err := badgerstore.OpenBuilt(dir, logged, newer)
		check(t, err)
		if path := badgerstore.CurrentLog(s); path != "" {
			t.Errorf("the store syncs %s by itself", path)
		}
		for name, read := range map[string]func() (*debug.BuildInfo, bool){"newer": newer, "this": debug.ReadBuildInfo} {
			if _, err := badgerstore.OpenBuilt(dir, nil, read); !errors.Is(err, store.ErrInUse) {
				t.Errorf("opened twice, by %s: %v, want ErrInUse", name, err)
			}
		}
		check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(round), benchtest.Value(round)) }))
		left := open(t, copyLive(t, dir), nil) // after a kill
		if n := countAll(t, left); n != round+1 {
			t.Errorf("%d keys after a kill, want %d", n, round+1)
		}
		check(t, s.Close())
		readOnly, err := badgerstore.OpenBuilt(dir, &badgerstore.Options{ReadOnly: true}, newer)
		check(t, err)
		if n := countAll(t, readOnly); n != round+1 {
			t.Errorf("%d keys, want %d", n, round+1)
		}
		check(t, readOnly.Close())
	}
	if !strings.Contains(log.String(), "v4.99.0") {
		t.Errorf("the log has %s; want a warning of v4.99.0", log.String())
	}
}

package filestore_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/filestore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// TestStore has every read-only transaction of the suite read from a file: the
// store is one in memory, which is written to a backup for each of them. With
// chained, every second version is an increment to the one before.
func TestStore(t *testing.T) {
	for _, chained := range []bool{false, true} {
		name := map[bool]string{false: "Whole", true: "Chain"}[chained]
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t testing.TB) store.Store {
				return &mirror{Store: memstore.New(), t: t, chained: chained}
			})
		})
	}
}

// mirror is a store in memory whose read-only transactions read a backup of it.
type mirror struct {
	*memstore.Store
	t       testing.TB
	chained bool

	mu     sync.Mutex
	files  []*filestore.Store
	latest uint64
	base   []byte // the file of the last whole backup
	before map[string]string
}

// Self makes the mirror no store.Getter of its own.
func (m *mirror) Self() store.Store { return m.Store }

func (m *mirror) Begin(ctx context.Context, write bool) (store.Tx, error) {
	if write {
		return m.Store.Begin(ctx, true)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx, err := m.Store.Begin(context.Background(), false)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	if m.latest != tx.Version() {
		if err := m.backup(tx); err != nil {
			return nil, err // the store was closed meanwhile
		}
	}
	return m.files[len(m.files)-1].Begin(ctx, false)
}

// backup writes the version that tx sees and opens it.
func (m *mirror) backup(tx store.Tx) error {
	now, err := contents(tx)
	if err != nil {
		return err
	}
	var s *filestore.Store
	if m.chained && m.base != nil {
		base := bytes.NewReader(m.base)
		s, err = filestore.New(base, bytes.NewReader(increment(m.t, m.base, m.before, now, tx.Version())))
		m.base = nil
	} else {
		m.base, m.before = whole(m.t, now, tx.Version()), now
		s, err = filestore.New(bytes.NewReader(m.base))
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.files, m.latest = append(m.files, s), tx.Version()
	return nil
}

func (m *mirror) Close() error {
	err := m.Store.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.files {
		err = errors.Join(err, s.Close())
	}
	return err
}

func contents(tx store.Tx) (map[string]string, error) {
	c, err := tx.Scan(store.Range{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	all := make(map[string]string)
	for c.Next() {
		all[string(c.Key())] = string(c.Value())
	}
	return all, c.Err()
}

func whole(t testing.TB, now map[string]string, version uint64) []byte {
	t.Helper()
	return file(t, backupfile.Header{Version: version}, nil, now)
}

func increment(t testing.TB, base []byte, before, now map[string]string, version uint64) []byte {
	t.Helper()
	f, err := backupfile.Open(bytes.NewReader(base))
	if err != nil {
		t.Fatal(err)
	}
	return file(t, backupfile.Header{Version: version, Previous: f.Info().Hash}, before, now)
}

// file returns a file of what differs between two states.
func file(t testing.TB, h backupfile.Header, before, now map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := backupfile.NewWriter(&buf, h)
	var err error
	for _, key := range sortedKeys(before, now) {
		value, there := now[key]
		old, was := before[key]
		switch {
		case there && was && old == value:
		case there:
			err = errors.Join(err, w.Set([]byte(key), []byte(value)))
		default:
			err = errors.Join(err, w.Delete([]byte(key)))
		}
	}
	if _, closed := w.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	return buf.Bytes()
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	before, now := map[string]string{"a": "1", "b": "2"}, map[string]string{"a": "1", "b": "3", "c": ""}
	base := whole(t, before, 7)
	names := []string{filepath.Join(dir, "base"), filepath.Join(dir, "inc")}
	for i, b := range [][]byte{base, increment(t, base, before, now, 9)} {
		if err := os.WriteFile(names[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := filestore.Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of no file: %v, want ErrNotExist", err)
	}
	if _, err := filestore.Open(names[1]); !errors.Is(err, backupfile.ErrChain) {
		t.Errorf("Open of an increment alone: %v, want ErrChain", err)
	}
	if _, err := filestore.Open(names[0], names[0]); !errors.Is(err, backupfile.ErrChain) {
		t.Errorf("Open of a backup twice: %v, want ErrChain", err)
	}
	s, err := filestore.Open(names[0], names[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(context.Background()); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if _, err := s.Begin(context.Background(), true); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Begin(write): %v, want ErrReadOnly", err)
	}
	tx, err := s.Begin(context.Background(), false)
	if err != nil || tx.Version() != 9 {
		t.Fatalf("Begin: %v; want version 9", err)
	}
	if got, err := contents(tx); err != nil || !maps.Equal(got, now) {
		t.Errorf("the store holds %v, %v; want %v", got, err, now)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := tx.Get([]byte("a")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Get after Close: %v, want ErrClosed", err)
	}
}

// TestCount counts by the index of a file of many blocks.
func TestCount(t *testing.T) {
	all := make(map[string]string)
	for i := range 20000 {
		all[string([]byte{byte(i >> 8), byte(i)})] = string(make([]byte, i%97))
	}
	s, err := filestore.New(bytes.NewReader(whole(t, all, 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tx, err := s.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []store.Range{
		{}, {Lo: []byte{1}}, {Hi: []byte{1}}, {Lo: []byte{1, 7}, Hi: []byte{60, 3}}, {Lo: []byte{9}, Hi: []byte{3}},
		{Lo: []byte{0xff}}, {Hi: []byte{0xff}}, {Hi: []byte{}},
	} {
		got, err := store.Count(tx, r)
		want := 0
		for key := range all {
			if key >= string(r.Lo) && (r.Hi == nil || key < string(r.Hi)) {
				want++
			}
		}
		if got != want || err != nil {
			t.Errorf("Count(%x to %x) = %d, %v; want %d", r.Lo, r.Hi, got, err, want)
		}
	}
}

func sortedKeys(states ...map[string]string) []string {
	all := make(map[string]bool)
	for _, s := range states {
		for key := range s {
			all[key] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

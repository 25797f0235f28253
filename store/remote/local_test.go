package remote_test

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
	"github.com/kivisdb/kivis/store/storetest"
)

// local is an engine whose entries count as being here. It holds the store to what
// it tells a Local.
type local struct {
	*remotetest.Backend
	t         testing.TB
	published atomic.Uint64
}

// Published implements remote.Local.
func (l *local) Published(version uint64) {
	if last := l.published.Swap(version); last > version {
		l.t.Errorf("version %d is published after %d", version, last)
	}
}

// Snapshot implements remote.Local.
func (l *local) Snapshot(version uint64) (occ.Reader, error) {
	if p := l.published.Load(); version < p {
		l.t.Errorf("version %d is asked for after %d was published", version, p)
	}
	return &localReader{l.Backend, version}, nil
}

// localReader reads a version.
type localReader struct {
	b       *remotetest.Backend
	version uint64
}

func (r *localReader) Get(key []byte) ([]byte, error) {
	values := make([][]byte, 1)
	if err := r.GetMany([][]byte{key}, values); err != nil {
		return nil, err
	}
	if values[0] == nil {
		return nil, store.ErrNotFound
	}
	return values[0], nil
}

func (r *localReader) GetMany(keys, values [][]byte) error {
	found, err := r.b.Read(background, r.version, keys)
	copy(values, found)
	return err
}

// Scan reads all there is.
func (r *localReader) Scan(rg store.Range) (store.Cursor, error) {
	c := &listCursor{at: -1, reverse: rg.Reverse}
	for more := true; more; {
		var page []remote.Entry
		var err error
		if page, more, err = r.b.Scan(background, r.version, rg, 1<<20); err != nil {
			return nil, err
		}
		c.list = append(c.list, page...)
		if n := len(page); n > 0 && rg.Reverse {
			rg.Hi = page[n-1].Key
		} else if n > 0 {
			rg.Lo = append(bytes.Clone(page[n-1].Key), 0)
		}
	}
	return c, nil
}

func (r *localReader) Close() {}

// listCursor is a cursor over a list.
type listCursor struct {
	list    []remote.Entry
	at      int
	reverse bool
}

func (c *listCursor) Next() bool {
	c.at++
	return c.at < len(c.list)
}

func (c *listCursor) Seek(key []byte) bool {
	for c.Next() {
		if d := bytes.Compare(c.Key(), key); d == 0 || (d > 0) != c.reverse {
			return true
		}
	}
	return false
}

func (c *listCursor) Key() []byte   { return c.list[c.at].Key }
func (c *listCursor) Value() []byte { return c.list[c.at].Value }
func (c *listCursor) Keep() []byte  { return c.Value() }
func (c *listCursor) Err() error    { return nil }
func (c *listCursor) Close()        {}

func openLocal(t testing.TB, b *remotetest.Backend, o *remote.Options) *remote.Store {
	t.Helper()
	s, err := remote.OpenLocal(background, &local{Backend: b, t: t}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// TestLocal is TestStore of an engine whose entries are here.
func TestLocal(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.Store { return openLocal(t, remotetest.New(), nil) })
}

// TestLocalAhead has others commit while the log is read for the feed, and forget the
// log: no version is asked for that is older than one that was published.
func TestLocalAhead(t *testing.T) {
	b := remotetest.New()
	s, other := openLocal(t, b, nil), open(t, b, nil)
	for i := range 20 {
		at := set(t, other, "a", "1")
		if i%3 == 0 {
			b.Collect(at)
		}
		if err := s.Changes(background, at-1, func(store.Commit) bool { return true }); err != nil && !errors.Is(err, store.ErrGap) {
			t.Fatal(err)
		}
		if got := get(t, s, "a"); got != "1" {
			t.Errorf("a is %q", got)
		}
		set(t, s, "b", "1")
	}
}

// TestLocalOffline begins on what is here, if that is asked for.
func TestLocalOffline(t *testing.T) {
	b := remotetest.New()
	s := openLocal(t, b, &remote.Options{Patience: -1})
	set(t, s, "a", "1")
	for _, test := range []struct {
		ctx   context.Context
		write bool
		want  error
	}{
		{background, false, store.ErrUnreachable},
		{store.Offline(background), true, store.ErrUnreachable},
		{store.Offline(background), false, nil},
	} {
		b.Fail(remotetest.Faults{Cut: true}, 1)
		tx, err := s.Begin(test.ctx, test.write)
		if !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("Begin, offline %v, to write %v: %v, want %v", store.IsOffline(test.ctx), test.write, err, test.want)
		}
		if err == nil {
			tx.Discard()
		}
	}
}

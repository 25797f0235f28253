package objectstore

import (
	"bytes"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var testDB = [16]byte{1, 2, 3}

func testCommit() *commit {
	return &commit{point: point{7, [16]byte{4}, 5}, previous: [16]byte{6}, writer: [16]byte{8}, changes: []remote.Change{
		{Key: []byte{}, Value: []byte{}}, {Key: []byte("a"), Value: []byte("1"), Created: true}, {Key: []byte("b")},
	}}
}

// sealed returns b with a checksum that fits, so that a fuzzer comes past it.
func sealed(b []byte) []byte {
	if len(b) < sealSize {
		return b
	}
	b = bytes.Clone(b)
	end := len(b) - 4
	sum := crc32.Checksum(b[:end], castagnoli)
	return append(b[:end], byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
}

// FuzzObjects reads whatever there is: it is refused, or what is read is what is written.
func FuzzObjects(f *testing.F) {
	f.Add(testCommit().encode(testDB))
	f.Add((&boundary{db: testDB, version: 3, checkpoint: point{version: 9}, size: 100}).encode())
	f.Add(lastCommits{{1}: {version: 2, id: [16]byte{3}}, {2}: {}}.encode(testDB, point{version: 7}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(b)} {
			c, err := decodeCommit(testDB, 7, b)
			if refused(t, err) {
				if again, err := decodeCommit(testDB, 7, c.encode(testDB)); err != nil || len(again.changes) != len(c.changes) || again.point != c.point {
					t.Errorf("written again: %v", err)
				}
			}
			n, err := decodeBoundary(b)
			if refused(t, err) && !bytes.Equal(n.encode(), b) {
				t.Errorf("the boundary %x is written as %x", b, n.encode())
			}
			_, err = decodeWriters(testDB, 7, b)
			refused(t, err)
		}
	})
}

// refused says that there is no error, and checks that one is of a kind that is told.
func refused(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, ErrNewer) {
		t.Errorf("error %v, want ErrCorrupt or ErrNewer", err)
	}
	return err == nil
}

// TestObjects writes and reads each object, whole and cut anywhere.
func TestObjects(t *testing.T) {
	c := testCommit()
	b := c.encode(testDB)
	got, err := decodeCommit(testDB, 7, b)
	if err != nil {
		t.Fatal(err)
	}
	if got.point != c.point || got.previous != c.previous || got.writer != c.writer || len(got.changes) != 3 {
		t.Errorf("a commit is read as %+v", got)
	}
	for i, want := range c.changes {
		if g := got.changes[i]; !bytes.Equal(g.Key, want.Key) || !bytes.Equal(g.Value, want.Value) || (g.Value == nil) != (want.Value == nil) || g.Created != want.Created {
			t.Errorf("change %d is read as %+v, want %+v", i, g, want)
		}
	}
	for n := range b {
		if _, err := decodeCommit(testDB, 7, b[:n]); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("a commit cut to %d bytes: %v", n, err)
		}
	}
	for name, err := range map[string]error{
		"of another store":   second(decodeCommit([16]byte{}, 7, b)),
		"of another version": second(decodeCommit(testDB, 8, b)),
		"out of order":       second(decodeCommit(testDB, 7, disordered().encode(testDB))),
	} {
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("a commit %s: %v, want ErrCorrupt", name, err)
		}
	}
	newer := bytes.Clone(b)
	newer[11]++
	if _, err := decodeCommit(testDB, 7, sealed(newer)); !errors.Is(err, ErrNewer) {
		t.Errorf("a commit of the next format: %v, want ErrNewer", err)
	}
}

func second[T any](_ T, err error) error { return err }

func disordered() *commit {
	c := testCommit()
	c.changes[0], c.changes[1] = c.changes[1], c.changes[0]
	return c
}

// TestForgottenWriters: a checkpoint leaves out who has not committed for long.
func TestForgottenWriters(t *testing.T) {
	at := point{version: 7, time: 2 * int64(forgetWriters)}
	l := lastCommits{{1}: {version: 2, time: at.time - int64(forgetWriters) - 1}, {2}: {version: 3, time: at.time - 1}}
	got, err := decodeWriters(testDB, 7, l.encode(testDB, at))
	if err != nil || len(got) != 1 || got[[16]byte{2}] != l[[16]byte{2}] {
		t.Errorf("read as %v, %v", got, err)
	}
}

package storetest_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"os"
	"path/filepath"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// logged is a memstore whose commits are appended to a file, one gob each, and
// done again when it is opened: the simplest store that survives.
type logged struct {
	store.Store
	file *os.File
}

func openLogged(t testing.TB, dir string) store.Store {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := memstore.New()
	if err := file.Truncate(redo(t, s, file)); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, 2); err != nil {
		t.Fatal(err)
	}
	s.OnCommit(func(_ uint64, changes []store.Change) {
		var buf bytes.Buffer
		if err := gob.NewEncoder(&buf).Encode(present(changes)); err != nil {
			panic(err)
		}
		file.Write(buf.Bytes())
	})
	return &logged{s, file}
}

// change is a store.Change that keeps apart an empty value and none.
type change struct {
	Key, Value []byte
	Deleted    bool
}

func present(changes []store.Change) []change {
	var out []change
	for _, c := range changes {
		out = append(out, change{c.Key, c.Value, c.Value == nil})
	}
	return out
}

// redo commits what the file holds and returns where its last whole commit
// ends.
func redo(t testing.TB, s store.Store, file *os.File) int64 {
	data, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(data)
	for {
		end := int64(len(data) - r.Len())
		var changes []change
		if err := gob.NewDecoder(r).Decode(&changes); err != nil {
			return end
		}
		tx, err := s.Begin(context.Background(), true)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Deleted {
				tx.Delete(c.Key)
			} else {
				tx.Set(c.Key, c.Value)
			}
		}
		if _, err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *logged) Close() error {
	err := s.Store.Close()
	s.file.Close()
	return err
}

func TestReopen(t *testing.T) {
	storetest.Run(t,
		func(t testing.TB) store.Store { return openLogged(t, t.TempDir()) },
		storetest.Reopen(openLogged))
}

func TestKill(t *testing.T) { storetest.Kill(t, openLogged, 500) }

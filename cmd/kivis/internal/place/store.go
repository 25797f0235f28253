package place

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/boltstore"
	"github.com/kivisdb/kivis/store/filestore"
	"github.com/kivisdb/kivis/store/pebblestore"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// engine is what is to be known of a kind of store.
type engine struct {
	kind Kind
	dir  bool                   // it is a directory, and not a file
	is   func(path string) bool // recognises one
	open func(path string, o *Options) (store.Store, error)

	// compact gives back space; nil for an engine that does so only by itself.
	compact func(ctx context.Context, path string) error
}

// Options say how to open a store.
type Options struct {
	ReadOnly bool
	Progress func(done, total int64) // of what opening checks or reads; may be nil
}

// Memory is how many bytes an engine may use for its caches: a tool is not the
// program that the machine is for.
const Memory = 16 << 20

var stores = []engine{
	{kind: Badger, dir: true, is: hasFile("KEYREGISTRY", "MANIFEST"), open: openBadger, compact: compactBadger},
	{kind: Pebble, dir: true, is: hasFile("KIVIS"), open: openPebble, compact: compactPebble},
	{kind: Bolt, is: hasBytes(16, "\xed\xda\x0c\xed"), open: openBolt, compact: compactBolt},
	{kind: SQLite, is: isSQLite, open: openSQLite, compact: compactSQLite},
	{kind: Backup, is: isBackup, open: openBackup},
}

func engineOf(k Kind) *engine {
	for i := range stores {
		if stores[i].kind == k {
			return &stores[i]
		}
	}
	return nil
}

// Open opens the store. An error says which file it is about, and ErrInUse
// that another process has it.
func (p Place) Open(o *Options) (store.Store, error) {
	if from := p.origin(); from != nil {
		return p.openAt(from, o)
	}
	e := engineOf(p.Kind)
	if e == nil {
		return nil, fmt.Errorf("there is no kind of store %q; there are %s", p.Kind, kinds())
	}
	st, err := e.open(p.Path, o)
	if errors.Is(err, store.ErrInUse) {
		return nil, fmt.Errorf("%s is in use by another process: %w", p.Path, err)
	}
	return st, err
}

func openBadger(path string, o *Options) (store.Store, error) {
	return opened(badgerstore.Open(path, &badgerstore.Options{ReadOnly: o.ReadOnly, Memory: Memory}))
}

func openPebble(path string, o *Options) (store.Store, error) {
	return opened(pebblestore.Open(path, &pebblestore.Options{ReadOnly: o.ReadOnly, Memory: Memory}))
}

func openBolt(path string, o *Options) (store.Store, error) {
	return opened(boltstore.Open(path, &boltstore.Options{ReadOnly: o.ReadOnly, Progress: o.Progress}))
}

func openSQLite(path string, o *Options) (store.Store, error) {
	return opened(sqlitestore.Open(path, &sqlitestore.Options{ReadOnly: o.ReadOnly, Memory: Memory}))
}

// isSQLite recognises a file of SQLite's with the application_id of a store: others
// are other programs'.
func isSQLite(path string) bool {
	return hasBytes(0, "SQLite format 3\x00")(path) && hasBytes(68, "Kivi")(path)
}

func openBackup(path string, o *Options) (store.Store, error) {
	if !o.ReadOnly {
		return nil, fmt.Errorf("%s is a backup, which never changes: restore it into a store: %w", path, store.ErrReadOnly)
	}
	return opened(filestore.Open(path))
}

func isBackup(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 8)
	_, err = io.ReadFull(f, start)
	return err == nil && filestore.IsBackup(start)
}

// opened returns a store as the interface, which is nil where there is an error.
func opened[S store.Store](st S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return st, nil
}

// Compact gives back the space of what was deleted or overwritten, and returns
// how many bytes the files take before and after.
func (p Place) Compact(ctx context.Context) (before, after int64, err error) {
	e := engineOf(p.Kind)
	switch {
	case p.Elsewhere():
		return 0, 0, fmt.Errorf("a store of kind %s gives space back by itself, and only so", p.Kind)
	case p.Kind == Backup:
		return 0, 0, fmt.Errorf("%s is a backup, which never changes", p.Path)
	case e.compact == nil:
		return 0, 0, fmt.Errorf("a store of kind %s gives space back by itself, and only so", p.Kind)
	}
	if before, err = p.Size(); err != nil {
		return 0, 0, err
	}
	if err = e.compact(ctx, p.Path); err != nil {
		return 0, 0, err
	}
	after, err = p.Size()
	return before, after, err
}

func compactBadger(ctx context.Context, path string) error {
	st, err := badgerstore.Open(path, nil)
	if err != nil {
		return err
	}
	return errors.Join(st.Compact(ctx), st.Close())
}

func compactPebble(ctx context.Context, path string) error {
	st, err := pebblestore.Open(path, nil)
	if err != nil {
		return err
	}
	return errors.Join(st.Compact(ctx), st.Close())
}

func compactBolt(_ context.Context, path string) error {
	_, _, err := boltstore.Compact(path)
	return err
}

func compactSQLite(_ context.Context, path string) error {
	_, _, err := sqlitestore.Compact(path)
	return err
}

// Size returns how many bytes the files of the store take.
func (p Place) Size() (size int64, err error) {
	err = fs.WalkDir(os.DirFS(p.Path), ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil && !engineOf(p.Kind).dir {
		var info os.FileInfo
		if info, err = os.Stat(p.Path); err == nil {
			size = info.Size()
		}
	}
	return size, err
}

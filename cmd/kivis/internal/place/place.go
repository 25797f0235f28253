// Package place finds out what kind of store is where, and opens it.
package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Place is where a database is: the kind of its store, and a path, or the whole URL
// of one that is elsewhere.
type Place struct {
	Kind Kind
	Path string

	make bool // there may be none yet
}

// Kind is a kind of store.
type Kind string

// The kinds of stores, by the names that stand before a path.
const (
	Badger Kind = "badger"
	Pebble Kind = "pebble"
	Bolt   Kind = "bolt"
	SQLite Kind = "sqlite"
	Backup Kind = "backup"
)

// String returns the place as [Find] reads it.
func (p Place) String() string {
	if p.Elsewhere() {
		return p.Path
	}
	return string(p.Kind) + ":" + p.Path
}

// Find returns the place that text names: a kind and a path, such as bolt:FILE,
// or a path alone, whose kind it recognises. There must be a database of that
// kind. With make there may be nothing, or an empty directory, as well: then a
// path alone is of the kind badger. Whether there is anything at a URL, Open finds out.
func Find(text string, make bool) (Place, error) {
	if kind := schemeOf(text); kind != "" {
		return Place{Kind: kind, Path: text, make: make}, nil
	}
	p, err := split(text)
	if err != nil {
		return p, err
	}
	found, err := recognise(p.Path)
	switch {
	case err != nil:
		return p, err
	case make && found == "":
		if p.Kind == "" {
			p.Kind = Badger
		}
		return p, nil
	case found == "" || p.Kind != "" && p.Kind != found:
		return p, missing(p, found)
	}
	return Place{Kind: found, Path: p.Path}, nil
}

// split takes the kind, if there is one, off a text.
func split(text string) (Place, error) {
	kind, path, ok := strings.Cut(text, ":")
	switch {
	case text == "":
		return Place{}, errors.New("the database is \"\"; want a path, such as \".\" for the working directory")
	case ok && isKind(Kind(kind)):
		if path == "" {
			return Place{}, fmt.Errorf("there is no path behind %s", text)
		}
		return Place{Kind: Kind(kind), Path: path}, nil
	case ok && looksLikeKind(kind):
		if _, err := os.Lstat(text); errors.Is(err, fs.ErrNotExist) {
			return Place{}, fmt.Errorf("there is no kind of store %q; there are %s", kind, kinds())
		}
	}
	return Place{Path: text}, nil
}

// looksLikeKind reports whether a person may have meant s as a kind, and not as
// the drive of a path.
func looksLikeKind(s string) bool {
	return len(s) > 1 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func isKind(k Kind) bool {
	return slices.ContainsFunc(stores, func(s engine) bool { return s.kind == k })
}

// kinds returns all kinds, for a message.
func kinds() string {
	var names []string
	for _, s := range stores {
		names = append(names, string(s.kind))
	}
	for _, s := range elsewhere {
		names = append(names, s.schemes[0])
	}
	return strings.Join(names, ", ")
}

// recognise returns the kind of the database at path, or none where nothing is
// there, or an empty directory.
func recognise(path string) (Kind, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	}
	for _, s := range stores {
		if s.dir == info.IsDir() && s.is(path) {
			return s.kind, nil
		}
	}
	if info.IsDir() {
		if names, err := os.ReadDir(path); err != nil || len(names) == 0 {
			return "", err
		}
		return "", fmt.Errorf("the directory %s holds no database of Kivis", path)
	}
	return "", fmt.Errorf("the file %s is no database of Kivis", path)
}

// missing says that the database that p names is not there.
func missing(p Place, found Kind) error {
	if found != "" {
		return fmt.Errorf("%s is a database of kind %s, not %s", p.Path, found, p.Kind)
	}
	if _, err := os.Stat(p.Path); err == nil {
		return fmt.Errorf("there is no database in %s: the directory is empty", p.Path)
	}
	return fmt.Errorf("there is no database %s", p.Path)
}

// hasFile returns a test of a directory for a file in it.
func hasFile(names ...string) func(dir string) bool {
	return func(dir string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			info, err := os.Stat(filepath.Join(dir, name))
			return err == nil && info.Mode().IsRegular()
		})
	}
}

// hasBytes returns a test of a file for bytes at a place in it.
func hasBytes(at int64, want string) func(path string) bool {
	return func(path string) bool {
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		got := make([]byte, len(want))
		_, err = f.ReadAt(got, at)
		return err == nil && string(got) == want
	}
}

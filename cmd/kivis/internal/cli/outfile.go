package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
)

// Who may read a file that is written, as far as the process's mask lets them.
const (
	publicFile  fs.FileMode = 0o666
	privateFile fs.FileMode = 0o600 // as a database is
)

// writeFile writes a file under another name, and gives it its own when it is
// whole and on the disk. A link stays, and what it leads to is replaced. What is
// there and is no file, as a pipe or a device, is written to as it is.
func writeFile(name string, mode fs.FileMode, fn func(w io.Writer) error) error {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory; want a file", name)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(buffered(f, fn), f.Close())
	case err == nil:
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
	}
	return replaceFile(name, mode, fn)
}

// replaceFile is writeFile of a file that is none yet, or is to go.
func replaceFile(name string, mode fs.FileMode, fn func(w io.Writer) error) (err error) {
	other := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text())
	f, err := os.OpenFile(other, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(other))
		}
	}()
	if err = buffered(f, fn); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(other, name)
}

// buffered has fn write to f in large pieces.
func buffered(f *os.File, fn func(w io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<20)
	if err := fn(w); err != nil {
		return err
	}
	return w.Flush()
}

// notOver refuses to write a file over one that it is made from.
func notOver(name string, sources ...string) error {
	info, err := os.Stat(name)
	if err != nil {
		return nil // there is none
	}
	for _, source := range sources {
		if other, err := os.Stat(source); err == nil && os.SameFile(info, other) {
			return fmt.Errorf("%s is what is read; want another file to write to", name)
		}
	}
	return nil
}

// pathOf returns the path of the database that text names, and "" where it has
// none.
func pathOf(text string) string {
	p, err := place.Find(text, false)
	if err != nil || p.Elsewhere() {
		return ""
	}
	return p.Path
}

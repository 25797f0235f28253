package badgerstore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// readCopy returns a directory that Badger can open for reading: dir itself or,
// if its process was killed, one with links to its tables and copies of what is
// sound in its logs. Badger refuses a log that is not cut to its end, and
// deletes tables that are not in the manifest, even when it only reads.
func (s *Store) readCopy(in *inspection) (string, error) {
	if in.clean() {
		return s.dir, nil
	}
	tmp, err := os.MkdirTemp("", "kivis-read-")
	if err != nil {
		return "", fmt.Errorf("badgerstore: %w", err)
	}
	unlock := s.unlock
	s.unlock = func() {
		os.RemoveAll(tmp)
		unlock()
	}
	for _, f := range in.files {
		err = errors.Join(err, s.shadowFile(f.Name(), tmp))
	}
	for _, x := range in.logs {
		if x.First > 0 {
			err = errors.Join(err, copyFile(badgerfile.LogPath(s.dir, x.Fid), badgerfile.LogPath(tmp, x.Fid), x.End))
		}
	}
	if err != nil {
		return "", fmt.Errorf("badgerstore: %s was not closed, and cannot be read without a repair: %w; "+
			"open it once for writing: %w", s.dir, err, store.ErrReadOnly)
	}
	return tmp, nil
}

func (s *Store) shadowFile(name, tmp string) error {
	from, to := filepath.Join(s.dir, name), filepath.Join(tmp, name)
	switch {
	case strings.HasSuffix(name, ".sst"):
		return os.Symlink(from, to)
	case name == badger.ManifestFilename, name == badger.KeyRegistryFileName:
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		return copyFile(from, to, info.Size())
	}
	return nil
}

// copyFile copies the first n bytes of a file.
func copyFile(from, to string, n int64) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(dst, src, n)
	return errors.Join(err, dst.Close())
}

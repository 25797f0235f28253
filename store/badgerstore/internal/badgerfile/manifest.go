package badgerfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// ErrForeign: a manifest is none of Badger's, or one of another program's.
var ErrForeign = errors.New("not a manifest of this program")

// maxLevel is the deepest level of tables there may be.
const maxLevel = 6

// ReadManifest returns the tables that the manifest in dir lists, by their ids.
// The magic number is the one that the program gives to Badger.
func ReadManifest(dir string, magic uint16) (map[uint64]Table, error) {
	path := filepath.Join(dir, badger.ManifestFilename)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, magic, badger.Options{})
	if err != nil {
		return nil, manifestError(path, err)
	}
	tables := make(map[uint64]Table, len(m.Tables))
	for id, t := range m.Tables {
		switch {
		case t.KeyID != 0:
			err = errors.New("is encrypted")
		case t.Compression > options.ZSTD:
			err = fmt.Errorf("has compression %d", t.Compression)
		case t.Level > maxLevel:
			err = fmt.Errorf("is on level %d", t.Level)
		}
		if err != nil {
			return nil, fileError("manifest", path, fmt.Errorf("table %d %w: %w", id, err, ErrUnknown))
		}
		tables[id] = Table{TablePath(dir, id), t.Compression, int(t.Level)}
	}
	return tables, nil
}

// manifestError tells Badger's errors apart, of which there is only the text.
func manifestError(path string, err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "unsupported version"), strings.Contains(text, "invalid manifestChange op"):
		err = fmt.Errorf("%w: %w", err, ErrUnknown)
	case strings.Contains(text, "bad magic"), strings.Contains(text, "external magic"):
		return fmt.Errorf("manifest %s: %w: %w", path, err, ErrForeign)
	}
	return fileError("manifest", path, err)
}

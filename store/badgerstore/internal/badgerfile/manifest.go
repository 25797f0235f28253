package badgerfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// ErrForeign: a manifest is none of Badger's, or one of another program's, or one
// of another release, which is ErrUnknown too.
var ErrForeign = errors.New("not a manifest of this program")

// maxLevel is the deepest level of tables there may be.
const maxLevel = 6

// Manifest is what the manifest says of tables, by their ids.
type Manifest struct {
	Tables  map[uint64]Table
	Deleted map[uint64]bool // of those that are not listed any more
}

// ReadManifest reads the manifest in dir. The magic number is the one that the
// program gives to Badger. Half a change at the end is passed over, as Badger
// does.
func ReadManifest(dir string, magic uint16) (*Manifest, error) {
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
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError("manifest", path, err)
	}
	read := &Manifest{make(map[uint64]Table, len(m.Tables)), deletions(data)}
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
		read.Tables[id] = Table{TablePath(dir, id), t.Compression, int(t.Level)}
		delete(read.Deleted, id)
	}
	return read, nil
}

// deletions returns the tables that a sound manifest has had deleted at any
// time. It is a header and sets of changes: the length of each, its checksum,
// and protocol buffers.
func deletions(data []byte) map[uint64]bool {
	const header, setHeader = 8, 8
	ids := make(map[uint64]bool)
	for data = data[header:]; len(data) >= setHeader; {
		n := int(binary.BigEndian.Uint32(data))
		if n > len(data)-setHeader {
			break
		}
		eachChange(data[setHeader:setHeader+n], func(id, op uint64) {
			if op == 1 {
				ids[id] = true
			}
		})
		data = data[setHeader+n:]
	}
	return ids
}

// eachChange calls f with the changes of a set: messages of numbers, of which
// the first is the table and the second what is done, 0 where it is left out.
func eachChange(set []byte, f func(id, op uint64)) {
	for len(set) > 0 {
		n, size := binary.Uvarint(set[1:])
		if set[0] != 1<<3|2 || size <= 0 || n > uint64(len(set)-1-size) {
			return
		}
		change := set[1+size : 1+size+int(n)]
		id, rest, _ := field(change, 1)
		op, _, _ := field(rest, 2)
		f(id, op)
		set = set[1+size+int(n):]
	}
}

// manifestError tells Badger's errors apart, of which there is only the text.
func manifestError(path string, err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "unsupported version"):
		line, _, _ := strings.Cut(text, "\n")
		err = fmt.Errorf("%s: %w: %w", line, ErrForeign, ErrUnknown)
	case strings.Contains(text, "invalid manifestChange op"):
		err = fmt.Errorf("%w: %w", err, ErrUnknown)
	case strings.Contains(text, "bad magic"), strings.Contains(text, "external magic"):
		return fmt.Errorf("manifest %s: %w: %w", path, err, ErrForeign)
	}
	return fileError("manifest", path, err)
}

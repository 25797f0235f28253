package pebblestore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kivisdb/kivis/store"
)

const (
	guardName   = "KIVIS"
	guardTemp   = "KIVIS.tmp"
	guardFormat = "kivis pebblestore 1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// guard is the file KIVIS. It is written before Pebble goes on wherever it has
// made a log or added to a list of tables, and before it removes one. So whatever
// is in it must be in the directory.
type guard struct {
	fs  vfs.FS
	dir string

	version atomic.Uint64 // that is durable

	mu    sync.Mutex
	state guardState
}

// guardState is what the file says.
type guardState struct {
	closed    bool   // by Close; then the logs hold nothing that is needed
	noSync    bool   // by the last that had it open for writing
	version   uint64 // at least; 0 while the store is being made
	logs      map[string]bool
	manifests map[string]prefix
}

// prefix is the part of a file that was synced.
type prefix struct {
	size int64
	sum  uint32
}

// change changes the state, durably.
func (g *guard) change(f func(st *guardState)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state.version = max(g.state.version, g.version.Load())
	f(&g.state)
	return g.save()
}

// save writes the file.
func (g *guard) save() error {
	temp := g.fs.PathJoin(g.dir, guardTemp)
	f, err := g.fs.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("pebblestore: %w", err)
	}
	_, err = f.Write(g.state.encode())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = g.fs.Rename(temp, g.fs.PathJoin(g.dir, guardName))
	}
	if err == nil {
		err = g.syncDir()
	}
	if err != nil {
		return fmt.Errorf("pebblestore: writing %s: %w", guardName, err)
	}
	return nil
}

func (g *guard) syncDir() error {
	d, err := g.fs.OpenDir(g.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// encode returns the content of the file: lines, the last with a checksum.
func (st *guardState) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nclosed %t\nnosync %t\nversion %d\n", guardFormat, st.closed, st.noSync, st.version)
	for _, name := range slices.Sorted(maps.Keys(st.logs)) {
		fmt.Fprintf(&b, "log %s\n", name)
	}
	for _, name := range slices.Sorted(maps.Keys(st.manifests)) {
		fmt.Fprintf(&b, "manifest %s %d %d\n", name, st.manifests[name].size, st.manifests[name].sum)
	}
	fmt.Fprintf(&b, "sum %08x\n", crc32.Checksum(b.Bytes(), castagnoli))
	return b.Bytes()
}

// decodeGuard returns the state of a file's content.
func decodeGuard(data []byte) (guardState, error) {
	st := guardState{logs: map[string]bool{}, manifests: map[string]prefix{}}
	body := data[:max(0, len(data)-len("sum 00000000\n"))]
	if string(data[len(body):]) != fmt.Sprintf("sum %08x\n", crc32.Checksum(body, castagnoli)) {
		return st, fmt.Errorf("%s does not have its checksum: %w", guardName, store.ErrCorrupt)
	}
	lines := bufio.NewScanner(bytes.NewReader(body))
	if !lines.Scan() || lines.Text() != guardFormat {
		return st, fmt.Errorf("%s is of a format that this release does not know: %w", guardName, ErrForeign)
	}
	for lines.Scan() {
		if err := st.line(strings.Fields(lines.Text())); err != nil {
			return st, fmt.Errorf("%s: line %q: %w: %w", guardName, lines.Text(), err, store.ErrCorrupt)
		}
	}
	return st, nil
}

// line takes a line in.
func (st *guardState) line(words []string) (err error) {
	switch {
	case len(words) == 2 && words[0] == "closed":
		st.closed = words[1] == "true"
	case len(words) == 2 && words[0] == "nosync":
		st.noSync = words[1] == "true"
	case len(words) == 2 && words[0] == "version":
		st.version, err = strconv.ParseUint(words[1], 10, 64)
	case len(words) == 2 && words[0] == "log":
		st.logs[words[1]] = true
	case len(words) == 4 && words[0] == "manifest":
		var p prefix
		_, err = fmt.Sscan(words[2]+" "+words[3], &p.size, &p.sum)
		st.manifests[words[1]] = p
	default:
		err = errors.New("is not known")
	}
	return err
}

// readGuard returns the state in a directory, and false where there is none.
func readGuard(fsys vfs.FS, dir string) (guardState, bool, error) {
	data, err := readFile(fsys, fsys.PathJoin(dir, guardName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return guardState{logs: map[string]bool{}, manifests: map[string]prefix{}}, false, nil
	case err != nil:
		return guardState{}, false, fmt.Errorf("pebblestore: %w", err)
	}
	st, err := decodeGuard(data)
	if err != nil {
		return guardState{}, false, fmt.Errorf("pebblestore: %s: %w", dir, err)
	}
	return st, true, nil
}

func readFile(fsys vfs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

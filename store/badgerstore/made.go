package badgerstore

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// A compaction of Badger's that cannot make one of its tables goes on without it,
// lists the others in the MANIFEST, and removes those that it was made of: what was
// to be in the table is lost, without an error. So each part of a compaction waits
// at its end, which it says in its log, until there are as many new tables as
// compactions were about to make. If there never are, it stays there for good: the
// old tables are still listed, and the next Open finds nothing missing.

// madeLimit is how long a table may take to be made, from the last of its keys
// until its file is there.
// From madeSoon on commits are refused, so that none waits in the engine for the
// compaction.
const (
	madeLimit = 5 * time.Second
	madeSoon  = 300 * time.Millisecond
)

// begin notes that a compactor is about to make a table.
func (g *compactGate) begin(compactor int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.making) == 0 {
		g.newest = 0
		for _, id := range tableIDs(g.dir.path) {
			g.newest = max(g.newest, id)
		}
		g.making = make(map[int]int)
	}
	g.making[compactor]++
	g.busy.Store(true)
}

// waitMade returns once all tables are there that compactions are making.
func (g *compactGate) waitMade() {
	since, last := time.Now(), [2]int{}
	for wait := time.Millisecond; ; wait = min(2*wait, gatePoll) {
		made := g.made()
		if g.broken.Load() != nil {
			select {} // somebody else may have the directory from here on
		}
		if made {
			break
		}
		time.Sleep(wait)
		// Other parts go on making tables: what counts is that nothing happens.
		if now := g.progress(); now != last {
			since, last = time.Now(), now
			g.late.Store(nil)
		}
		if time.Since(since) < madeSoon {
			continue
		}
		err := fmt.Errorf("badgerstore: a compaction in %s could not make all of its tables; it has changed nothing: %w", g.dir.path, g.missing())
		if g.late.Store(&err); time.Since(since) > madeLimit {
			g.breakOff(err)
		}
	}
	g.late.Store(nil)
}

// breakOff has commits fail, those that wait for the compaction as well.
func (g *compactGate) breakOff(err error) {
	if g.broken.CompareAndSwap(nil, &err) {
		close(g.off)
	}
}

// missing returns why a table could not be made, as far as that can be told now: if
// nothing is in the way any more, it was file handles.
func (g *compactGate) missing() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := probe(g.dir.path); err != nil {
		return err
	}
	return syscall.EMFILE
}

// made says whether all tables are there.
func (g *compactGate) made() bool {
	want := g.wanted()
	tables := g.unlisted()
	g.mu.Lock()
	g.found = len(tables)
	g.mu.Unlock()
	switch {
	case want != g.wanted():
		return false // they are not of one moment
	case len(tables) != want || want == 0:
		return len(tables) > want || want == 0
	}
	// A memtable's new table looks the same until it is listed, a moment later.
	if logs, err := badgerfile.ListLogs(g.dir.path); err == nil && len(logs) < 2 {
		return true
	}
	time.Sleep(gatePoll)
	again := g.unlisted()
	tables = slices.DeleteFunc(tables, func(id uint64) bool { return !slices.Contains(again, id) })
	return len(tables) >= g.wanted()
}

// progress returns what changes while compactions make tables.
func (g *compactGate) progress() [2]int {
	want := g.wanted()
	g.mu.Lock()
	defer g.mu.Unlock()
	return [2]int{want, g.found}
}

// wanted returns how many tables compactions are making.
func (g *compactGate) wanted() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for made := range maps.Values(g.making) {
		n += made
	}
	return n
}

// unlisted returns the new tables that the MANIFEST does not list: it does once
// their compaction has ended.
func (g *compactGate) unlisted() []uint64 {
	// First the files: a compaction that ends meanwhile lists its own.
	ids := tableIDs(g.dir.path)
	tables, deleted, err := readManifest(g.dir.path)
	if err != nil {
		return nil // it is being written
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(ids, func(id uint64) bool { return id <= g.newest || tables[id] != nil || deleted[id] })
}

// tableIDs returns the numbers of the table files of a directory.
func tableIDs(dir string) (ids []uint64) {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	for _, path := range paths {
		if id, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), ".sst"), 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

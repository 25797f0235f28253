package badgerstore

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Options say how to open a store. The zero value, like nil, is a durable,
// writable store of moderate memory.
type Options struct {
	// NoSync lets Commit return before the disk has the data. What Commit has
	// returned for then survives the end of the process, but not that of the
	// machine: a power failure may lose the latest commits, from some version
	// on, and tear the last one that is left if it was a big one.
	NoSync bool

	// ReadOnly opens a store that refuses writes and changes none of its
	// files. Several processes may hold it so at once, none beside a writer.
	ReadOnly bool

	// Memory is about how many bytes the engine may use in all: a quarter for
	// cached blocks, the rest for recent writes and compactions. Under heavy load
	// a process has up to three times as much and 150 MB, of which garbage is
	// about half: with [runtime/debug.SetMemoryLimit] at twice as much and 80 MB it
	// stays under twice as much and 100 MB. Transactions come on top, and two or
	// three times the size of a value of many megabytes. 0 is 64 MiB; the least is
	// 16 MiB.
	Memory int64

	// MaxTx is how many bytes one transaction may write before it gets
	// [store.ErrTxTooLarge]: keys, values, and 64 for each key. They are in
	// memory until it ends. 0 is 512 MiB.
	MaxTx int64

	// NoTidy leaves out the tidying-up that, after heavy writing, makes scans
	// fast again as soon as no commit has come for a moment.
	NoTidy bool

	// NoVerify leaves out the check of the table files' checksums before their
	// first use. Damage may then show as rows that are silently missing.
	NoVerify bool

	// Logger gets the engine's warnings. nil is silence.
	Logger *slog.Logger
}

const (
	defaultMemory = 64 << 20
	minMemory     = 16 << 20
	defaultMaxTx  = 512 << 20
	minMaxTx      = 1 << 16
)

// validate returns the options with defaults filled in, or all their faults.
func (o *Options) validate() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	var faults []error
	if opts.Memory == 0 {
		opts.Memory = defaultMemory
	}
	if opts.Memory < minMemory {
		faults = append(faults, fmt.Errorf("badgerstore: Options.Memory is %d; want at least %d, or 0 for %d",
			opts.Memory, int64(minMemory), int64(defaultMemory)))
	}
	if opts.MaxTx == 0 {
		opts.MaxTx = defaultMaxTx
	}
	if opts.MaxTx < minMaxTx {
		faults = append(faults, fmt.Errorf("badgerstore: Options.MaxTx is %d; want at least %d, or 0 for %d",
			opts.MaxTx, int64(minMaxTx), int64(defaultMaxTx)))
	}
	return opts, errors.Join(faults...)
}

// memtable returns the size of one memtable: a sixteenth of the memory. Up to
// three are alive (written, waiting, being flushed), each of which takes a
// quarter more than its size, and the builders of tables, of which Badger keeps
// eight, each grow to several times of it. Bigger ones were not faster.
func (o *Options) memtable() int64 {
	return min(max(o.Memory/16, 2<<20), 64<<20)
}

// The magic number in Badger's MANIFEST: K, and the version of the layout of
// the keys. Badger refuses a directory that has another one.
const magic = uint16('K')<<8 | 1

// badger returns Badger's options. A release that this package was not tested
// with locks, syncs and checks by itself.
func (o *Options) badger(dir string, tested bool) badger.Options {
	mem := o.memtable()
	b := badger.DefaultOptions(dir).
		WithReadOnly(o.ReadOnly).
		WithSyncWrites(!o.NoSync && !(ownSync && tested)).
		WithLogger(nil).
		WithMetricsEnabled(false).
		WithBypassLockGuard(ownLock && tested).
		WithExternalMagic(magic)

	// Conflicts are ours: Badger's own do not see phantoms.
	b = b.WithDetectConflicts(false).WithNumVersionsToKeep(1)

	b = b.WithMemTableSize(mem).
		WithNumMemtables(1).
		WithBaseTableSize(mem / 4).
		WithBaseLevelSize(o.baseLevel()).
		WithMaxLevels(lastLevel + 1).
		WithNumCompactors(2).
		WithNumLevelZeroTables(levelZeroTables).
		WithBlockCacheSize(o.Memory / 4).
		WithIndexCacheSize(0) // only encrypted stores use it

	// Tables are checked as a whole before their first use, since an error of a
	// block read on the way gets lost in Badger; see tablecheck.go.
	b = b.WithChecksumVerificationMode(options.NoVerification)
	if !tested && !o.NoVerify {
		b = b.WithChecksumVerificationMode(options.OnTableAndBlockRead)
	}

	// Nothing ever goes to the value log: bigger values are cut into pieces,
	// see blob.go. So the log needs no size, and no collection of garbage.
	return b.WithValueThreshold(maxInline + 1).
		WithValueLogFileSize(1 << 20)
}

// baseLevel returns how big the level below level 0 is to become.
func (o *Options) baseLevel() int64 { return o.memtable() * 5 / 4 }

const lastLevel = 6

// maxInline is how big a value may be that is an entry as a whole: see blob.go.
const maxInline = 128 << 10

// levelZeroTables is how many flushed memtables start a compaction. Badger's
// default of 5 leaves up to 4 for every scan to merge, with all the versions of
// their keys; under load a compaction takes all there are in any case, so that
// a low number costs no throughput that could be measured.
const levelZeroTables = 2

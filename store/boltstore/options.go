package boltstore

import (
	"errors"
	"fmt"
	"log/slog"

	bolt "go.etcd.io/bbolt"
)

// Options say how to open a store. The zero value, like nil, is a durable,
// writable store.
type Options struct {
	// NoSync lets Commit return before the disk has the data. What Commit has
	// returned for then survives the end of the process, but a power failure may
	// damage the store beyond repair: Open says so, if it does. A store that has
	// been closed is safe.
	NoSync bool

	// ReadOnly opens a store that refuses writes and changes nothing in its file.
	// Several processes may hold it so at once, none beside a writer.
	ReadOnly bool

	// MaxSize is how many bytes the file may grow to while the store is open:
	// that much of the address space is taken for it, and no memory. 0 is 64 GiB,
	// or four times the file where that is more; where the system does not give
	// as much, less, but twice the file at least.
	MaxSize int64

	// MaxTx is how many bytes one transaction may write before it gets
	// [store.ErrTxTooLarge]: keys, values, and 64 for each key. They are in
	// memory until it ends. 0 is 512 MiB, the most 1 GiB.
	MaxTx int64

	// NoVerify leaves out the check of the whole file at Open, which takes about a
	// second for a gigabyte that is in memory. Damage to the file's pages may then
	// show as rows that are silently missing, do more damage at commits, or end
	// the process.
	NoVerify bool

	// Progress, if set, is called now and then while Open checks the file, with
	// the bytes that it has checked and those that there are.
	Progress func(done, total int64)

	// Logger gets warnings. nil is silence.
	Logger *slog.Logger
}

const (
	defaultMaxSize = 64 << 30
	minMaxSize     = 1 << 20
	defaultMaxTx   = 512 << 20
	minMaxTx       = 1 << 16
	maxMaxTx       = 1 << 30
)

// validate returns the options with defaults filled in, or all their faults.
func (o *Options) validate() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	var faults []error
	if opts.MaxSize != 0 && opts.MaxSize < minMaxSize {
		faults = append(faults, fmt.Errorf("boltstore: Options.MaxSize is %d; want at least %d, or 0 for %d",
			opts.MaxSize, int64(minMaxSize), int64(defaultMaxSize)))
	}
	if opts.MaxTx == 0 {
		opts.MaxTx = defaultMaxTx
	}
	if opts.MaxTx < minMaxTx || opts.MaxTx > maxMaxTx {
		faults = append(faults, fmt.Errorf("boltstore: Options.MaxTx is %d; want %d to %d, or 0 for %d",
			opts.MaxTx, int64(minMaxTx), int64(maxMaxTx), int64(defaultMaxTx)))
	}
	return opts, errors.Join(faults...)
}

// pageSize is that of new files. It does not depend on the machine, so that a file
// can be taken from one to another.
const pageSize = 4096

// bolt returns bbolt's options for a file of which so much is mapped. bbolt maps
// anew when it has to, and waits for every reader before it does, so it must never
// have to: it refuses to grow beyond what is mapped at first.
func (o *Options) bolt(mapped int64) *bolt.Options {
	return &bolt.Options{
		NoSync:          o.NoSync,
		NoGrowSync:      o.NoSync,
		ReadOnly:        o.ReadOnly,
		InitialMmapSize: int(mapped),
		MaxSize:         int(mapped),
		PageSize:        pageSize,
		FreelistType:    bolt.FreelistArrayType, // kept sorted, as each commit writes it
		NoStatistics:    true,
	}
}

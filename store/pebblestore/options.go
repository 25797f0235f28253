package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// Options say how to open a store. The zero value, like nil, is a durable,
// writable store of moderate memory.
type Options struct {
	// NoSync lets Commit return before the disk has the data. What Commit has
	// returned for then survives the end of the process, but not that of the
	// machine: a power failure may lose the latest commits, from some version on.
	NoSync bool

	// ReadOnly opens a store that refuses writes and changes none of its files.
	// Several processes may hold it so at once, none beside a writer.
	ReadOnly bool

	// Memory is about how many bytes the engine may use in all: half of it for
	// cached blocks, the rest for recent writes and compactions. Transactions come
	// on top. 0 is 64 MiB; the least is 8 MiB.
	Memory int64

	// MaxTx is how many bytes one transaction may write before it gets
	// [store.ErrTxTooLarge]: keys, values, and 64 for each key. They are in
	// memory until it ends. 0 is 512 MiB, the most 1 GiB.
	MaxTx int64

	// Logger gets the engine's warnings. nil is silence.
	Logger *slog.Logger
}

const (
	defaultMemory = 64 << 20
	minMemory     = 8 << 20
	defaultMaxTx  = 512 << 20
	minMaxTx      = 1 << 16
	maxMaxTx      = 1 << 30
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
		faults = append(faults, fmt.Errorf("pebblestore: Options.Memory is %d; want at least %d, or 0 for %d",
			opts.Memory, int64(minMemory), int64(defaultMemory)))
	}
	if opts.MaxTx == 0 {
		opts.MaxTx = defaultMaxTx
	}
	if opts.MaxTx < minMaxTx || opts.MaxTx > maxMaxTx {
		faults = append(faults, fmt.Errorf("pebblestore: Options.MaxTx is %d; want %d to %d, or 0 for %d",
			opts.MaxTx, int64(minMaxTx), int64(maxMaxTx), int64(defaultMaxTx)))
	}
	return opts, errors.Join(faults...)
}

// memtable returns the size of one memtable. Two are alive as a rule, being
// written and being flushed, and a quarter is for them.
func (o *Options) memtable() int64 { return min(max(o.Memory/8, 1<<20), 64<<20) }

// format is the version of Pebble's files. A newer release of this package may
// read older ones and write newer ones; none goes back.
const format = pebble.FormatTableFormatV6

// pebble returns Pebble's options. The caller gives the cache back.
func (o *Options) pebble() *pebble.Options {
	opts := &pebble.Options{
		Cache:                       pebble.NewCache(o.Memory / 2),
		ReadOnly:                    o.ReadOnly,
		FormatMajorVersion:          format,
		MemTableSize:                uint64(o.memtable()),
		MemTableStopWritesThreshold: 4,
		MaxOpenFiles:                256,
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return opts
}

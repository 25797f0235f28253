package sqlitestore

import (
	"errors"
	"fmt"
	"log/slog"
)

// Options say how to open a store. The zero value, like nil, is a durable,
// writable store.
type Options struct {
	// NoSync lets Commit return before the disk has the data. What Commit has
	// returned for then survives the end of the process, but a power failure may
	// lose the newest commits. A store that has been closed is safe. Open with
	// NoSync also accepts the loss where the log of a store that was not closed
	// is missing, or damaged at its end: see the package comment.
	NoSync bool

	// ReadOnly opens a store that refuses writes and changes nothing on the disk,
	// nor makes a file beside it. Several processes may hold a store so at once,
	// none beside a writer.
	ReadOnly bool

	// Memory is about how many bytes the caches of pages may take; each older
	// version that is read beside the newest may add an eighth. 0 is 64 MiB, the
	// least 1 MiB.
	Memory int64

	// MaxTx is how many bytes one transaction may write before it gets
	// [store.ErrTxTooLarge]: keys, values, and 64 for each key. They are in
	// memory until it ends. 0 is 512 MiB, the most 900 MiB.
	MaxTx int64

	// Logger gets warnings. nil is silence.
	Logger *slog.Logger
}

const (
	defaultMemory = 64 << 20
	minMemory     = 1 << 20
	defaultMaxTx  = 512 << 20
	minMaxTx      = 1 << 16
	maxMaxTx      = 900 << 20 // SQLite takes no value of 1e9 bytes
)

// validate returns the options with defaults filled in, or all their faults.
func (o *Options) validate() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Memory == 0 {
		opts.Memory = defaultMemory
	}
	if opts.MaxTx == 0 {
		opts.MaxTx = defaultMaxTx
	}
	var faults []error
	if opts.Memory < minMemory {
		faults = append(faults, fmt.Errorf("sqlitestore: Options.Memory is %d; want at least %d, or 0 for %d",
			opts.Memory, int64(minMemory), int64(defaultMemory)))
	}
	if opts.MaxTx < minMaxTx || opts.MaxTx > maxMaxTx {
		faults = append(faults, fmt.Errorf("sqlitestore: Options.MaxTx is %d; want %d to %d, or 0 for %d",
			opts.MaxTx, int64(minMaxTx), int64(maxMaxTx), int64(defaultMaxTx)))
	}
	return opts, errors.Join(faults...)
}

// warn logs a warning.
func (o *Options) warn(msg string, args ...any) {
	if o.Logger != nil {
		o.Logger.Warn("sqlitestore: "+msg, args...)
	}
}

package remote

import (
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store"
)

// Options are the settings of a [Store]. The zero value is the default.
type Options struct {
	// ReadOnly refuses write transactions.
	ReadOnly bool

	// Lag, if not 0, lets a read-only transaction see the newest version that is
	// known here, if that was the newest of all at most so long ago: it then
	// begins without a request. Write transactions always begin at the newest.
	Lag time.Duration

	// Timeout is how long one request may take; 0 is 10 seconds.
	Timeout time.Duration

	// Patience is how long a call is tried again while the engine cannot be
	// reached; 0 is 5 seconds, less than 0 not at all.
	Patience time.Duration

	// MaxTx is how many bytes one transaction may write, keys included; 0 is 64 MiB.
	MaxTx int64

	// MaxKey, if not 0, is the length of the longest key that the engine takes.
	MaxKey int
}

const (
	defaultTimeout  = 10 * time.Second
	defaultPatience = 5 * time.Second
	defaultMaxTx    = 64 << 20
)

// filled returns the options with defaults, or what is wrong with them.
func (o *Options) filled() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	switch {
	case opts.Lag < 0:
		return opts, fmt.Errorf("remote: Options.Lag is %v; want 0 or more", opts.Lag)
	case opts.Timeout < 0:
		return opts, fmt.Errorf("remote: Options.Timeout is %v; want more than 0, or 0 for %v", opts.Timeout, defaultTimeout)
	case opts.MaxTx < 0:
		return opts, fmt.Errorf("remote: Options.MaxTx is %d; want more than 0, or 0 for %d", opts.MaxTx, int64(defaultMaxTx))
	}
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Patience == 0 {
		opts.Patience = defaultPatience
	}
	if opts.MaxTx == 0 {
		opts.MaxTx = defaultMaxTx
	}
	return opts, nil
}

// writeCost is what a write takes in memory besides its key and value.
const writeCost = 64

// limit is the limit of one transaction.
func (o *Options) limit(keys, bytes int) error {
	if int64(bytes)+int64(keys)*writeCost <= o.MaxTx {
		return nil
	}
	return fmt.Errorf("remote: the transaction has written more than Options.MaxTx, %d bytes: %w", o.MaxTx, store.ErrTxTooLarge)
}

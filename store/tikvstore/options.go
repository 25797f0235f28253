package tikvstore

import (
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store/remote"
)

// Options are the settings of a [Store]. The zero value is the default.
type Options struct {
	// ReadOnly refuses write transactions, and makes nothing in the cluster.
	ReadOnly bool

	// MustExist has Open fail with an error that matches fs.ErrNotExist where there is
	// no store, rather than make one.
	MustExist bool

	// Lag, Timeout, Patience and MaxTx are as in [remote.Options].
	Lag      time.Duration
	Timeout  time.Duration
	Patience time.Duration
	MaxTx    int64

	// Keep is how long a version can be read, and how long the feed goes back,
	// after another has taken its place; 0 is an hour, the least is a minute. The
	// feed of all processes that have the store open goes back by the shortest of
	// their times.
	Keep time.Duration

	// Poll is how often the cluster is asked for what others have committed while
	// somebody waits for it; 0 is 100 milliseconds.
	Poll time.Duration

	// GC has this process move the safe point of the cluster, up to which TiKV drops
	// old versions of whatever it keeps, for whomever. It is for a cluster where
	// nothing else does so: one without TiDB. Service safe points are heeded.
	GC bool
}

const (
	defaultKeep = time.Hour
	defaultPoll = 100 * time.Millisecond

	// leastKeep is well above blindFor.
	leastKeep = time.Minute
)

// filled returns the options with defaults, or what is wrong with them.
func (o *Options) filled() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	switch {
	case opts.Keep < 0 || opts.Keep > 0 && opts.Keep < leastKeep:
		return opts, fmt.Errorf("tikvstore: Options.Keep is %v; want at least %v, or 0 for %v", opts.Keep, leastKeep, defaultKeep)
	case opts.Poll < 0:
		return opts, fmt.Errorf("tikvstore: Options.Poll is %v; want more than 0, or 0 for %v", opts.Poll, defaultPoll)
	case opts.GC && opts.ReadOnly:
		return opts, fmt.Errorf("tikvstore: Options.GC is set, and Options.ReadOnly: want one of them")
	}
	if opts.Keep == 0 {
		opts.Keep = defaultKeep
	}
	if opts.Poll == 0 {
		opts.Poll = defaultPoll
	}
	return opts, nil
}

// remote returns the options of the store over the cluster.
func (o *Options) remote() *remote.Options {
	return &remote.Options{ReadOnly: o.ReadOnly, Lag: o.Lag, Timeout: o.Timeout, Patience: o.Patience, MaxTx: o.MaxTx, MaxKey: maxKey}
}

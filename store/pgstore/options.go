package pgstore

import (
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store/remote"
)

// Options are the settings of a [Store]. The zero value is the default.
type Options struct {
	// ReadOnly refuses write transactions, and makes nothing at the server.
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
	// after another has taken its place; 0 is an hour. What any process that has
	// the store open asks for is dropped after the shortest of their times.
	Keep time.Duration

	// Replicas are URLs of servers that follow the one of Open's by streaming replication,
	// one each, without kivis_db. A read-only transaction reads from one that has what it
	// is to see, else from the server itself, so that a replica costs time at worst. Begin,
	// and all that write transactions do, is the server's.
	Replicas []string

	// Poll is how often the server is asked for what others have committed where
	// its notifications do not arrive; 0 is a second.
	Poll time.Duration
}

const (
	defaultKeep = time.Hour
	defaultPoll = time.Second
	leastKeep   = time.Second // well above what a commit takes that is sent again
)

// filled returns the options with defaults, or what is wrong with them.
func (o *Options) filled() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	switch {
	case opts.Keep < 0 || opts.Keep > 0 && opts.Keep < leastKeep:
		return opts, fmt.Errorf("pgstore: Options.Keep is %v; want at least %v, or 0 for %v", opts.Keep, leastKeep, defaultKeep)
	case opts.Poll < 0:
		return opts, fmt.Errorf("pgstore: Options.Poll is %v; want more than 0, or 0 for %v", opts.Poll, defaultPoll)
	}
	if opts.Keep == 0 {
		opts.Keep = defaultKeep
	}
	if opts.Poll == 0 {
		opts.Poll = defaultPoll
	}
	return opts, nil
}

// remote returns the options of the store over the server.
func (o *Options) remote() *remote.Options {
	return &remote.Options{ReadOnly: o.ReadOnly, Lag: o.Lag, Timeout: o.Timeout, Patience: o.Patience, MaxTx: o.MaxTx}
}

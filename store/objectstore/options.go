package objectstore

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// Options are the settings of a [Store]. The zero value is the default.
type Options struct {
	// ReadOnly refuses write transactions, and writes nothing to the bucket.
	ReadOnly bool

	// MustExist has Open fail with an error that matches fs.ErrNotExist where there is
	// no store, rather than make one.
	MustExist bool

	// State is the local store that the entries are kept in, which is this store's
	// alone, and is closed with it, also where Open fails. If it outlives the
	// process the next Open goes on from where it was. Nil is memory.
	State store.Store

	// Lag, Patience and MaxTx are as in [remote.Options]; MaxTx is at most 1 GiB.
	Lag      time.Duration
	Patience time.Duration
	MaxTx    int64

	// Timeout is how long one request may take, beside a second for each 256 KiB
	// that it carries; 0 is 10 seconds.
	Timeout time.Duration

	// Keep is how long the log goes back behind a checkpoint; 0 is an hour. A process
	// that has been away for longer reads a checkpoint anew.
	Keep time.Duration

	// Checkpoint is how many bytes of log bring on a checkpoint, or as many as the
	// last one has, if that is more; 0 is 64 MiB. So do 10,000 commits.
	Checkpoint int64

	// Poll is how often the bucket is asked for what others have committed while
	// somebody waits for it; 0 is a second.
	Poll time.Duration

	// Progress, if set, is told how many bytes of a checkpoint have been read, of how
	// many, while Open reads one.
	Progress func(done, total int64)

	// AccessKey, SecretKey and Token say who is asking. Without them they are found
	// where Amazon's tools find them: in the environment, in the file of
	// credentials, or from the machine.
	AccessKey, SecretKey, Token string

	// Transport makes the requests; nil is a transport of its own.
	Transport http.RoundTripper
}

const (
	defaultTimeout    = 10 * time.Second
	defaultPatience   = 5 * time.Second
	defaultKeep       = time.Hour
	defaultCheckpoint = 64 << 20
	defaultPoll       = time.Second

	maxKey = 64 << 10 // the longest key that a checkpoint takes
	maxTx  = 1 << 30  // so that no value is longer than a checkpoint takes
)

// filled returns the options with defaults, or what is wrong with them.
func (o *Options) filled() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	switch {
	case opts.Timeout < 0:
		return opts, fmt.Errorf("objectstore: Options.Timeout is %v; want more than 0, or 0 for %v", opts.Timeout, defaultTimeout)
	case opts.Keep < 0:
		return opts, fmt.Errorf("objectstore: Options.Keep is %v; want more than 0, or 0 for %v", opts.Keep, defaultKeep)
	case opts.Checkpoint < 0:
		return opts, fmt.Errorf("objectstore: Options.Checkpoint is %d; want more than 0, or 0 for %d", opts.Checkpoint, int64(defaultCheckpoint))
	case opts.Poll < 0:
		return opts, fmt.Errorf("objectstore: Options.Poll is %v; want more than 0, or 0 for %v", opts.Poll, defaultPoll)
	case opts.MaxTx > maxTx:
		return opts, fmt.Errorf("objectstore: Options.MaxTx is %d; want at most %d", opts.MaxTx, maxTx)
	case (opts.AccessKey == "") != (opts.SecretKey == ""):
		return opts, fmt.Errorf("objectstore: of Options.AccessKey and Options.SecretKey only one is set")
	}
	setDefault(&opts.Timeout, defaultTimeout)
	setDefault(&opts.Patience, defaultPatience)
	setDefault(&opts.Keep, defaultKeep)
	setDefault(&opts.Checkpoint, defaultCheckpoint)
	setDefault(&opts.Poll, defaultPoll)
	return opts, nil
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// remote returns the options of the store over the log.
func (o *Options) remote() *remote.Options {
	return &remote.Options{ReadOnly: o.ReadOnly, Lag: o.Lag, Patience: o.Patience, MaxTx: o.MaxTx, MaxKey: maxKey}
}

package cache

import (
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// Options are what a [Store] may be told. Nil and the zero value are the defaults.
type Options struct {
	// Lag lets read-only transactions begin on a version that was the newest
	// at most so long ago, without a request. What one transaction sees is of
	// one version all the same, and write transactions are as ever.
	Lag time.Duration

	// Feed is how long the origin is told to keep its feed, if it is a
	// store.FeedKeeper, so that layers which are opened again learn what they
	// have missed. Nil has it told of the default bounds if there is such a
	// layer.
	Feed *store.Feed
}

func (o *Options) check() error {
	if o.Lag < 0 {
		return fmt.Errorf("cache: Options.Lag is %v; want 0 or more", o.Lag)
	}
	return nil
}

// Layer is one layer of a stack: [Memory], [Persistent] or [Archive].
type Layer struct {
	name    string
	open    func() store.Store
	max     int64
	bounded bool
	keeps   bool
	archive bool
}

// least is how many bytes a layer must be given: below that, next to nothing fits.
const least = 16 << 10

// make makes the layer.
func (d Layer) make(h *history) (*layer, error) {
	switch {
	case d.open == nil || d.open() == nil:
		return nil, errors.New("no layer; use Memory, Persistent or Archive, with a store")
	case d.bounded && d.max < least:
		return nil, fmt.Errorf("may hold %d bytes; want %d at least", d.max, least)
	}
	l := &layer{name: d.name, local: d.open(), max: d.max, keeps: d.keeps, archive: d.archive, hist: h, lost: make(chan struct{}, 1)}
	l.known.Store(newIntervals())
	if !d.keeps {
		l.mem, _ = l.local.(*memstore.Store)
	}
	if d.bounded {
		l.policy = newPolicy(d.max)
	}
	if d.keeps {
		l.prefix = entryKey
		return l, l.load()
	}
	return l, nil
}

package tikvstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tikv/client-go/v2/tikv"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var (
	_ store.Store   = (*Store)(nil)
	_ store.Getter  = (*Store)(nil)
	_ store.Feeder  = (*Store)(nil)
	_ store.Watcher = (*Store)(nil)
)

// Store is a [store.Store] in a TiKV cluster.
type Store struct {
	*remote.Store
	backend *backend
}

// Open opens the store that a URL says, and makes it if it is not there.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	p, err := placeOf(url)
	if err != nil {
		return nil, err
	}
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	client, err := connect(ctx, p, opts.Patience)
	if err != nil {
		return nil, err
	}
	s, err := OpenClient(ctx, client, p.name, o)
	if err != nil {
		client.Close()
		return nil, err
	}
	s.backend.own = true
	return s, nil
}

// OpenClient is Open with a client that the program has made, such as the KVStore of a
// txnkv.Client: with settings of its own, or for several stores in one cluster. The
// client must outlive the store, which does not close it.
func OpenClient(ctx context.Context, client *tikv.KVStore, name string, o *Options) (*Store, error) {
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	b := newBackend(client, name, opts)
	if err := b.prepare(ctx); err != nil {
		b.Close()
		return nil, fmt.Errorf("tikvstore: opening %s: %w", name, err)
	}
	s, err := remote.Open(ctx, b, opts.remote())
	if err != nil {
		b.Close()
		return nil, err
	}
	b.maintaining()
	return &Store{s, b}, nil
}

// prepare has the store be there, and its versions be kept.
func (b *backend) prepare(ctx context.Context) error {
	patience := b.opts.Patience
	if patience == 0 {
		patience = defaultPatience
	}
	for until := time.Now().Add(patience); ; {
		err := b.prepareOnce(ctx)
		if !errors.Is(err, store.ErrUnreachable) || ctx.Err() != nil || time.Now().After(until) {
			return err
		}
		if err := pause(ctx, 10); err != nil {
			return err
		}
	}
}

func (b *backend) prepareOnce(ctx context.Context) error {
	timeout := b.opts.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := b.create(ctx); err != nil {
		return err
	}
	return b.renew(ctx)
}

// Self implements [store.Getter].
func (s *Store) Self() store.Store { return s }

// Drop removes the store that a URL says, with all that it holds. Nobody may have it
// open. There is no error where there is none.
func Drop(ctx context.Context, url string) error {
	p, err := placeOf(url)
	if err != nil {
		return err
	}
	client, err := connect(ctx, p, 0)
	if err != nil {
		return err
	}
	defer client.Close()
	return DropClient(ctx, client, p.name)
}

// DropClient is Drop with a client that the program has made.
func DropClient(ctx context.Context, client *tikv.KVStore, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	l := layoutOf(name)
	_, err := client.DeleteRange(ctx, l.prefix, l.end(), 1)
	return outcome(err)
}

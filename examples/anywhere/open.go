package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pingcap/log"
	"go.uber.org/zap/zapcore"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/objectstore"
	"github.com/kivisdb/kivis/store/pgstore"
	"github.com/kivisdb/kivis/store/tikvstore"
)

// open opens the store at a place. One that is a server, or a cluster, gets a layer in
// front that keeps what was read: no answer is another for it.
func open(ctx context.Context, at string, near int64) (store.Store, error) {
	kind, path, _ := strings.Cut(at, ":")
	switch kind {
	case "mem":
		return memstore.New(), nil
	case "badger":
		return badgerstore.Open(path, nil)
	case "postgres", "postgresql":
		st, err := pgstore.Open(ctx, at, nil)
		if err != nil {
			return nil, err
		}
		return behind(st, near)
	case "tikv":
		log.SetLevel(zapcore.WarnLevel) // of TiKV's client
		st, err := tikvstore.Open(ctx, at, nil)
		if err != nil {
			return nil, err
		}
		return behind(st, near)
	case "s3":
		return objectstore.Open(ctx, at, nil) // has its entries here anyhow
	}
	return nil, fmt.Errorf("there is no kind of place %q; there are mem:, badger:DIR, and the URLs of postgres, tikv and s3", kind)
}

// behind puts a layer in memory in front of a store.
func behind(st store.Store, bytes int64) (store.Store, error) {
	if bytes == 0 {
		return st, nil
	}
	layered, err := cache.Stack(st, cache.Memory(bytes))
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return layered, nil
}

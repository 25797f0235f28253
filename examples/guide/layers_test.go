package guide

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

func openLayered(far store.Store, dir string) (*kivis.DB, *cache.Store, error) {
	local, err := badgerstore.Open(dir, &badgerstore.Options{NoSync: true})
	if err != nil {
		return nil, nil, err
	}
	layered, err := cache.Stack(far, cache.Memory(64<<20), cache.Archive(local))
	if err != nil {
		return nil, nil, errors.Join(err, local.Close())
	}
	db, err := kivis.Open(layered, nil)
	return db, layered, err
}

func printLayers(s *cache.Store) {
	for _, l := range s.Stats().Layers {
		fmt.Printf("%s: %d hits, %d misses, %d bytes, as of version %d\n", l.Name, l.Hits, l.Misses, l.Bytes, l.Position)
	}
}

func namesOffline(ctx context.Context, db *kivis.DB, layered *cache.Store) ([]string, error) {
	list, err := customers.With(db).Query().Collect(cache.Offline(ctx))
	if err != nil {
		return nil, fmt.Errorf("as of %v ago: %w", layered.Age(), err)
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names, nil
}

func keepNewest(ctx context.Context, db *kivis.DB) error {
	return db.Keep(ctx, "newest customers", func(ctx context.Context, tx *kivis.Tx) error {
		_, err := customers.With(tx).Query().OrderBy(customers.Key().Desc()).Limit(100).Collect(ctx)
		return err
	})
}

// TestKeep keeps what a page shows, and shows it without the origin.
func TestKeep(t *testing.T) {
	ctx := t.Context()
	far := slowstore.Wrap(memstore.New(), slowstore.Options{})
	layered, err := cache.Stack(far, cache.Persistent(memstore.New(), 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	db, err := kivis.Open(layered, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Customer{}, &Order{}); err != nil {
		t.Fatal(err)
	}
	if err := keepNewest(ctx, db); err != nil {
		t.Fatal(err)
	}
	if _, err := customers.With(db).Insert(ctx, &Customer{Name: "Ada", Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	if err := layered.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	far.Cut()
	list, err := customers.With(db).Query().OrderBy(customers.Key().Desc()).Limit(100).Collect(cache.Offline(ctx))
	if err != nil || len(list) != 1 {
		t.Errorf("offline: %v, %v", list, err)
	}
	far.Mend()
	if err := db.Forget("newest customers"); err != nil {
		t.Fatal(err)
	}
}

func TestLayers(t *testing.T) {
	ctx := t.Context()
	far := slowstore.Wrap(memstore.New(), slowstore.Options{})
	db, layered, err := openLayered(far, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Customer{}, &Order{}); err != nil {
		t.Fatal(err)
	}
	if _, err := customers.With(db).Insert(ctx, &Customer{Name: "Ada", Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	if err := layered.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	printLayers(layered)
	far.Cut()
	names, err := namesOffline(ctx, db, layered)
	if err != nil || len(names) != 1 || names[0] != "Ada" {
		t.Errorf("offline: %q, %v", names, err)
	}
	if _, err := customers.With(db).Query().Collect(ctx); !errors.Is(err, kivis.ErrUnreachable) {
		t.Errorf("as of now: %v, want ErrUnreachable", err)
	}
}

package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/boltstore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/pebblestore"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// kivisDB is Kivis, used as its guide says, without options that trade
// anything for speed.
type kivisDB struct {
	db      *kivis.DB
	records kivis.Table[Record, uint64]
	ctx     context.Context
}

// The fields that are asked for.
var (
	recordName  = kivis.FieldOf(func(r *Record) *string { return &r.Name })
	recordEmail = kivis.FieldOf(func(r *Record) *string { return &r.Email })
	recordCity  = kivis.FieldOf(func(r *Record) *string { return &r.City })
	recordAge   = kivis.FieldOf(func(r *Record) *int { return &r.Age })
)

func openKivisBadger(cfg Config) (Contender, error) {
	st, err := badgerstore.Open(cfg.Dir, &badgerstore.Options{NoSync: !cfg.Durable, Memory: cfg.Memory})
	if err != nil {
		return nil, err
	}
	return openKivis(st)
}

func openKivisBolt(cfg Config) (Contender, error) {
	st, err := boltstore.Open(filepath.Join(cfg.Dir, "records.db"), &boltstore.Options{NoSync: !cfg.Durable})
	if err != nil {
		return nil, err
	}
	return openKivis(st)
}

func openKivisPebble(cfg Config) (Contender, error) {
	st, err := pebblestore.Open(cfg.Dir, &pebblestore.Options{NoSync: !cfg.Durable, Memory: cfg.Memory})
	if err != nil {
		return nil, err
	}
	return openKivis(st)
}

func openKivisSQLite(cfg Config) (Contender, error) {
	st, err := sqlitestore.Open(filepath.Join(cfg.Dir, "records.db"), &sqlitestore.Options{NoSync: !cfg.Durable, Memory: cfg.Memory})
	if err != nil {
		return nil, err
	}
	return openKivis(st)
}

func openKivisMemory(Config) (Contender, error) { return openKivis(memstore.New()) }

func openKivis(st store.Store) (Contender, error) {
	db, err := kivis.Open(st, nil)
	if err != nil {
		return nil, err
	}
	if err := db.Register(&Record{}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &kivisDB{db, kivis.TableBy[Record, uint64](db), context.Background()}, nil
}

func (c *kivisDB) Close() error { return c.db.Close() }

// kivisFault returns the errors of the interface for Kivis's.
func kivisFault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kivis.ErrNotFound):
		return errNotFound
	case errors.Is(err, kivis.ErrExists):
		return errTaken
	}
	return err
}

func (c *kivisDB) Insert(r *Record) error {
	_, err := c.records.Insert(c.ctx, r)
	return kivisFault(err)
}

func (c *kivisDB) InsertMany(rs []Record) error {
	_, err := c.records.InsertMany(c.ctx, rs)
	return kivisFault(err)
}

// Import uses Bulk, which commits every 1,000 records.
func (c *kivisDB) Import(next func() []Record) error {
	return c.db.Bulk(c.ctx, nil, func(ctx context.Context, b *kivis.Bulk) error {
		records := c.records.With(b)
		for rs := next(); rs != nil; rs = next() {
			for i := range rs {
				if _, err := records.Insert(ctx, &rs[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (c *kivisDB) Get(id uint64) (Record, error) {
	r, err := c.records.Get(c.ctx, id)
	return r, kivisFault(err)
}

func (c *kivisDB) ByEmail(email string) (Record, error) {
	r, err := c.records.Where(recordEmail.Eq(email)).One(c.ctx)
	return r, kivisFault(err)
}

// find visits what a query finds.
func (c *kivisDB) find(q kivis.Query[Record, uint64], visit func(Record)) error {
	for r, err := range q.All(c.ctx) {
		if err != nil {
			return err
		}
		visit(r)
	}
	return nil
}

func (c *kivisDB) ByCity(city string, visit func(Record)) error {
	return c.find(c.records.Where(recordCity.Eq(city)), visit)
}

func (c *kivisDB) FromAge(age, limit int, visit func(Record)) error {
	return c.find(c.records.Where(recordAge.Ge(age)).OrderBy(recordAge.Asc()).Limit(limit), visit)
}

func (c *kivisDB) FromID(id uint64, limit int, visit func(Record)) error {
	key := c.records.Key()
	return c.find(c.records.Where(key.Ge(id)).OrderBy(key.Asc()).Limit(limit), visit)
}

func (c *kivisDB) Named(name string, visit func(Record)) error {
	return c.find(c.records.Where(recordName.Eq(name)), visit)
}

func (c *kivisDB) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.find(c.records.Where(kivis.Func(keep)), visit)
}

func (c *kivisDB) All(visit func(Record)) error { return c.find(c.records.Query(), visit) }

func (c *kivisDB) CountAges(lo, hi int) (int, error) {
	return c.records.Where(recordAge.Range(lo, hi)).Count(c.ctx)
}

func (c *kivisDB) SetAge(id uint64, age int) error {
	_, err := c.records.Modify(c.ctx, id, func(r *Record) error { r.Age = age; return nil })
	return kivisFault(err)
}

func (c *kivisDB) SetBio(id uint64, bio string) error {
	_, err := c.records.Modify(c.ctx, id, func(r *Record) error { r.Bio = bio; return nil })
	return kivisFault(err)
}

func (c *kivisDB) Delete(id uint64) error { return kivisFault(c.records.Delete(c.ctx, id)) }

// Snapshot begins a transaction that only reads, and reads a record by an
// index: what has not been looked at need not be kept.
func (c *kivisDB) Snapshot() (func(), error) {
	tx, err := c.db.Begin(c.ctx, false)
	if err != nil {
		return nil, err
	}
	_, err = c.records.With(tx).Where(recordAge.Ge(1)).Limit(1).Collect(c.ctx)
	return tx.Discard, err
}

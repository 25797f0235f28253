package main

import (
	"errors"
	"math"
	"path/filepath"

	"github.com/asdine/storm/v3"
	"github.com/asdine/storm/v3/q"
)

// stormDB is storm, with its own codec and bbolt opened as everywhere.
type stormDB struct {
	db *storm.DB
}

func openStorm(cfg Config) (Contender, error) {
	db, err := storm.Open(filepath.Join(cfg.Dir, "records.db"), storm.BoltOptions(0o600, boltOptions(cfg)))
	if err != nil {
		return nil, err
	}
	if err := db.Init(&Record{}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &stormDB{db}, nil
}

func (c *stormDB) Close() error { return c.db.Close() }

// stormFault returns the errors of the interface for storm's.
func stormFault(err error) error {
	switch {
	case errors.Is(err, storm.ErrNotFound):
		return errNotFound
	case errors.Is(err, storm.ErrAlreadyExists):
		return errTaken
	}
	return err
}

// update runs fn in a transaction.
func (c *stormDB) update(fn func(storm.Node) error) error {
	tx, err := c.db.Begin(true)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(stormFault(err), tx.Rollback())
	}
	return tx.Commit()
}

func (c *stormDB) Insert(r *Record) error {
	return c.update(func(tx storm.Node) error { return stormInsert(tx, r) })
}

func (c *stormDB) InsertMany(rs []Record) error {
	return c.update(func(tx storm.Node) error {
		for i := range rs {
			if err := stormInsert(tx, &rs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// stormInsert adds r. Save alone would replace a record with the same ID.
func stormInsert(tx storm.Node, r *Record) error {
	switch there, err := tx.KeyExists("Record", r.ID); {
	case err != nil && !errors.Is(err, storm.ErrNotFound):
		return err
	case there:
		return errTaken
	}
	return tx.Save(r)
}

func (c *stormDB) Get(id uint64) (r Record, err error) {
	err = stormFault(c.db.One("ID", id, &r))
	return r, err
}

func (c *stormDB) ByEmail(email string) (r Record, err error) {
	err = stormFault(c.db.One("Email", email, &r))
	return r, err
}

// stormVisit visits the records that a call returned with err.
func stormVisit(rs []Record, err error, visit func(Record)) error {
	if err != nil && !errors.Is(err, storm.ErrNotFound) {
		return err
	}
	for i := range rs {
		visit(rs[i])
	}
	return nil
}

func (c *stormDB) ByCity(city string, visit func(Record)) error {
	var rs []Record
	err := c.db.Find("City", city, &rs)
	return stormVisit(rs, err, visit)
}

func (c *stormDB) FromAge(age, limit int, visit func(Record)) error {
	var rs []Record
	err := c.db.Range("Age", age, math.MaxInt, &rs, storm.Limit(limit))
	return stormVisit(rs, err, visit)
}

func (c *stormDB) FromID(id uint64, limit int, visit func(Record)) error {
	var rs []Record
	err := c.db.Range("ID", id, uint64(math.MaxInt64), &rs, storm.Limit(limit))
	return stormVisit(rs, err, visit)
}

func (c *stormDB) Named(name string, visit func(Record)) error {
	return c.each(c.db.Select(q.Eq("Name", name)), visit)
}

// each visits what a query finds.
func (c *stormDB) each(query storm.Query, visit func(Record)) error {
	err := query.Each(new(Record), func(r any) error {
		visit(*r.(*Record))
		return nil
	})
	if errors.Is(err, storm.ErrNotFound) {
		return nil
	}
	return err
}

func (c *stormDB) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.each(c.db.Select(), func(r Record) {
		if keep(&r) {
			visit(r)
		}
	})
}

func (c *stormDB) All(visit func(Record)) error { return c.each(c.db.Select(), visit) }

func (c *stormDB) CountAges(lo, hi int) (int, error) {
	var rs []Record
	err := c.db.Range("Age", lo, hi-1, &rs)
	n := 0
	err = stormVisit(rs, err, func(Record) { n++ })
	return n, err
}

func (c *stormDB) SetAge(id uint64, age int) error {
	return stormFault(c.db.UpdateField(&Record{ID: id}, "Age", age))
}

func (c *stormDB) SetBio(id uint64, bio string) error {
	return stormFault(c.db.UpdateField(&Record{ID: id}, "Bio", bio))
}

func (c *stormDB) Delete(id uint64) error { return stormFault(c.db.DeleteStruct(&Record{ID: id})) }

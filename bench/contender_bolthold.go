package main

import (
	"errors"
	"path/filepath"

	"github.com/timshannon/bolthold"
	"go.etcd.io/bbolt"
)

// boltHold is bolthold, with its own codec and bbolt opened as everywhere.
type boltHold struct {
	s *bolthold.Store
}

func openBolthold(cfg Config) (Contender, error) {
	s, err := bolthold.Open(filepath.Join(cfg.Dir, "records.db"), 0o600, &bolthold.Options{Options: boltOptions(cfg)})
	if err != nil {
		return nil, err
	}
	return &boltHold{s}, nil
}

func (c *boltHold) Close() error { return c.s.Close() }

// boltHoldFault returns the errors of the interface for bolthold's.
func boltHoldFault(err error) error {
	switch {
	case errors.Is(err, bolthold.ErrNotFound):
		return errNotFound
	case errors.Is(err, bolthold.ErrKeyExists), errors.Is(err, bolthold.ErrUniqueExists):
		return errTaken
	}
	return err
}

func (c *boltHold) Insert(r *Record) error { return boltHoldFault(c.s.Insert(r.ID, r)) }

func (c *boltHold) InsertMany(rs []Record) error {
	return boltHoldFault(c.s.Bolt().Update(func(tx *bbolt.Tx) error {
		for i := range rs {
			if err := c.s.TxInsert(tx, rs[i].ID, &rs[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (c *boltHold) Get(id uint64) (r Record, err error) {
	err = boltHoldFault(c.s.Get(id, &r))
	return r, err
}

func (c *boltHold) ByEmail(email string) (r Record, err error) {
	err = boltHoldFault(c.s.FindOne(&r, bolthold.Where("Email").Eq(email).Index("Email")))
	return r, err
}

// find visits what a query finds.
func (c *boltHold) find(q *bolthold.Query, visit func(Record)) error {
	var rs []Record
	if err := c.s.Find(&rs, q); err != nil {
		return err
	}
	for i := range rs {
		visit(rs[i])
	}
	return nil
}

func (c *boltHold) ByCity(city string, visit func(Record)) error {
	return c.find(bolthold.Where("City").Eq(city).Index("City"), visit)
}

func (c *boltHold) FromAge(age, limit int, visit func(Record)) error {
	return c.find(bolthold.Where("Age").Ge(age).Index("Age").SortBy("Age", "ID").Limit(limit), visit)
}

func (c *boltHold) FromID(id uint64, limit int, visit func(Record)) error {
	return c.find(bolthold.Where(bolthold.Key).Ge(id).SortBy("ID").Limit(limit), visit)
}

func (c *boltHold) Named(name string, visit func(Record)) error {
	return c.s.ForEach(bolthold.Where("Name").Eq(name), func(r *Record) error {
		visit(*r)
		return nil
	})
}

func (c *boltHold) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.s.ForEach(&bolthold.Query{}, func(r *Record) error {
		if keep(r) {
			visit(*r)
		}
		return nil
	})
}

func (c *boltHold) All(visit func(Record)) error {
	return c.s.ForEach(&bolthold.Query{}, func(r *Record) error {
		visit(*r)
		return nil
	})
}

func (c *boltHold) CountAges(lo, hi int) (int, error) {
	return c.s.Count(&Record{}, bolthold.Where("Age").Ge(lo).And("Age").Lt(hi).Index("Age"))
}

func (c *boltHold) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *boltHold) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

func (c *boltHold) change(id uint64, fn func(*Record)) error {
	return boltHoldFault(c.s.Bolt().Update(func(tx *bbolt.Tx) error {
		var r Record
		if err := c.s.TxGet(tx, id, &r); err != nil {
			return err
		}
		fn(&r)
		return c.s.TxUpdate(tx, id, &r)
	}))
}

func (c *boltHold) Delete(id uint64) error { return boltHoldFault(c.s.Delete(id, &Record{})) }

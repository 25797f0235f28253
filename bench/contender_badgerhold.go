package main

import (
	"errors"

	"github.com/dgraph-io/badger/v4"
	"github.com/timshannon/badgerhold/v4"
)

// badgerHold is badgerhold, with its own codec and Badger opened as everywhere
// but for the memtable, which has Badger's default size: a transaction of 1,000
// inserts does not fit into a smaller one, nor in the end into this.
type badgerHold struct {
	s *badgerhold.Store
}

func openBadgerhold(cfg Config) (Contender, error) {
	opts := badgerhold.DefaultOptions
	opts.Options = badgerOptions(cfg).WithMemTableSize(64 << 20)
	s, err := badgerhold.Open(opts)
	if err != nil {
		return nil, err
	}
	return &badgerHold{s}, nil
}

func (c *badgerHold) Close() error { return c.s.Close() }

// holdFault returns the errors of the interface for badgerhold's.
func holdFault(err error) error {
	switch {
	case errors.Is(err, badgerhold.ErrNotFound):
		return errNotFound
	case errors.Is(err, badgerhold.ErrKeyExists), errors.Is(err, badgerhold.ErrUniqueExists):
		return errTaken
	}
	return err
}

// update runs fn in a transaction until it meets no conflict.
func (c *badgerHold) update(fn func(*badger.Txn) error) error {
	for {
		if err := c.s.Badger().Update(fn); !errors.Is(err, badger.ErrConflict) {
			return holdFault(err)
		}
	}
}

func (c *badgerHold) Insert(r *Record) error { return holdFault(c.s.Insert(r.ID, r)) }

// InsertMany inserts the records in one transaction or, where the lists of keys
// that it rewrites for each are too much for that, in several.
func (c *badgerHold) InsertMany(rs []Record) error {
	err := c.insertMany(rs)
	if half := len(rs) / 2; half > 0 && errors.Is(err, badger.ErrTxnTooBig) {
		if err = c.InsertMany(rs[:half]); err == nil {
			err = c.InsertMany(rs[half:])
		}
	}
	return err
}

func (c *badgerHold) insertMany(rs []Record) error {
	return c.update(func(tx *badger.Txn) error {
		for i := range rs {
			if err := c.s.TxInsert(tx, rs[i].ID, &rs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *badgerHold) Get(id uint64) (r Record, err error) {
	err = holdFault(c.s.Get(id, &r))
	return r, err
}

// ByEmail uses Find, which looks the value up in the index; FindOne would walk
// through it.
func (c *badgerHold) ByEmail(email string) (r Record, err error) {
	err = c.find(badgerhold.Where("Email").Eq(email).Index("Email"), func(found Record) { r = found })
	if err == nil && r.ID == 0 {
		err = errNotFound
	}
	return r, err
}

// find visits what a query finds.
func (c *badgerHold) find(q *badgerhold.Query, visit func(Record)) error {
	var rs []Record
	if err := c.s.Find(&rs, q); err != nil {
		return err
	}
	for i := range rs {
		visit(rs[i])
	}
	return nil
}

func (c *badgerHold) ByCity(city string, visit func(Record)) error {
	return c.find(badgerhold.Where("City").Eq(city).Index("City"), visit)
}

func (c *badgerHold) FromAge(age, limit int, visit func(Record)) error {
	return c.find(badgerhold.Where("Age").Ge(age).Index("Age").SortBy("Age", "ID").Limit(limit), visit)
}

func (c *badgerHold) FromID(id uint64, limit int, visit func(Record)) error {
	return c.find(badgerhold.Where(badgerhold.Key).Ge(id).SortBy("ID").Limit(limit), visit)
}

func (c *badgerHold) Named(name string, visit func(Record)) error {
	return c.s.ForEach(badgerhold.Where("Name").Eq(name), func(r *Record) error {
		visit(*r)
		return nil
	})
}

func (c *badgerHold) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.s.ForEach(&badgerhold.Query{}, func(r *Record) error {
		if keep(r) {
			visit(*r)
		}
		return nil
	})
}

func (c *badgerHold) All(visit func(Record)) error {
	return c.s.ForEach(&badgerhold.Query{}, func(r *Record) error {
		visit(*r)
		return nil
	})
}

func (c *badgerHold) CountAges(lo, hi int) (int, error) {
	n, err := c.s.Count(&Record{}, badgerhold.Where("Age").Ge(lo).And("Age").Lt(hi).Index("Age"))
	return int(n), err
}

func (c *badgerHold) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *badgerHold) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

func (c *badgerHold) change(id uint64, fn func(*Record)) error {
	return c.update(func(tx *badger.Txn) error {
		var r Record
		if err := c.s.TxGet(tx, id, &r); err != nil {
			return err
		}
		fn(&r)
		return c.s.TxUpdate(tx, id, &r)
	})
}

func (c *badgerHold) Delete(id uint64) error { return holdFault(c.s.Delete(id, &Record{})) }

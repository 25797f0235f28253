package main

import (
	"github.com/hashicorp/go-memdb"
)

// memDB is go-memdb. It keeps the records themselves, not their bytes, so a
// record that it holds is never changed, only replaced.
type memDB struct {
	db *memdb.MemDB
}

const memTable = "records"

func openMemDB(Config) (Contender, error) {
	index := func(name string, unique bool, of memdb.Indexer) *memdb.IndexSchema {
		return &memdb.IndexSchema{Name: name, Unique: unique, Indexer: of}
	}
	db, err := memdb.NewMemDB(&memdb.DBSchema{Tables: map[string]*memdb.TableSchema{
		memTable: {Name: memTable, Indexes: map[string]*memdb.IndexSchema{
			"id":    index("id", true, &memdb.UintFieldIndex{Field: "ID"}),
			"email": index("email", true, &memdb.StringFieldIndex{Field: "Email"}),
			"age":   index("age", false, &memdb.IntFieldIndex{Field: "Age"}),
			"city":  index("city", false, &memdb.StringFieldIndex{Field: "City"}),
			"team":  index("team", false, &memdb.UintFieldIndex{Field: "TeamID"}),
		}},
	}})
	if err != nil {
		return nil, err
	}
	return &memDB{db}, nil
}

func (c *memDB) Close() error {
	c.db = nil
	return nil
}

// update runs fn in a transaction.
func (c *memDB) update(fn func(*memdb.Txn) error) error {
	txn := c.db.Txn(true)
	defer txn.Abort() // nothing after Commit
	if err := fn(txn); err != nil {
		return err
	}
	txn.Commit()
	return nil
}

func (c *memDB) Insert(r *Record) error {
	return c.update(func(txn *memdb.Txn) error { return memInsert(txn, r) })
}

func (c *memDB) InsertMany(rs []Record) error {
	return c.update(func(txn *memdb.Txn) error {
		for i := range rs {
			if err := memInsert(txn, &rs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// memInsert adds a copy of r. go-memdb would replace a record with the same ID,
// and does not look at unique indexes.
func memInsert(txn *memdb.Txn, r *Record) error {
	if err := memFree(txn, "id", r.ID); err != nil {
		return err
	}
	if err := memFree(txn, "email", r.Email); err != nil {
		return err
	}
	kept := *r
	return txn.Insert(memTable, &kept)
}

// memFree returns errTaken where a record has the value.
func memFree(txn *memdb.Txn, index string, value any) error {
	found, err := txn.First(memTable, index, value)
	if err == nil && found != nil {
		err = errTaken
	}
	return err
}

// memFirst returns the record with the value.
func memFirst(txn *memdb.Txn, index string, value any) (*Record, error) {
	found, err := txn.First(memTable, index, value)
	if err != nil {
		return nil, err
	}
	r, ok := found.(*Record)
	if !ok {
		return nil, errNotFound
	}
	return r, nil
}

func (c *memDB) Get(id uint64) (Record, error) { return c.one("id", id) }

func (c *memDB) ByEmail(email string) (Record, error) { return c.one("email", email) }

func (c *memDB) one(index string, value any) (Record, error) {
	r, err := memFirst(c.db.Txn(false), index, value)
	if err != nil {
		return Record{}, err
	}
	return *r, nil
}

// memEach calls fn with what it finds until fn returns false.
func memEach(it memdb.ResultIterator, err error, fn func(*Record) bool) error {
	if err != nil {
		return err
	}
	for r := it.Next(); r != nil; r = it.Next() {
		if !fn(r.(*Record)) {
			break
		}
	}
	return nil
}

func (c *memDB) ByCity(city string, visit func(Record)) error {
	it, err := c.db.Txn(false).Get(memTable, "city", city)
	return memEach(it, err, func(r *Record) bool { visit(*r); return true })
}

func (c *memDB) FromAge(age, limit int, visit func(Record)) error {
	return c.from("age", age, limit, visit)
}

func (c *memDB) FromID(id uint64, limit int, visit func(Record)) error {
	return c.from("id", id, limit, visit)
}

func (c *memDB) from(index string, value any, limit int, visit func(Record)) error {
	it, err := c.db.Txn(false).LowerBound(memTable, index, value)
	return memEach(it, err, func(r *Record) bool {
		visit(*r)
		limit--
		return limit > 0
	})
}

func (c *memDB) Named(name string, visit func(Record)) error {
	return c.Filter(func(r *Record) bool { return r.Name == name }, visit)
}

func (c *memDB) Filter(keep func(*Record) bool, visit func(Record)) error {
	it, err := c.db.Txn(false).Get(memTable, "id")
	return memEach(it, err, func(r *Record) bool {
		if keep(r) {
			visit(*r)
		}
		return true
	})
}

func (c *memDB) All(visit func(Record)) error {
	return c.Filter(func(*Record) bool { return true }, visit)
}

func (c *memDB) CountAges(lo, hi int) (n int, err error) {
	it, err := c.db.Txn(false).LowerBound(memTable, "age", lo)
	err = memEach(it, err, func(r *Record) bool {
		if r.Age >= hi {
			return false
		}
		n++
		return true
	})
	return n, err
}

func (c *memDB) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *memDB) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

func (c *memDB) change(id uint64, fn func(*Record)) error {
	return c.update(func(txn *memdb.Txn) error {
		old, err := memFirst(txn, "id", id)
		if err != nil {
			return err
		}
		r := *old
		fn(&r)
		return txn.Insert(memTable, &r)
	})
}

func (c *memDB) Delete(id uint64) error {
	return c.update(func(txn *memdb.Txn) error {
		old, err := memFirst(txn, "id", id)
		if err != nil {
			return err
		}
		return txn.Delete(memTable, old)
	})
}

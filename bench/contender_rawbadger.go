package main

import (
	"bytes"
	"errors"

	"github.com/dgraph-io/badger/v4"
)

// rawBadger is the limit on disk: Badger as a program would use it that is
// written for this one record. It opens the engine with the sizes that
// badgerstore gives it for the same memory.
type rawBadger struct {
	db *badger.DB
}

func openRawBadger(cfg Config) (Contender, error) {
	db, err := badger.Open(badgerOptions(cfg))
	if err != nil {
		return nil, err
	}
	return &rawBadger{db}, nil
}

// badgerOptions returns the options of every contender over Badger: those of
// badgerstore but for what it does in a way of its own (conflicts, big values
// and checksums).
func badgerOptions(cfg Config) badger.Options {
	memtable := min(max(cfg.Memory/16, 2<<20), 64<<20)
	return badger.DefaultOptions(cfg.Dir).
		WithSyncWrites(cfg.Durable).
		WithLogger(nil).
		WithMetricsEnabled(false).
		WithNumVersionsToKeep(1).
		WithMemTableSize(memtable).
		WithNumMemtables(1).
		WithBaseTableSize(memtable / 4).
		WithBaseLevelSize(memtable + memtable/4).
		WithNumLevelZeroTables(2).
		WithNumCompactors(2).
		WithBlockCacheSize(cfg.Memory / 4).
		WithIndexCacheSize(0).
		WithValueThreshold(min(1<<20, memtable/8))
}

func (c *rawBadger) Close() error { return c.db.Close() }

// update runs fn in a transaction until it meets no conflict.
func (c *rawBadger) update(fn func(*badger.Txn) error) error {
	for {
		if err := c.db.Update(fn); !errors.Is(err, badger.ErrConflict) {
			return err
		}
	}
}

func (c *rawBadger) Insert(r *Record) error {
	return c.update(func(txn *badger.Txn) error { return badgerInsert(txn, r) })
}

func (c *rawBadger) InsertMany(rs []Record) error {
	return c.update(func(txn *badger.Txn) error {
		for i := range rs {
			if err := badgerInsert(txn, &rs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// badgerInsert adds r and its index entries after it has looked whether the ID
// and the email are free.
func badgerInsert(txn *badger.Txn, r *Record) error {
	k := keysOf(r)
	if err := badgerFree(txn, k.record); err != nil {
		return err
	}
	if err := badgerFree(txn, k.email); err != nil {
		return err
	}
	value := encodeRecord(make([]byte, 0, 384), r)
	return errors.Join(txn.Set(k.record, value), txn.Set(k.email, k.id()),
		txn.Set(k.city, nil), txn.Set(k.age, nil), txn.Set(k.team, nil))
}

// badgerFree returns errTaken where the key is there.
func badgerFree(txn *badger.Txn, key []byte) error {
	switch _, err := txn.Get(key); {
	case err == nil:
		return errTaken
	case !errors.Is(err, badger.ErrKeyNotFound):
		return err
	}
	return nil
}

// badgerGet reads the record with the key.
func badgerGet(txn *badger.Txn, key []byte, r *Record) error {
	item, err := txn.Get(key)
	if err != nil {
		return badgerMissing(err)
	}
	// Txn.Get has copied the value for this item alone, so the record may
	// keep it.
	return item.Value(func(v []byte) error { return decodeRecord(v, r) })
}

// badgerMissing returns errNotFound for Badger's own error.
func badgerMissing(err error) error {
	if errors.Is(err, badger.ErrKeyNotFound) {
		return errNotFound
	}
	return err
}

func (c *rawBadger) Get(id uint64) (r Record, err error) {
	txn := c.db.NewTransaction(false)
	defer txn.Discard()
	err = badgerGet(txn, appendRecordKey(make([]byte, 0, 1+idBytes), id), &r)
	return r, err
}

func (c *rawBadger) ByEmail(email string) (r Record, err error) {
	txn := c.db.NewTransaction(false)
	defer txn.Discard()
	item, err := txn.Get(appendEmailKey(make([]byte, 0, 64), email))
	if err != nil {
		return r, badgerMissing(err)
	}
	key := append(make([]byte, 0, 1+idBytes), recordSpace)
	err = item.Value(func(id []byte) error { key = append(key, id...); return nil })
	if err != nil {
		return r, err
	}
	err = badgerGet(txn, key, &r)
	return r, err
}

func (c *rawBadger) ByCity(city string, visit func(Record)) error {
	prefix := appendCityPrefix(make([]byte, 0, 64), city)
	return c.viaIndex(prefix, prefix, -1, visit)
}

func (c *rawBadger) FromAge(age, limit int, visit func(Record)) error {
	from := appendAgePrefix(make([]byte, 0, 16), age)
	return c.viaIndex(from[:1], from, limit, visit)
}

// viaIndex visits the records of at most limit index entries with the prefix,
// in order from the key from on.
func (c *rawBadger) viaIndex(prefix, from []byte, limit int, visit func(Record)) error {
	txn := c.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	key := make([]byte, 0, 1+idBytes)
	for it.Seek(from); it.Valid() && limit != 0; it.Next() {
		key = appendRecordKey(key[:0], idOf(it.Item().Key()))
		var r Record
		if err := badgerGet(txn, key, &r); err != nil {
			return err
		}
		visit(r)
		limit--
	}
	return nil
}

func (c *rawBadger) FromID(id uint64, limit int, visit func(Record)) error {
	return c.scan(id, func(v []byte) (bool, error) {
		var r Record
		if err := decodeRecord(bytes.Clone(v), &r); err != nil {
			return false, err
		}
		visit(r)
		limit--
		return limit > 0, nil
	})
}

// scan calls fn with the records in the order of their IDs, until it returns
// false. What fn gets is valid until it returns.
func (c *rawBadger) scan(from uint64, fn func([]byte) (bool, error)) error {
	txn := c.db.NewTransaction(false)
	defer txn.Discard()
	// Values lie beside their keys: to prefetch them would only cost
	// goroutines.
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{recordSpace}})
	defer it.Close()
	more := true
	for it.Seek(appendRecordKey(make([]byte, 0, 1+idBytes), from)); it.Valid() && more; it.Next() {
		err := it.Item().Value(func(v []byte) (err error) {
			more, err = fn(v)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *rawBadger) Named(name string, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handNamed(v, name, visit) })
}

func (c *rawBadger) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handFiltered(bytes.Clone(v), keep, visit) })
}

func (c *rawBadger) All(visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handVisited(bytes.Clone(v), visit) })
}

func (c *rawBadger) CountAges(lo, hi int) (int, error) {
	txn := c.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{ageSpace}})
	defer it.Close()
	end := appendAgePrefix(nil, hi)
	n := 0
	for it.Seek(appendAgePrefix(nil, lo)); it.Valid() && bytes.Compare(it.Item().Key(), end) < 0; it.Next() {
		n++
	}
	return n, nil
}

func (c *rawBadger) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *rawBadger) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

// change reads a record, changes it, and writes it and those index entries
// that are others then.
func (c *rawBadger) change(id uint64, fn func(*Record)) error {
	return c.update(func(txn *badger.Txn) error {
		var r Record
		if err := badgerGet(txn, appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		old := r
		fn(&r)
		return badgerRewrite(txn, &old, &r)
	})
}

// badgerRewrite replaces old by r.
func badgerRewrite(txn *badger.Txn, old, r *Record) error {
	was, is := keysOf(old), keysOf(r)
	if old.Age != r.Age {
		if err := errors.Join(txn.Delete(was.age), txn.Set(is.age, nil)); err != nil {
			return err
		}
	}
	return txn.Set(is.record, encodeRecord(make([]byte, 0, 384), r))
}

func (c *rawBadger) Delete(id uint64) error {
	return c.update(func(txn *badger.Txn) error {
		var r Record
		if err := badgerGet(txn, appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		k := keysOf(&r)
		return errors.Join(txn.Delete(k.record), txn.Delete(k.email),
			txn.Delete(k.city), txn.Delete(k.age), txn.Delete(k.team))
	})
}

package main

import (
	"bytes"
	"errors"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// rawBolt is bbolt as a program would use it that is written for this one
// record: a bucket for the records and one for each index.
type rawBolt struct {
	db *bbolt.DB
}

// boltBuckets are the buckets, named by the spaces of the keys, which the keys
// keep nevertheless: they are the same bytes in every store used by hand.
var boltBuckets = []byte{recordSpace, emailSpace, citySpace, ageSpace, teamSpace}

func openRawBolt(cfg Config) (Contender, error) {
	db, err := bbolt.Open(filepath.Join(cfg.Dir, "records.db"), 0o600, boltOptions(cfg))
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range boltBuckets {
			if _, err := tx.CreateBucketIfNotExists([]byte{name}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &rawBolt{db}, nil
}

// boltOptions returns the options of every contender over bbolt. Without
// NoFreelistSync it writes its list of free pages with each commit.
func boltOptions(cfg Config) *bbolt.Options {
	opts := *bbolt.DefaultOptions
	opts.NoSync = !cfg.Durable
	opts.NoFreelistSync = true
	opts.FreelistType = bbolt.FreelistMapType
	return &opts
}

func (c *rawBolt) Close() error { return c.db.Close() }

// boltTx is a transaction's buckets, found when they are first used.
type boltTx struct {
	*bbolt.Tx
	buckets [256]*bbolt.Bucket
}

// of returns the bucket that a key belongs to.
func (tx *boltTx) of(key []byte) *bbolt.Bucket {
	if tx.buckets[key[0]] == nil {
		tx.buckets[key[0]] = tx.Bucket(key[:1])
	}
	return tx.buckets[key[0]]
}

func (tx *boltTx) get(key []byte) []byte { return tx.of(key).Get(key) }

func (tx *boltTx) put(key, value []byte) error { return tx.of(key).Put(key, value) }

func (tx *boltTx) delete(key []byte) error { return tx.of(key).Delete(key) }

// record reads the record with the key. What bbolt returns is its own memory,
// so the record gets a copy.
func (tx *boltTx) record(key []byte, r *Record) error {
	v := tx.get(key)
	if v == nil {
		return errNotFound
	}
	return decodeRecord(bytes.Clone(v), r)
}

func (c *rawBolt) update(fn func(*boltTx) error) error {
	return c.db.Update(func(tx *bbolt.Tx) error { return fn(&boltTx{Tx: tx}) })
}

func (c *rawBolt) view(fn func(*boltTx) error) error {
	return c.db.View(func(tx *bbolt.Tx) error { return fn(&boltTx{Tx: tx}) })
}

func (c *rawBolt) Insert(r *Record) error {
	return c.update(func(tx *boltTx) error { return tx.insert(r) })
}

func (c *rawBolt) InsertMany(rs []Record) error {
	return c.update(func(tx *boltTx) error {
		for i := range rs {
			if err := tx.insert(&rs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *boltTx) insert(r *Record) error {
	k := keysOf(r)
	if tx.get(k.record) != nil || tx.get(k.email) != nil {
		return errTaken
	}
	value := encodeRecord(make([]byte, 0, 384), r)
	return errors.Join(tx.put(k.record, value), tx.put(k.email, k.id()),
		tx.put(k.city, nil), tx.put(k.age, nil), tx.put(k.team, nil))
}

func (c *rawBolt) Get(id uint64) (r Record, err error) {
	err = c.view(func(tx *boltTx) error {
		return tx.record(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r)
	})
	return r, err
}

func (c *rawBolt) ByEmail(email string) (r Record, err error) {
	err = c.view(func(tx *boltTx) error {
		id := tx.get(appendEmailKey(make([]byte, 0, 64), email))
		if id == nil {
			return errNotFound
		}
		return tx.record(append(append(make([]byte, 0, 1+idBytes), recordSpace), id...), &r)
	})
	return r, err
}

func (c *rawBolt) ByCity(city string, visit func(Record)) error {
	prefix := appendCityPrefix(make([]byte, 0, 64), city)
	return c.viaIndex(prefix, prefix, -1, visit)
}

func (c *rawBolt) FromAge(age, limit int, visit func(Record)) error {
	from := appendAgePrefix(make([]byte, 0, 16), age)
	return c.viaIndex(from[:1], from, limit, visit)
}

// viaIndex visits the records of at most limit index entries with the prefix,
// in order from the key from on.
func (c *rawBolt) viaIndex(prefix, from []byte, limit int, visit func(Record)) error {
	return c.view(func(tx *boltTx) error {
		cursor := tx.of(prefix).Cursor()
		key := make([]byte, 0, 1+idBytes)
		for k, _ := cursor.Seek(from); bytes.HasPrefix(k, prefix) && limit != 0; k, _ = cursor.Next() {
			key = appendRecordKey(key[:0], idOf(k))
			var r Record
			if err := tx.record(key, &r); err != nil {
				return err
			}
			visit(r)
			limit--
		}
		return nil
	})
}

func (c *rawBolt) FromID(id uint64, limit int, visit func(Record)) error {
	return c.scan(id, func(v []byte) (bool, error) {
		limit--
		return limit > 0, handVisited(bytes.Clone(v), visit)
	})
}

// scan calls fn with the records in the order of their IDs, until it returns
// false. What fn gets is valid until it returns.
func (c *rawBolt) scan(from uint64, fn func([]byte) (bool, error)) error {
	return c.view(func(tx *boltTx) error {
		lo := appendRecordKey(make([]byte, 0, 1+idBytes), from)
		cursor := tx.of(lo).Cursor()
		for k, v := cursor.Seek(lo); k != nil; k, v = cursor.Next() {
			if more, err := fn(v); err != nil || !more {
				return err
			}
		}
		return nil
	})
}

func (c *rawBolt) Named(name string, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handNamed(v, name, visit) })
}

func (c *rawBolt) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handFiltered(bytes.Clone(v), keep, visit) })
}

func (c *rawBolt) All(visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handVisited(bytes.Clone(v), visit) })
}

func (c *rawBolt) CountAges(lo, hi int) (n int, err error) {
	err = c.view(func(tx *boltTx) error {
		from, end := appendAgePrefix(nil, lo), appendAgePrefix(nil, hi)
		cursor := tx.of(from).Cursor()
		for k, _ := cursor.Seek(from); k != nil && bytes.Compare(k, end) < 0; k, _ = cursor.Next() {
			n++
		}
		return nil
	})
	return n, err
}

func (c *rawBolt) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *rawBolt) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

// change reads a record, changes it, and writes it and those index entries
// that are others then.
func (c *rawBolt) change(id uint64, fn func(*Record)) error {
	return c.update(func(tx *boltTx) error {
		var r Record
		if err := tx.record(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		old := r
		fn(&r)
		was, is := keysOf(&old), keysOf(&r)
		if old.Age != r.Age {
			if err := errors.Join(tx.delete(was.age), tx.put(is.age, nil)); err != nil {
				return err
			}
		}
		return tx.put(is.record, encodeRecord(make([]byte, 0, 384), &r))
	})
}

func (c *rawBolt) Delete(id uint64) error {
	return c.update(func(tx *boltTx) error {
		var r Record
		if err := tx.record(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		k := keysOf(&r)
		return errors.Join(tx.delete(k.record), tx.delete(k.email),
			tx.delete(k.city), tx.delete(k.age), tx.delete(k.team))
	})
}

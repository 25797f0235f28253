package main

import (
	"bytes"
	"errors"
	"io"
	"log"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// rawPebble is Pebble as a program would use it that is written for this one
// record, opened with the sizes and filters that pebblestore gives it. Pebble has no transactions, so a lock makes the checks of a write
// and the write one; it is let go before the wait for the disk, so that
// writers share that.
type rawPebble struct {
	db      *pebble.DB
	durable bool
	mu      sync.Mutex
}

func openRawPebble(cfg Config) (Contender, error) {
	cache := pebble.NewCache(cfg.Memory / 2)
	defer cache.Unref()
	opts := &pebble.Options{
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		Cache:                       cache,
		MemTableSize:                uint64(max(cfg.Memory/8, 4<<20)),
		MemTableStopWritesThreshold: 4,
		Logger:                      quietPebble{},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(cfg.Dir, opts)
	if err != nil {
		return nil, err
	}
	return &rawPebble{db: db, durable: cfg.Durable}, nil
}

// quietPebble is a logger that only speaks before the end.
type quietPebble struct{}

func (quietPebble) Infof(string, ...any)              {}
func (quietPebble) Errorf(string, ...any)             {}
func (quietPebble) Fatalf(format string, args ...any) { log.Fatalf("pebble: "+format, args...) }

func (c *rawPebble) Close() error { return c.db.Close() }

// update has fn fill a batch, with nobody else writing, and commits it.
func (c *rawPebble) update(fn func(*pebble.Batch) error) error {
	b := c.db.NewBatch()
	defer b.Close()
	if err := c.apply(b, fn); err != nil {
		return err
	}
	if c.durable {
		return b.SyncWait()
	}
	return nil
}

func (c *rawPebble) apply(b *pebble.Batch, fn func(*pebble.Batch) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := fn(b); err != nil {
		return err
	}
	if c.durable {
		return c.db.ApplyNoSyncWait(b, pebble.Sync)
	}
	return c.db.Apply(b, pebble.NoSync)
}

func (c *rawPebble) Insert(r *Record) error {
	return c.update(func(b *pebble.Batch) error { return pebbleInsert(c.db, b, r) })
}

func (c *rawPebble) InsertMany(rs []Record) error {
	return c.update(func(b *pebble.Batch) error {
		for i := range rs {
			if err := pebbleInsert(c.db, b, &rs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// pebbleInsert adds r and its index entries to the batch after it has looked
// whether the ID and the email are free. The records of one batch are known to
// differ from each other, so it need not be an indexed one, which is slower.
func pebbleInsert(db *pebble.DB, b *pebble.Batch, r *Record) error {
	k := keysOf(r)
	if err := errors.Join(pebbleFree(db, k.record), pebbleFree(db, k.email)); err != nil {
		return err
	}
	value := encodeRecord(make([]byte, 0, 384), r)
	return errors.Join(b.Set(k.record, value, nil), b.Set(k.email, k.id(), nil),
		b.Set(k.city, nil, nil), b.Set(k.age, nil, nil), b.Set(k.team, nil, nil))
}

// pebbleFree returns errTaken where the key is there.
func pebbleFree(db *pebble.DB, key []byte) error {
	_, closer, err := db.Get(key)
	switch {
	case err == nil:
		return errors.Join(errTaken, closer.Close())
	case !errors.Is(err, pebble.ErrNotFound):
		return err
	}
	return nil
}

// pebbleGet reads the record with the key from the store or a snapshot of it.
func pebbleGet(from pebble.Reader, key []byte, r *Record) error {
	v, closer, err := from.Get(key)
	if err != nil {
		return pebbleMissing(err)
	}
	return errors.Join(decodeRecord(bytes.Clone(v), r), closer.Close())
}

// pebbleMissing returns errNotFound for Pebble's own error.
func pebbleMissing(err error) error {
	if errors.Is(err, pebble.ErrNotFound) {
		return errNotFound
	}
	return err
}

func (c *rawPebble) Get(id uint64) (r Record, err error) {
	err = pebbleGet(c.db, appendRecordKey(make([]byte, 0, 1+idBytes), id), &r)
	return r, err
}

func (c *rawPebble) ByEmail(email string) (r Record, err error) {
	snap := c.db.NewSnapshot()
	defer closing(snap, &err)
	id, closer, err := snap.Get(appendEmailKey(make([]byte, 0, 64), email))
	if err != nil {
		return r, pebbleMissing(err)
	}
	key := append(append(make([]byte, 0, 1+idBytes), recordSpace), id...)
	if err = closer.Close(); err == nil {
		err = pebbleGet(snap, key, &r)
	}
	return r, err
}

// closing closes c and keeps its error in err if that has none.
func closing(c io.Closer, err *error) {
	if e := c.Close(); *err == nil {
		*err = e
	}
}

func (c *rawPebble) ByCity(city string, visit func(Record)) error {
	prefix := appendCityPrefix(make([]byte, 0, 64), city)
	end := append(bytes.Clone(prefix[:len(prefix)-1]), 1)
	return c.viaIndex(prefix, end, -1, visit)
}

func (c *rawPebble) FromAge(age, limit int, visit func(Record)) error {
	return c.viaIndex(appendAgePrefix(make([]byte, 0, 16), age), []byte{ageSpace + 1}, limit, visit)
}

// viaIndex visits the records of at most limit index entries in [from, to).
func (c *rawPebble) viaIndex(from, to []byte, limit int, visit func(Record)) (err error) {
	snap := c.db.NewSnapshot()
	defer closing(snap, &err)
	it, err := snap.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer closing(it, &err)
	key := make([]byte, 0, 1+idBytes)
	for ok := it.First(); ok && limit != 0; ok = it.Next() {
		key = appendRecordKey(key[:0], idOf(it.Key()))
		var r Record
		if err := pebbleGet(snap, key, &r); err != nil {
			return err
		}
		visit(r)
		limit--
	}
	return nil
}

func (c *rawPebble) FromID(id uint64, limit int, visit func(Record)) error {
	return c.scan(id, func(v []byte) (bool, error) {
		limit--
		return limit > 0, handVisited(bytes.Clone(v), visit)
	})
}

// scan calls fn with the records in the order of their IDs, until it returns
// false. What fn gets is valid until it returns.
func (c *rawPebble) scan(from uint64, fn func([]byte) (bool, error)) (err error) {
	lo, hi := appendRecordKey(nil, from), []byte{recordSpace + 1}
	it, err := c.db.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return err
	}
	defer closing(it, &err)
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if more, err := fn(v); err != nil || !more {
			return err
		}
	}
	return nil
}

func (c *rawPebble) Named(name string, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handNamed(v, name, visit) })
}

func (c *rawPebble) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handFiltered(bytes.Clone(v), keep, visit) })
}

func (c *rawPebble) All(visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handVisited(bytes.Clone(v), visit) })
}

func (c *rawPebble) CountAges(lo, hi int) (n int, err error) {
	it, err := c.db.NewIter(&pebble.IterOptions{
		LowerBound: appendAgePrefix(nil, lo),
		UpperBound: appendAgePrefix(nil, hi),
	})
	if err != nil {
		return 0, err
	}
	defer closing(it, &err)
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n, nil
}

func (c *rawPebble) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *rawPebble) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

// change reads a record, changes it, and writes it and those index entries
// that are others then.
func (c *rawPebble) change(id uint64, fn func(*Record)) error {
	return c.update(func(b *pebble.Batch) error {
		var r Record
		if err := pebbleGet(c.db, appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		old := r
		fn(&r)
		was, is := keysOf(&old), keysOf(&r)
		if old.Age != r.Age {
			if err := errors.Join(b.Delete(was.age, nil), b.Set(is.age, nil, nil)); err != nil {
				return err
			}
		}
		return b.Set(is.record, encodeRecord(make([]byte, 0, 384), &r), nil)
	})
}

func (c *rawPebble) Delete(id uint64) error {
	return c.update(func(b *pebble.Batch) error {
		var r Record
		if err := pebbleGet(c.db, appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		k := keysOf(&r)
		return errors.Join(b.Delete(k.record, nil), b.Delete(k.email, nil),
			b.Delete(k.city, nil), b.Delete(k.age, nil), b.Delete(k.team, nil))
	})
}

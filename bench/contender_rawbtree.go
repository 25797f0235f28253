package main

import (
	"sync"
	"unsafe"

	"github.com/google/btree"
)

// rawBTree is the limit in memory: a B-tree of keys and encoded records that
// is changed in place, under a lock for readers and writers. It has no
// snapshots: a reader that iterates keeps writers waiting, and its
// transactions cannot be rolled back but by doing all checks first.
type rawBTree struct {
	mu      sync.RWMutex
	tree    *btree.BTreeG[btreeItem]
	scratch []byte // for encoding; with mu locked
}

// btreeItem is an entry; nobody changes its bytes.
type btreeItem struct{ key, value string }

// btreeDegree is the fastest of 16, 32 and 64 for this table.
const btreeDegree = 32

func openRawBTree(Config) (Contender, error) {
	less := func(a, b btreeItem) bool { return a.key < b.key }
	return &rawBTree{tree: btree.NewG(btreeDegree, less)}, nil
}

// text returns b as a string that shares its memory.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// raw returns the bytes of s, which nobody may change.
func raw(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func (c *rawBTree) Close() error {
	c.tree = nil
	return nil
}

func (c *rawBTree) Insert(r *Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.insert(r)
}

func (c *rawBTree) InsertMany(rs []Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range rs {
		if err := c.insert(&rs[i]); err != nil {
			for j := range i {
				c.remove(&rs[j])
			}
			return err
		}
	}
	return nil
}

func (c *rawBTree) insert(r *Record) error {
	k := keysOf(r)
	if c.tree.Has(btreeItem{key: text(k.record)}) || c.tree.Has(btreeItem{key: text(k.email)}) {
		return errTaken
	}
	c.set(k.record, c.encode(r))
	c.set(k.email, text(k.id()))
	c.set(k.city, "")
	c.set(k.age, "")
	c.set(k.team, "")
	return nil
}

// encode returns r's bytes in memory of just that size.
func (c *rawBTree) encode(r *Record) string {
	c.scratch = encodeRecord(c.scratch[:0], r)
	return string(c.scratch)
}

func (c *rawBTree) set(key []byte, value string) {
	c.tree.ReplaceOrInsert(btreeItem{text(key), value})
}

func (c *rawBTree) delete(key []byte) {
	c.tree.Delete(btreeItem{key: text(key)})
}

// get reads the record with the key. The caller has locked mu.
func (c *rawBTree) get(key []byte, r *Record) error {
	item, ok := c.tree.Get(btreeItem{key: text(key)})
	if !ok {
		return errNotFound
	}
	return decodeRecord(raw(item.value), r)
}

func (c *rawBTree) Get(id uint64) (r Record, err error) {
	key := appendRecordKey(make([]byte, 0, 1+idBytes), id)
	c.mu.RLock()
	item, ok := c.tree.Get(btreeItem{key: text(key)})
	c.mu.RUnlock()
	if !ok {
		return r, errNotFound
	}
	err = decodeRecord(raw(item.value), &r)
	return r, err
}

func (c *rawBTree) ByEmail(email string) (r Record, err error) {
	key := appendEmailKey(make([]byte, 0, 64), email)
	c.mu.RLock()
	item, ok := c.tree.Get(btreeItem{key: text(key)})
	if ok {
		key = append(append(key[:0], recordSpace), item.value...)
		item, ok = c.tree.Get(btreeItem{key: text(key)})
	}
	c.mu.RUnlock()
	if !ok {
		return r, errNotFound
	}
	err = decodeRecord(raw(item.value), &r)
	return r, err
}

func (c *rawBTree) ByCity(city string, visit func(Record)) error {
	prefix := appendCityPrefix(make([]byte, 0, 64), city)
	return c.viaIndex(prefix, prefix, -1, visit)
}

func (c *rawBTree) FromAge(age, limit int, visit func(Record)) error {
	from := appendAgePrefix(make([]byte, 0, 16), age)
	return c.viaIndex(from[:1], from, limit, visit)
}

// viaIndex visits the records of at most limit index entries with the prefix,
// in order from the key from on.
func (c *rawBTree) viaIndex(prefix, from []byte, limit int, visit func(Record)) (err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	key := make([]byte, 0, 1+idBytes)
	c.tree.AscendGreaterOrEqual(btreeItem{key: text(from)}, func(e btreeItem) bool {
		if len(e.key) < len(prefix) || e.key[:len(prefix)] != text(prefix) {
			return false
		}
		key = appendRecordKey(key[:0], idOf(raw(e.key)))
		var r Record
		if err = c.get(key, &r); err != nil {
			return false
		}
		visit(r)
		limit--
		return limit != 0
	})
	return err
}

func (c *rawBTree) FromID(id uint64, limit int, visit func(Record)) error {
	return c.scan(id, func(v []byte) (bool, error) {
		limit--
		return limit > 0, handVisited(v, visit)
	})
}

// scan calls fn with the records in the order of their IDs, until it returns
// false.
func (c *rawBTree) scan(from uint64, fn func([]byte) (bool, error)) (err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	lo := appendRecordKey(make([]byte, 0, 1+idBytes), from)
	c.tree.AscendRange(btreeItem{key: text(lo)}, btreeItem{key: string([]byte{recordSpace + 1})}, func(e btreeItem) bool {
		var more bool
		more, err = fn(raw(e.value))
		return more && err == nil
	})
	return err
}

func (c *rawBTree) Named(name string, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) {
		got, err := nameIn(v)
		if err != nil || got != name {
			return true, err
		}
		return true, handVisited(v, visit)
	})
}

func (c *rawBTree) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handFiltered(v, keep, visit) })
}

func (c *rawBTree) All(visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handVisited(v, visit) })
}

func (c *rawBTree) CountAges(lo, hi int) (int, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	n := 0
	from, to := appendAgePrefix(nil, lo), appendAgePrefix(nil, hi)
	c.tree.AscendRange(btreeItem{key: text(from)}, btreeItem{key: text(to)}, func(btreeItem) bool {
		n++
		return true
	})
	return n, nil
}

func (c *rawBTree) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *rawBTree) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

// change reads a record, changes it, and writes it and those index entries
// that are others then.
func (c *rawBTree) change(id uint64, fn func(*Record)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var r Record
	if err := c.get(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
		return err
	}
	old := r
	fn(&r)
	was, is := keysOf(&old), keysOf(&r)
	if old.Age != r.Age {
		c.delete(was.age)
		c.set(is.age, "")
	}
	c.set(is.record, c.encode(&r))
	return nil
}

func (c *rawBTree) Delete(id uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var r Record
	if err := c.get(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
		return err
	}
	c.remove(&r)
	return nil
}

// remove deletes r and its index entries.
func (c *rawBTree) remove(r *Record) {
	k := keysOf(r)
	for _, key := range [][]byte{k.record, k.email, k.city, k.age, k.team} {
		c.delete(key)
	}
}

package kivis_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/btree"

	"github.com/kivisdb/kivis"
)

// Member is the record of the benchmarks: about 375 bytes, four indexes.
type Member struct {
	kivis.Auto[Member]
	Email   string `kivis:"unique"`
	Name    string
	Age     int    `kivis:"index"`
	City    string `kivis:"index"`
	TeamID  int    `kivis:"index"`
	Bio     string
	Created time.Time
	Tags    [3]string
}

var bio = string(bytes.Repeat([]byte("b"), 200))

// memberOf returns the i-th record, the same each time.
func memberOf(i int) Member {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	return Member{
		Email: fmt.Sprintf("member%07d@example.com", i), Name: fmt.Sprintf("Member Number %d", i),
		Age: r.IntN(1000), City: fmt.Sprintf("City%04d", i%1000), TeamID: r.IntN(500), Bio: bio,
		Created: time.Unix(1e9+int64(i), 0).UTC(), Tags: [3]string{"one", "two", fmt.Sprint("tag", i%7)},
	}
}

// What follows does by hand, on the bare engines, what Kivis does for Member:
// the limit that the benchmarks compare with.

func handEncode(b []byte, m *Member) []byte {
	str := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b = binary.AppendUvarint(b, uint64(m.ID))
	str(m.Email)
	str(m.Name)
	b = binary.AppendVarint(b, int64(m.Age))
	str(m.City)
	b = binary.AppendVarint(b, int64(m.TeamID))
	str(m.Bio)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Created.UnixNano()))
	for _, t := range m.Tags {
		str(t)
	}
	return b
}

func handDecode(b []byte, m *Member) {
	all := string(b) // one copy, which the strings share
	pos := 0
	uv := func() uint64 { v, n := binary.Uvarint(b[pos:]); pos += n; return v }
	iv := func() int { v, n := binary.Varint(b[pos:]); pos += n; return int(v) }
	str := func() string { n := int(uv()); s := all[pos : pos+n]; pos += n; return s }
	m.ID = kivis.ID[Member](uv())
	m.Email, m.Name, m.Age, m.City, m.TeamID, m.Bio = str(), str(), iv(), str(), iv(), str()
	m.Created = time.Unix(0, int64(binary.BigEndian.Uint64(b[pos:]))).UTC()
	pos += 8
	for i := range m.Tags {
		m.Tags[i] = str()
	}
}

func handKey(id uint64) []byte { return binary.BigEndian.AppendUint64([]byte{'r'}, id) }

// handEntries returns the keys of the index entries of m, the unique one first.
func handEntries(m *Member) [4][]byte {
	id := uint64(m.ID)
	num := func(tag byte, v int) []byte {
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32([]byte{tag}, uint32(v)), id)
	}
	city := append(append([]byte{'c'}, m.City...), 0)
	return [4][]byte{append([]byte{'e'}, m.Email...), num('a', m.Age), binary.BigEndian.AppendUint64(city, id), num('t', m.TeamID)}
}

// kvHand is an engine as the hand-written contender uses it.
type kvHand interface {
	get(id uint64, m *Member) bool
	getByEmail(email string, m *Member) bool
	insert(m *Member)
	change(id uint64, fn func(*Member)) // writes the entries that differ
	remove(id uint64)
	rangeByAge(from, n int) int // decodes n records from an age on
}

type handBadger struct {
	db   *badger.DB
	next uint64
}

func newHandBadger(b testing.TB) kvHand {
	b.Helper()
	db, err := badger.Open(badger.DefaultOptions(b.TempDir()).WithLogger(nil).WithSyncWrites(false).WithMetricsEnabled(false).
		WithMemTableSize(4 << 20).WithNumMemtables(1).WithBaseTableSize(1 << 20).WithNumLevelZeroTables(2).
		WithValueThreshold(1 << 18).WithBlockCacheSize(16 << 20)) // the sizes that badgerstore gives it by default
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return &handBadger{db: db}
}

func (h *handBadger) get(id uint64, m *Member) bool {
	return h.db.View(func(tx *badger.Txn) error { return handRead(tx, handKey(id), m) }) == nil
}

// handRead reads the record with the key.
func handRead(tx *badger.Txn, key []byte, m *Member) error {
	it, err := tx.Get(key)
	if err != nil {
		return err
	}
	return it.Value(func(v []byte) error { handDecode(v, m); return nil })
}

func (h *handBadger) getByEmail(email string, m *Member) bool {
	return h.db.View(func(tx *badger.Txn) error {
		it, err := tx.Get(append([]byte{'e'}, email...))
		if err != nil {
			return err
		}
		key, err := it.ValueCopy(nil)
		if err != nil {
			return err
		}
		if it, err = tx.Get(append([]byte{'r'}, key...)); err != nil {
			return err
		}
		return it.Value(func(v []byte) error { handDecode(v, m); return nil })
	}) == nil
}

func (h *handBadger) insert(m *Member) {
	h.next++
	m.ID = kivis.ID[Member](h.next)
	err := h.db.Update(func(tx *badger.Txn) error {
		key := handKey(h.next)
		entries := handEntries(m)
		if _, err := tx.Get(entries[0]); err == nil {
			return badger.ErrConflict
		}
		if err := tx.Set(key, handEncode(nil, m)); err != nil {
			return err
		}
		for i, e := range entries {
			var v []byte
			if i == 0 {
				v = key[1:]
			}
			if err := tx.Set(e, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		panic(err) // unreachable: the benchmark's own keys
	}
}

func (h *handBadger) change(id uint64, fn func(*Member)) {
	err := h.db.Update(func(tx *badger.Txn) error {
		var m Member
		key := handKey(id)
		if err := handRead(tx, key, &m); err != nil {
			return err
		}
		old := handEntries(&m)
		fn(&m)
		for i, e := range handEntries(&m) {
			if i == 0 || bytes.Equal(e, old[i]) {
				continue // no email is changed by hand
			}
			if err := tx.Delete(old[i]); err != nil {
				return err
			}
			if err := tx.Set(e, nil); err != nil {
				return err
			}
		}
		return tx.Set(key, handEncode(nil, &m))
	})
	if err != nil {
		panic(err) // unreachable: the benchmark's own keys
	}
}

func (h *handBadger) remove(id uint64) {
	err := h.db.Update(func(tx *badger.Txn) error {
		var m Member
		key := handKey(id)
		if err := handRead(tx, key, &m); err != nil {
			return err
		}
		for _, e := range handEntries(&m) {
			if err := tx.Delete(e); err != nil {
				return err
			}
		}
		return tx.Delete(key)
	})
	if err != nil {
		panic(err) // unreachable: the benchmark's own keys
	}
}

func (h *handBadger) rangeByAge(from, n int) (got int) {
	_ = h.db.View(func(tx *badger.Txn) error {
		it := tx.NewIterator(badger.IteratorOptions{Prefix: []byte{'a'}})
		defer it.Close()
		var m Member
		for it.Seek(binary.BigEndian.AppendUint32([]byte{'a'}, uint32(from))); it.Valid() && got < n; it.Next() {
			item, err := tx.Get(append([]byte{'r'}, it.Item().Key()[5:]...))
			if err != nil {
				return err
			}
			if err := item.Value(func(v []byte) error { handDecode(v, &m); return nil }); err != nil {
				return err
			}
			got++
		}
		return nil
	})
	return got
}

type handItem struct{ key, value []byte }

type handTree struct {
	mu   sync.RWMutex
	tree *btree.BTreeG[handItem]
	next uint64
}

func newHandTree(testing.TB) kvHand {
	return &handTree{tree: btree.NewG(32, func(a, b handItem) bool { return bytes.Compare(a.key, b.key) < 0 })}
}

func (h *handTree) get(id uint64, m *Member) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	it, ok := h.tree.Get(handItem{key: handKey(id)})
	if ok {
		handDecode(it.value, m)
	}
	return ok
}

func (h *handTree) getByEmail(email string, m *Member) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	it, ok := h.tree.Get(handItem{key: append([]byte{'e'}, email...)})
	if !ok {
		return false
	}
	it, ok = h.tree.Get(handItem{key: append([]byte{'r'}, it.value...)})
	handDecode(it.value, m)
	return ok
}

func (h *handTree) insert(m *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	m.ID = kivis.ID[Member](h.next)
	entries := handEntries(m)
	if h.tree.Has(handItem{key: entries[0]}) {
		return
	}
	key := handKey(h.next)
	h.tree.ReplaceOrInsert(handItem{key, handEncode(nil, m)})
	for i, e := range entries {
		var v []byte
		if i == 0 {
			v = key[1:]
		}
		h.tree.ReplaceOrInsert(handItem{e, v})
	}
}

func (h *handTree) change(id uint64, fn func(*Member)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := handKey(id)
	it, _ := h.tree.Get(handItem{key: key})
	var m Member
	handDecode(it.value, &m)
	old := handEntries(&m)
	fn(&m)
	for i, e := range handEntries(&m) {
		if i > 0 && !bytes.Equal(e, old[i]) {
			h.tree.Delete(handItem{key: old[i]})
			h.tree.ReplaceOrInsert(handItem{e, nil})
		}
	}
	h.tree.ReplaceOrInsert(handItem{key, handEncode(nil, &m)})
}

func (h *handTree) remove(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	it, _ := h.tree.Delete(handItem{key: handKey(id)})
	var m Member
	handDecode(it.value, &m)
	for _, e := range handEntries(&m) {
		h.tree.Delete(handItem{key: e})
	}
}

func (h *handTree) rangeByAge(from, n int) (got int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	lo := binary.BigEndian.AppendUint32([]byte{'a'}, uint32(from))
	var m Member
	h.tree.AscendRange(handItem{key: lo}, handItem{key: []byte{'b'}}, func(e handItem) bool {
		it, _ := h.tree.Get(handItem{key: append([]byte{'r'}, e.key[5:]...)})
		handDecode(it.value, &m)
		got++
		return got < n
	})
	return got
}

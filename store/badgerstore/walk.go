package badgerstore

import (
	"bytes"

	"github.com/dgraph-io/badger/v4"
)

// walk is Badger's iterator over a span of keys, of each of which it shows the
// newest entry that its version sees, if that is no deletion.
//
// Forwards it has Badger show all of a key's entries, and passes over the older
// ones itself: Badger would look up and copy more of each entry to do the same,
// up to a fifth of the time of a scan. But it copies every entry it shows, so
// where a walk passes over many of them, it leaves that to Badger after all.
type walk struct {
	txn     *badger.Txn
	it      *badger.Iterator
	span    span
	reverse bool
	all     bool   // the iterator shows all entries of a key
	last    []byte // the key of the entry before, if so
	credit  int    // how much may still be passed over
}

// What entries do to a walk's credit. The loss by passing over one is about
// what is gained from showing one, and more if there is much to copy.
const (
	firstCredit = 32
	passCost    = 2
	passBytes   = 512 // of the value, for which the cost is one more
)

// open makes w, which has a span, an iterator of txn. Prefetching values would
// start a goroutine for each, to copy what is in memory already.
func (w *walk) open(txn *badger.Txn, all bool) {
	w.txn, w.all, w.credit = txn, all, firstCredit
	w.it = txn.NewIterator(badger.IteratorOptions{Prefix: w.span.prefix, Reverse: w.reverse, AllVersions: all})
}

// skipHidden moves on to the first entry to be shown, if the iterator does not
// stand on one, and returns it; nil if there is none in the span.
func (w *walk) skipHidden() *badger.Item {
	for w.it.Valid() {
		item := w.it.Item()
		switch {
		case !w.inside(item.Key()):
			return nil
		case !w.all, w.shows(item):
			return item
		}
		w.pass(item)
	}
	return nil
}

func (w *walk) inside(key []byte) bool {
	if w.reverse {
		return bytes.Compare(key, w.span.lo) >= 0
	}
	return bytes.Compare(key, w.span.hi) < 0
}

// shows says whether an entry is the newest of its key, and no deletion.
func (w *walk) shows(item *badger.Item) bool {
	if bytes.Equal(item.Key(), w.last) {
		return false
	}
	w.last = append(w.last[:0], item.Key()...)
	w.credit++
	return !item.IsDeletedOrExpired()
}

// pass moves on from an entry that is not shown. Once there have been too many
// of them it opens an iterator that shows the newest ones alone.
func (w *walk) pass(item *badger.Item) {
	w.credit -= passCost + int(item.ValueSize()/passBytes)
	if w.credit >= 0 {
		w.it.Next()
		return
	}
	w.it.Close()
	w.open(w.txn, false)
	w.it.Seek(append(w.last, 0)) // what follows the key
}

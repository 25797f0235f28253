package query

// heldEntries are copies of index entries, in the order in which they came.
type heldEntries struct {
	bytes []byte   // of each the parts of the index, then the record's key
	ends  []uint32 // where each entry ends in bytes
}

// add copies the entry of an item.
func (h *heldEntries) add(it *item) {
	h.bytes = append(append(h.bytes, it.tuple[:it.ends[len(it.ends)-1]]...), it.key...)
	h.ends = append(h.ends, uint32(len(h.bytes)))
}

// len returns how many entries there are.
func (h *heldEntries) len() int { return len(h.ends) }

// size is about how many bytes they take.
func (h *heldEntries) size() int { return len(h.bytes) + 4*len(h.ends) }

// entry returns the bytes of the i-th entry.
func (h *heldEntries) entry(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = h.ends[i-1]
	}
	return h.bytes[from:h.ends[i]]
}

// reset lets go of all but memory, and of that too where it is much.
func (h *heldEntries) reset() {
	*h = heldEntries{h.bytes[:0], emptied(h.ends)}
	if cap(h.bytes) > keepBytes {
		h.bytes = nil
	}
}

// A heldScan gives held entries, those of some records only where a set of keys
// says which, and then those of the stream that they are from.
type heldScan struct {
	held heldEntries
	a    *accessPath
	only *keySet // nil: all
	then stream  // nil: that is all
	ends []int
	i    int
}

// item makes it the i-th entry.
func (h *heldScan) item(i int, it *item) {
	entry := h.held.entry(i)
	rest := entry
	for i := range h.ends {
		rest, _ = h.a.c.index.Parts[i].Key.Skip(rest) // as it was when it was read
		h.ends[i] = len(entry) - len(rest)
	}
	*it = item{tuple: entry, ends: h.ends, key: rest}
}

func (h *heldScan) next(it *item) bool {
	for h.i < h.held.len() {
		h.item(h.i, it)
		h.i++
		if h.only == nil || h.only.has(it.key) {
			return true
		}
	}
	return h.then != nil && h.then.next(it)
}

func (h *heldScan) close() {}

package occ

// list is a queue of live transactions in the order of their snapshots, linked
// through the transactions themselves.
type list struct {
	head, tail *Tx
	n          int
}

func (l *list) push(tx *Tx) {
	tx.prev = l.tail
	if l.tail == nil {
		l.head = tx
	} else {
		l.tail.next = tx
	}
	l.tail = tx
	l.n++
}

func (l *list) remove(tx *Tx) {
	if tx.prev == nil {
		l.head = tx.next
	} else {
		tx.prev.next = tx.next
	}
	if tx.next == nil {
		l.tail = tx.prev
	} else {
		tx.next.prev = tx.prev
	}
	tx.prev, tx.next = nil, nil
	l.n--
}

// oldest returns the version of the first transaction, or none.
func (l *list) oldest(none uint64) uint64 {
	if l.head == nil {
		return none
	}
	return l.head.version
}

func (l *list) append(dst []*Tx) []*Tx {
	for tx := l.head; tx != nil; tx = tx.next {
		dst = append(dst, tx)
	}
	return dst
}

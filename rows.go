package kivis

// freeze lets the iterators that are open on the transaction read ahead before
// it writes: they go on showing what was there when they were opened.
func (t *txn) freeze() {
	for _, rows := range t.iters {
		rows.Freeze()
	}
}

package kivis

// Note returns what [Tx.SetNote] has kept in the database under a name, as the
// transaction sees it; nil where there is nothing.
func (tx *Tx) Note(name string) ([]byte, error) {
	if err := tx.enter(); err != nil {
		return nil, wrap("note", nil, nil, err)
	}
	defer tx.t.Leave()
	value, err := tx.t.Note(name)
	return value, wrap("note", nil, nil, err)
}

// SetNote keeps a few bytes in the database under a name, beside its tables and in
// this transaction: how far an import has come, for one, which is then so exactly
// if its records are in. They replace those of an earlier SetNote; nil removes
// them. A name has the maker's first, as in "myprogram/import".
func (tx *Tx) SetNote(name string, value []byte) error {
	err := tx.enter()
	if err != nil {
		return wrap("set note", nil, nil, err)
	}
	defer tx.t.Leave()
	if tx.readOnly {
		return wrap("set note", nil, nil, ErrReadOnly)
	}
	return wrap("set note", nil, nil, tx.t.SetNote(name, value))
}

// enter begins a call on the transaction, which Leave of its core ends.
func (tx *Tx) enter() error {
	if tx == nil || tx.t == nil {
		return errNoTx
	}
	if err := tx.alive(tx.ctx); err != nil {
		return err
	}
	return tx.t.Enter()
}

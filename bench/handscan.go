package main

// What the stores that are used by hand do with each record of a scan.

// handNamed visits the record in v if it has the name. It decodes the rest
// only then, from a copy, since v is valid for this call only.
func handNamed(v []byte, name string, visit func(Record)) error {
	got, err := nameIn(v)
	if err != nil || got != name {
		return err
	}
	return handVisited(append([]byte(nil), v...), visit)
}

// handFiltered visits the record in v, which nobody may change afterwards, if
// keep is true for it.
func handFiltered(v []byte, keep func(*Record) bool, visit func(Record)) error {
	var r Record
	if err := decodeRecord(v, &r); err != nil {
		return err
	}
	if keep(&r) {
		visit(r)
	}
	return nil
}

// handVisited visits the record in v, which nobody may change afterwards.
func handVisited(v []byte, visit func(Record)) error {
	var r Record
	if err := decodeRecord(v, &r); err != nil {
		return err
	}
	visit(r)
	return nil
}

package cli

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/files"
)

// mark says how far an import has come: that the records of so many bytes of a
// file are in. It is kept in the database, in the transaction of the records
// themselves. A file that begins with the same bytes is gone on with; so it may be
// one whose next line was mended.
type mark struct {
	Bytes   int64  `json:"bytes"`
	Records int    `json:"records"`
	SHA256  string `json:"sha256"` // of the bytes

	Rejects    string `json:"rejects,omitempty"`    // the file of rejects, if there is one
	RejectsEnd int64  `json:"rejectsEnd,omitempty"` // where that ended

	hash hash.Hash // of the bytes
	file *os.File  // at their end; nil for standard input
}

// maxMarks is how many imports into a table can be gone on with.
const maxMarks = 8

// noteName is the note under which the marks of the imports into a table are.
func (m *importing) noteName() string { return "kivis/import/" + m.table.Name() }

// marks returns the marks of imports into the table that were not completed.
func (m *importing) marks(tx *kivis.Tx) (list []mark, err error) {
	b, err := tx.Note(m.noteName())
	if err != nil || b == nil {
		return nil, err
	}
	return list, json.Unmarshal(b, &list)
}

// setMarks keeps the marks of imports into the table.
func (m *importing) setMarks(tx *kivis.Tx, list []mark) error {
	if len(list) == 0 {
		return tx.SetNote(m.noteName(), nil)
	}
	b, err := json.Marshal(list[max(0, len(list)-maxMarks):])
	if err != nil {
		return err
	}
	return tx.SetNote(m.noteName(), b)
}

// mark notes in the transaction that the file is in up to the end of an item, and
// its rejects up to a place in their file.
func (m *importing) mark(tx *kivis.Tx, last parsed, rejectsEnd int64) error {
	if m.at.file == nil {
		return nil
	}
	next, err := m.at.moved(last.Item)
	if err != nil {
		return err
	}
	if m.rejects != nil {
		next.Rejects, next.RejectsEnd = m.rejects.name, rejectsEnd
	}
	return m.note(tx, next)
}

// note keeps a mark in place of the one that the import is at.
func (m *importing) note(tx *kivis.Tx, next mark) error {
	list, err := m.marks(tx)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(k mark) bool { return k.SHA256 == m.at.SHA256 || k.SHA256 == next.SHA256 })
	if err := m.setMarks(tx, append(list, next)); err != nil {
		return err
	}
	tx.OnCommit(func() { m.at = next })
	return nil
}

// moved returns the mark at the end of an item. The one that it is called on stays
// as it is: the transaction may run again.
func (k mark) moved(item files.Item) (mark, error) {
	state, err := k.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return k, err
	}
	next := mark{Bytes: item.End, Records: item.Number, hash: sha256.New(), file: k.file}
	if err := next.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return k, err
	}
	_, err = io.Copy(next.hash, io.NewSectionReader(k.file, k.Bytes, item.End-k.Bytes))
	next.SHA256 = hex.EncodeToString(next.hash.Sum(nil))
	return next, err
}

// resume finds out how far an earlier import of the file has come, and passes over
// what it has dealt with.
func (m *importing) resume() error {
	m.at = mark{hash: sha256.New()}
	m.at.SHA256 = hex.EncodeToString(m.at.hash.Sum(nil))
	if m.cmd.File == "-" || m.cmd.DryRun {
		return nil
	}
	var err error
	if m.at.file, err = os.Open(m.cmd.File); err != nil {
		return err
	}
	if m.cmd.Restart {
		return m.resumeRejects()
	}
	var list []mark
	err = m.db.View(m.c.ctx, func(_ context.Context, tx *kivis.Tx) (err error) {
		list, err = m.marks(tx)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b mark) int { return int(a.Bytes - b.Bytes) })
	for _, k := range list {
		if err := m.match(k); err != nil {
			return err
		}
	}
	if err := m.resumeRejects(); err != nil {
		return err
	}
	return m.skip()
}

// resumeRejects has the rejects go on where the mark says that they ended. Before
// the first chunk there is a mark of nothing, for these alone.
func (m *importing) resumeRejects() error {
	switch {
	case m.rejects == nil || m.rejects.name == "":
		return nil
	case m.rejects.name == m.at.Rejects:
		return m.rejects.resume(m.at.RejectsEnd, m.at.Records)
	}
	next, err := m.at.moved(files.Item{End: m.at.Bytes, Number: m.at.Records})
	if err != nil {
		return err
	}
	next.Rejects, next.RejectsEnd = m.rejects.name, m.rejects.end
	return m.db.Update(m.c.ctx, func(_ context.Context, tx *kivis.Tx) error { return m.note(tx, next) })
}

// match takes over a mark if the file begins as it says. Marks come in the order
// of their bytes.
func (m *importing) match(k mark) error {
	next, err := m.at.moved(files.Item{End: k.Bytes, Number: k.Records})
	if err == nil && next.SHA256 == k.SHA256 {
		next.Rejects, next.RejectsEnd = k.Rejects, k.RejectsEnd
		m.at = next
	}
	return err
}

// skip passes over the records that are in.
func (m *importing) skip() error {
	m.before = m.at.Records
	for range m.before {
		if _, err := m.file.Next(); err != nil {
			return fmt.Errorf("%s, which is in up to record %d: %w", m.cmd.File, m.before, err)
		}
	}
	if m.before > 0 {
		m.c.note("going on behind record %s, up to which %s is in", thousands(int64(m.before)), m.cmd.File)
	}
	return nil
}

// forget removes the mark of an import that is complete.
func (m *importing) forget() error {
	if m.at.file == nil {
		return nil
	}
	err := m.db.Update(m.c.ctx, func(_ context.Context, tx *kivis.Tx) error {
		list, err := m.marks(tx)
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(list, func(k mark) bool { return k.SHA256 == m.at.SHA256 })
		return m.setMarks(tx, kept)
	})
	return errors.Join(err, m.at.file.Close())
}

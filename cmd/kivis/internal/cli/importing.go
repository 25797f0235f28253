package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/files"
)

// A chunk of an import is one transaction: so many records, or bytes of them.
const (
	chunkRecords = 1000
	chunkBytes   = 4 << 20
)

// importing is an import under way.
type importing struct {
	c     *call
	cmd   *importCmd
	db    *kivis.DB
	table kivis.NamedTable
	file  files.Reader

	at       mark // how far it has come
	before   int  // records that an earlier run has dealt with
	in       int  // records that this run has written
	rejected int
	rejects  *rejects
}

// parsed is a record of the file.
type parsed struct {
	files.Item
	rec kivis.Record
	err error // why it cannot be written
}

// chunk is what comes from the reader at once.
type chunk struct {
	items []parsed
	err   error // what ended the file, but for its end
}

// run imports all of the file, or up to the first record that cannot be written.
func (m *importing) run() (err error) {
	if m.rejects, err = openRejects(m.cmd.Rejects); err != nil {
		return err
	}
	if err := m.resume(); err != nil {
		return errors.Join(err, m.rejects.close())
	}
	bar := m.c.progress("importing " + m.cmd.File)
	ctx, stop := context.WithCancel(m.c.ctx)
	defer stop()
	chunks := make(chan chunk, 2)
	go m.read(ctx, chunks)
	write := m.write
	var dry dryRun
	if m.cmd.DryRun {
		dry = dryRun{m: m}
		write = dry.write
	}
	for ch := range chunks {
		if err == nil {
			if err = write(ch.items); err == nil {
				err = ch.err
			}
		}
		if err != nil {
			stop() // the reader ends, and with it the chunks
		}
		bar.set(int64(m.at.Records), 0)
	}
	bar.end()
	dry.end()
	if err == nil {
		err = m.c.ctx.Err()
	}
	return m.end(err)
}

// end says how it went, and then forgets how far the import has come, if it is
// complete. In this order: who was killed and has not been told is in the middle of
// the import still, and writes nothing twice.
func (m *importing) end(err error) error {
	err = errors.Join(err, m.rejects.close())
	would := ""
	if m.cmd.DryRun {
		would = "would be "
	}
	s := fmt.Sprintf("%s %simported", count(m.in, "record", "records"), would)
	if m.rejected > 0 {
		s += fmt.Sprintf(", %s %sskipped", thousands(int64(m.rejected)), would)
	}
	if m.before > 0 {
		s += fmt.Sprintf("; %s before, by an earlier run", count(m.before, "record", "records"))
	}
	if err != nil && m.at.Bytes > 0 {
		s += "; the same command goes on from there"
	}
	m.c.note("%s", s)
	if err != nil || m.cmd.DryRun {
		return err
	}
	return m.forget()
}

// read sends the records of the file, in chunks, and closes the channel.
func (m *importing) read(ctx context.Context, chunks chan<- chunk) {
	defer close(chunks)
	for done := false; !done; {
		ch := m.chunk()
		done = ch.err != nil
		if errors.Is(ch.err, io.EOF) {
			ch.err = nil
		}
		select {
		case chunks <- ch:
		case <-ctx.Done():
			return
		}
	}
}

// chunk reads the next chunk; its error is io.EOF at the end.
func (m *importing) chunk() (ch chunk) {
	ch.items = make([]parsed, 0, chunkRecords)
	for n := 0; len(ch.items) < chunkRecords && n < chunkBytes; {
		item, err := m.file.Next()
		if err != nil {
			ch.err = err
			return ch
		}
		n += len(item.JSON)
		p := parsed{Item: item, err: item.Err}
		if item.Err == nil {
			p.rec = m.table.New()
			p.err = p.rec.UnmarshalJSON(item.JSON)
		}
		ch.items = append(ch.items, p)
	}
	return ch
}

// write writes the records of a chunk in one transaction, with how far the import
// has come. Of those that cannot be written it stops before the first, or skips
// them.
func (m *importing) write(items []parsed) error {
	if len(items) == 0 {
		return nil
	}
	var errs []error
	var end int64 // of the rejects
	err := m.db.Update(m.c.ctx, func(ctx context.Context, tx *kivis.Tx) error {
		var err error
		if errs, err = m.put(ctx, tx, items); err != nil {
			return err
		}
		if m.cmd.OnError == "stop" && firstOf(errs) < len(items) {
			return errShorter
		}
		if end, err = m.rejects.add(items, errs); err != nil {
			return err
		}
		return m.mark(tx, items[len(items)-1], end)
	})
	switch {
	case errors.Is(err, errShorter):
		bad := firstOf(errs)
		if err := m.write(items[:bad]); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", items[bad].Where(), errs[bad])
	case err != nil:
		return err
	}
	m.wrote(items, errs)
	m.rejects.keep(end)
	return nil
}

// errShorter undoes a chunk, to be written up to a record that cannot be.
var errShorter = errors.New("the chunk ends before a record that cannot be written")

// wrote counts what a chunk has written.
func (m *importing) wrote(items []parsed, errs []error) {
	for _, err := range errs {
		if err != nil {
			m.rejected++
		} else {
			m.in++
		}
	}
	if n := len(items); n > 0 {
		m.at.Records = items[n-1].Number
	}
}

// put writes records, and returns for each why it could not be. The other error is
// one that is none of theirs. Those that refer to something that is not there are
// tried again after the others, which they may refer to.
func (m *importing) put(ctx context.Context, tx *kivis.Tx, items []parsed) ([]error, error) {
	errs := make([]error, len(items))
	t := m.table.With(tx)
	var again []int
	for i := range items {
		if errs[i] = m.one(ctx, t, &items[i]); errors.Is(errs[i], kivis.ErrReference) {
			again = append(again, i)
		}
		if fatal(ctx, errs[i]) {
			return nil, errs[i]
		}
	}
	for left := len(again) + 1; left > len(again) && len(again) > 0; {
		left = len(again)
		missing := again
		again = nil
		for _, i := range missing {
			if errs[i] = m.one(ctx, t, &items[i]); errs[i] != nil {
				again = append(again, i)
			}
		}
	}
	return errs, nil
}

// one writes one record.
func (m *importing) one(ctx context.Context, t kivis.NamedTable, p *parsed) error {
	if p.err != nil {
		return p.err
	}
	var err error
	if m.cmd.Upsert {
		_, err = t.Put(ctx, p.rec)
	} else {
		_, err = t.Insert(ctx, p.rec)
	}
	return err
}

// fatal reports whether an error is about the database or the command, and not
// about one record.
func fatal(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	for _, e := range []error{kivis.ErrTxTooLarge, kivis.ErrTxBusy, kivis.ErrTxDone, kivis.ErrReadOnly, kivis.ErrClosed,
		kivis.ErrCommitUnknown, kivis.ErrConflict, kivis.ErrUntyped, kivis.ErrExhausted, kivis.ErrNoTable} {
		if errors.Is(err, e) {
			return true
		}
	}
	var damage *kivis.CorruptError
	return ctx.Err() != nil || errors.As(err, &damage)
}

// firstOf returns the position of the first error, or how many there are.
func firstOf(errs []error) int {
	for i, err := range errs {
		if err != nil {
			return i
		}
	}
	return len(errs)
}

package cli

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
	"github.com/kivisdb/kivis/store"
)

// session is an open database, of one command or of a shell.
type session struct {
	text    string // that named it
	db      *kivis.DB
	store   store.Store
	write   bool
	untyped bool
}

// on runs fn on the database that text names, opened for reading alone unless
// write is set.
func (c *call) on(text string, write bool, fn func(db *kivis.DB) error) error {
	return c.with(text, write, false, fn)
}

// with is on, where records may be written that have no Go type to validate
// them, if untyped is set.
func (c *call) with(text string, write, untyped bool, fn func(db *kivis.DB) error) error {
	if c.shell != nil && c.shell.text == text {
		if err := c.reopen(write, untyped); err != nil {
			return err
		}
		c.store = c.shell.store
		return fn(c.shell.db)
	}
	s := session{text: text, write: write, untyped: untyped}
	if err := c.open(&s); err != nil {
		return err
	}
	c.store = s.store
	return errors.Join(fn(s.db), s.db.Close())
}

// alone runs fn while no database is open.
func (c *call) alone(text string, fn func(ctx context.Context) error) error {
	if c.shell == nil || c.shell.text != text {
		return fn(c.ctx)
	}
	err := c.shell.close()
	return errors.Join(err, fn(c.ctx))
}

// reopen has the shell's database open for what is to be done.
func (c *call) reopen(write, untyped bool) error {
	s := c.shell
	if s.db != nil && (s.write || !write) && (s.untyped || !untyped) {
		return nil
	}
	if err := s.close(); err != nil {
		return err
	}
	s.write, s.untyped = s.write || write, s.untyped || untyped
	return c.open(s)
}

// open opens a session's database.
func (c *call) open(s *session) error {
	p, err := place.Find(s.text, false)
	if err != nil {
		return err
	}
	bar := c.progress("checking " + p.Path)
	s.store, err = p.Open(&place.Options{ReadOnly: !s.write, Progress: bar.set})
	bar.end()
	if err != nil {
		return err
	}
	s.db, err = kivis.Open(s.store, &kivis.Options{AllowUntyped: s.untyped})
	return err
}

func (s *session) close() error {
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	s.db = nil
	return err
}

package cli

import (
	"bufio"
	"context"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/store"
)

// Streams are what a command reads from and writes to.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer

	InTerminal, OutTerminal, ErrTerminal bool
	Width                                int // of the terminal, in characters; 0 is not known
}

// Standard returns the streams of the process.
func Standard() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	s.InTerminal = term.IsTerminal(int(os.Stdin.Fd()))
	s.OutTerminal = term.IsTerminal(int(os.Stdout.Fd()))
	s.ErrTerminal = term.IsTerminal(int(os.Stderr.Fd()))
	if s.OutTerminal {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			s.Width = w
		}
	}
	return s
}

// call is one run of a command.
type call struct {
	ctx   context.Context
	std   Streams
	in    io.Reader
	out   *bufio.Writer // data
	err   io.Writer     // all else
	texts []asked       // what the user has asked, for errors to point into
	store store.Store   // of the database that was opened last
	shell *session      // of the shell that the command was given to, if any
}

// asked is a text of the user's, in a clause of a query.
type asked struct{ clause, text string }

func newCall(ctx context.Context, std Streams) *call {
	c := &call{ctx: ctx, std: std, in: std.In, err: std.Err}
	out := std.Out
	if std.OutTerminal {
		out = rows.NewTerminal(out)
	}
	if std.ErrTerminal {
		c.err = rows.NewTerminal(std.Err)
	}
	c.out = bufio.NewWriterSize(out, 1<<16)
	return c
}

// table returns the table with the name.
func (c *call) table(conn kivis.Conn, name string) (kivis.NamedTable, error) {
	t := kivis.TableNamed(conn, name)
	_, err := t.Schema(c.ctx)
	return t, err
}

// output is how a command writes what it has found.
type output struct {
	Format rows.Format `placeholder:"FORMAT" help:"box, json, jsonl, csv, tsv, markdown or parquet. On a terminal it is box, else jsonl."`
}

// format returns the format that was asked for, or is usual there.
func (o output) format(c *call) rows.Format {
	switch {
	case o.Format != "":
		return o.Format
	case c.std.OutTerminal:
		return rows.Box
	}
	return rows.JSONL
}

// writer returns a writer of rows to standard output.
func (o output) writer(c *call, s *rows.Shape) (rows.Writer, error) {
	return rows.NewWriter(c.out, o.format(c), s, rows.Options{Width: c.std.Width})
}

// print writes rows of Go values to standard output.
func (o output) print(c *call, s *rows.Shape, all [][]any) error {
	w, err := o.writer(c, s)
	if err != nil {
		return err
	}
	for _, values := range all {
		row, err := s.Values(values...)
		if err != nil {
			return err
		}
		if err := w.Row(row); err != nil {
			return err
		}
	}
	return w.Close()
}

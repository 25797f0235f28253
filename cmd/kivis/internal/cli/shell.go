package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/peterh/liner"
)

type shellCmd struct {
	DB string `arg:"" name:"database" help:"The database."`
}

// Help says what the shell takes.
func (*shellCmd) Help() string {
	return `Takes commands without the database, one a line, and goes on after a mistake. A predicate, a key or, behind put, a record as JSON needs no ` +
		`quotation marks. On a terminal there is a history, and the tabulator completes commands, tables, fields and words. help lists the commands; exit ends it.`
}

// Run takes commands until their end.
func (cmd *shellCmd) Run(c *call) error {
	if c.shell != nil {
		return errors.New("this is a shell already")
	}
	s := &shell{c: c, session: &session{text: cmd.DB}}
	if err := c.open(s.session); err != nil {
		return err
	}
	lines := s.plainLines
	if c.std.InTerminal && c.std.OutTerminal {
		lines = s.editedLines
	}
	return errors.Join(lines(), s.session.close())
}

// shell is a shell under way.
type shell struct {
	c       *call
	session *session
	ended   bool // by a command
}

// plainLines takes the lines of standard input.
func (s *shell) plainLines() error {
	in := bufio.NewReader(s.c.in)
	for !s.ended {
		line, err := in.ReadString('\n')
		s.do(line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || s.c.ctx.Err() != nil {
			return errors.Join(err, s.c.ctx.Err())
		}
	}
	return nil
}

// editedLines takes lines from a terminal, with a history and completion.
func (s *shell) editedLines() error {
	l := liner.NewLiner()
	defer l.Close()
	l.SetCtrlCAborts(true)
	l.SetTabCompletionStyle(liner.TabPrints)
	l.SetWordCompleter(func(line string, pos int) (string, []string, string) {
		head, list := complete(line[:min(pos, len(line))], s.session.db.Tables())
		return head, alike(line[len(head):min(pos, len(line))], list), line[min(pos, len(line)):]
	})
	history := historyFile()
	if f, err := os.Open(history); err == nil {
		l.ReadHistory(f)
		f.Close()
	}
	s.c.note("%s; help lists the commands, exit ends", s.session.text)
	for !s.ended {
		line, err := l.Prompt("kivis> ")
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			continue
		case errors.Is(err, io.EOF):
			return saveHistory(l, history)
		case err != nil:
			return err
		}
		if strings.TrimSpace(line) != "" {
			l.AppendHistory(line)
		}
		s.do(line)
	}
	return saveHistory(l, history)
}

// historyFile returns the file of the lines of earlier shells.
func historyFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "kivis", "history")
}

// saveHistory writes the history, which the user alone may read: lines have values
// of records in them.
func saveHistory(l *liner.State, name string) error {
	if name == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = l.WriteHistory(f)
	return errors.Join(err, f.Close())
}

// do runs the command of a line. An interrupt ends the command, and not the shell.
func (s *shell) do(line string) {
	line = strings.TrimSpace(line)
	switch line {
	case "exit", "quit":
		s.ended = true
		return
	case "help":
		line = "--help"
	}
	if line == "" || strings.HasPrefix(line, "#") {
		return
	}
	ctx, stop := signal.NotifyContext(context.WithoutCancel(s.c.ctx), os.Interrupt)
	defer stop()
	one := newCall(ctx, s.c.std)
	one.shell = s.session
	args, record, err := arguments(line, s.session.text)
	if one.in = strings.NewReader(record); err == nil {
		err = one.run(args)
	}
	if flushed := one.out.Flush(); err == nil {
		err = flushed
	}
	one.report(err)
}

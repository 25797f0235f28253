// Package cli is the command line of Kivis: its grammar, and a type with a method
// Run for each command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// grammar is the command line, as package kong reads it.
type grammar struct {
	Tables tablesCmd `cmd:"" help:"List the tables, with how many records each has."`
	Schema schemaCmd `cmd:"" help:"Show fields, keys, indexes and references."`
	Get    getCmd    `cmd:"" help:"Print the record with a key."`
	Query  queryCmd  `cmd:"" help:"Print the records that a predicate finds."`

	Watch watchCmd `cmd:"" help:"Print them again whenever they change."`
	Shell shellCmd `cmd:"" help:"Take commands from a prompt."`

	Studio studioCmd `cmd:"" help:"Show the database in a browser."`

	Put    putCmd    `cmd:"" help:"Write records, given as JSON."`
	Delete deleteCmd `cmd:"" help:"Delete the record with a key."`

	Export exportCmd `cmd:"" help:"Write records to CSV, JSON or Parquet."`
	Import importCmd `cmd:"" help:"Write the records of a file into a table."`
	Struct structCmd `cmd:"" help:"Print a Go struct for the records of a file."`

	Backup  backupCmd  `cmd:"" help:"Write a snapshot into one file."`
	Restore restoreCmd `cmd:"" help:"Make a database of a backup."`
	Verify  verifyCmd  `cmd:"" help:"Look whether a backup is whole."`
	Copy    copyCmd    `cmd:"" help:"Copy a database into a store of any kind."`

	Check   checkCmd   `cmd:"" help:"Look for damage, and mend indexes."`
	Stats   statsCmd   `cmd:"" help:"Show what takes how much."`
	Compact compactCmd `cmd:"" help:"Give back the space of what is gone."`
	Diff    diffCmd    `cmd:"" help:"Compare two databases."`
}

const about = `Looks into databases of Kivis and works on them.

DATABASE is the path of one, or KIND:PATH; the kinds are badger, pebble, bolt,
sqlite and backup. Or it is a URL, s3://BUCKET/PREFIX, postgres://USER@HOST/NAME
or tikv://PD/NAME.`

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Process runs the command that the process was started with, until an interrupt,
// and returns the exit code.
func Process() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Main(ctx, os.Args[1:], Standard())
}

// Main runs the command that args are, and returns the exit code.
func Main(ctx context.Context, args []string, std Streams) int {
	c := newCall(ctx, std)
	err := c.run(args)
	if flushed := c.out.Flush(); err == nil {
		err = flushed
	}
	return c.report(err)
}

// run runs one command.
func (c *call) run(args []string) error {
	var g grammar
	k, err := kong.New(&g, kong.Name("kivis"), kong.Description(about), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.WithHyphenPrefixedParameters(true),
		kong.Writers(c.out, io.Discard), kong.Exit(func(int) { panic(helpShown{}) }))
	if err != nil {
		return err
	}
	ctx, err := parse(k, args)
	switch {
	case errors.Is(err, errHelp):
		return nil
	case err != nil:
		return usageError{err}
	}
	return ctx.Run(c)
}

// helpShown is what ends the parsing of a line that asks for help.
type helpShown struct{}

var errHelp = errors.New("help was asked for")

func parse(k *kong.Kong, args []string) (ctx *kong.Context, err error) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case helpShown:
			err = errHelp
		default:
			panic(r)
		}
	}()
	return k.Parse(protect(args))
}

// protect has an argument such as -5, a key and no flag, follow a --, which ends
// the flags, if no flag comes after it.
func protect(args []string) []string {
	for i, a := range args {
		switch {
		case a == "--":
			return args
		case len(a) < 2 || a[0] != '-' || a[1] < '0' || a[1] > '9':
		case i > 0 && strings.HasPrefix(args[i-1], "--"): // the value of a flag
		default:
			return append(append(append([]string{}, args[:i]...), "--"), args[i:]...)
		}
	}
	return args
}

// usageError is a line that no command understands.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// failure is a command that did its work and has a result that counts as a
// failure, such as the faults that a check found. It says nothing more.
type failure struct{}

func (failure) Error() string { return "failed" }

// report says what went wrong, and returns the exit code.
func (c *call) report(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(c.err, "kivis: %v\ntry kivis --help, or kivis COMMAND --help\n", err)
		return exitUsage
	case errors.Is(err, failure{}):
		return exitFailed
	case c.ctx.Err() != nil:
		fmt.Fprintln(c.err, "kivis: interrupted")
		return exitFailed
	}
	io.WriteString(c.err, c.message(err))
	return exitFailed
}

package cli

import (
	"context"
	"errors"
	"io"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
)

type exportCmd struct {
	question
	Out    string      `placeholder:"FILE" help:"Write to this file, by whose name the format goes."`
	Format rows.Format `placeholder:"FORMAT" help:"csv, tsv, jsonl, json, parquet, markdown or box. Without a file it is jsonl."`
	Nanos  bool        `help:"Parquet: times to the nanosecond, from 1678 to 2261. Else they are to the microsecond."`
}

// Help says what the forms of values are.
func (*exportCmd) Help() string {
	return `Writes what one snapshot has, a record after the other. import reads it back to the same values. In CSV nil is \N, times are as in RFC 3339, ` +
		`bytes in base64, and values with others inside are JSON.`
}

// Run writes the records that the predicate finds.
func (cmd *exportCmd) Run(c *call) error {
	defer frugal()()
	format, err := cmd.format()
	if err != nil {
		return err
	}
	if err := notOver(cmd.Out, pathOf(cmd.DB)); err != nil {
		return err
	}
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		q, f, err := cmd.of(c, db)
		if err != nil {
			return err
		}
		if cmd.Out == "" {
			return c.export(q, f, c.out, format, rows.Options{Width: c.std.Width, Nanos: cmd.Nanos})
		}
		return writeFile(cmd.Out, publicFile, func(w io.Writer) error {
			return c.export(q, f, w, format, rows.Options{Nanos: cmd.Nanos})
		})
	})
}

// format returns the format that was asked for, or that of the file's name.
func (cmd *exportCmd) format() (rows.Format, error) {
	switch {
	case cmd.Format != "":
		return cmd.Format, nil
	case cmd.Out == "":
		return rows.JSONL, nil
	}
	f, err := rows.FormatOf(cmd.Out)
	if err != nil {
		return "", usageError{err}
	}
	return f, nil
}

// exportBatch is how many records go from the reader to the writer at once.
const exportBatch = 256

// export writes the records that a query finds: one goroutine reads them while
// this one writes.
func (c *call) export(q kivis.NamedQuery, f *fields, out io.Writer, format rows.Format, o rows.Options) error {
	w, err := rows.NewWriter(out, format, f.shape, o)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	batches := make(chan []kivis.Record, 4)
	failed := make(chan error, 1)
	go func() { failed <- readBatches(ctx, q, batches) }()
	bar := c.progress("exporting")
	defer bar.end()
	var n int64
	for batch := range batches {
		for _, rec := range batch {
			if err == nil {
				err = f.write(w, rec)
			}
		}
		if err != nil {
			stop() // the reader ends, and with it the batches
		}
		n += int64(len(batch))
		bar.set(n, 0)
	}
	read := <-failed
	if err != nil {
		return err
	}
	return errors.Join(read, w.Close())
}

// readBatches sends the records that a query finds, and closes the channel.
func readBatches(ctx context.Context, q kivis.NamedQuery, batches chan<- []kivis.Record) error {
	defer close(batches)
	batch := make([]kivis.Record, 0, exportBatch)
	send := func() error {
		select {
		case batches <- batch:
			batch = make([]kivis.Record, 0, exportBatch)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for rec, err := range q.All(ctx) {
		if err != nil {
			return err
		}
		if batch = append(batch, rec); len(batch) == exportBatch {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

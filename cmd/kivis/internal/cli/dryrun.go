package cli

import (
	"fmt"

	"github.com/kivisdb/kivis"
)

// dryBytes is how much a dry run writes into one transaction before it drops it
// and begins another: what is in two of them is not held against each other.
const dryBytes = 32 << 20

// dryRun writes records into transactions that are dropped.
type dryRun struct {
	m     *importing
	tx    *kivis.Tx
	bytes int
}

// write writes the records of a chunk as an import would.
func (d *dryRun) write(items []parsed) error {
	if err := d.begin(); err != nil {
		return err
	}
	errs, err := d.m.put(d.tx.Context(), d.tx, items)
	if err != nil {
		return err
	}
	for i := range items {
		d.bytes += len(items[i].JSON)
	}
	if bad := firstOf(errs); bad < len(items) && d.m.cmd.OnError == "stop" {
		d.m.wrote(items[:bad], errs[:bad])
		return fmt.Errorf("%s: %w", items[bad].Where(), errs[bad])
	}
	d.m.wrote(items, errs)
	end, err := d.m.rejects.add(items, errs)
	d.m.rejects.keep(end)
	return err
}

func (d *dryRun) begin() (err error) {
	if d.bytes >= dryBytes {
		d.end()
	}
	if d.tx == nil {
		d.bytes = 0
		d.tx, err = d.m.db.Begin(d.m.c.ctx, true)
	}
	return err
}

// end drops the transaction.
func (d *dryRun) end() {
	d.tx.Discard()
	d.tx = nil
}

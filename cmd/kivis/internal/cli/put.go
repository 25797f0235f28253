package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/kivisdb/kivis"
)

type putCmd struct {
	DB      string `arg:"" name:"database" help:"The database."`
	Table   string `arg:"" help:"The table."`
	Insert  bool   `help:"Refuse a record whose key is there already."`
	Untyped bool   `help:"Write also records that only their program can validate, or compute the key of."`
}

// Help says what the records look like.
func (*putCmd) Help() string {
	return `Records come from standard input as JSON, an object each: all of them in one transaction, with every rule of the database. ` +
		`Fields that are left out become zero. The key of each is printed. What get prints can be put again.`
}

// Run writes the records of standard input and prints their keys.
func (cmd *putCmd) Run(c *call) error {
	texts, err := readObjects(c.in)
	if err != nil {
		return err
	}
	return c.with(cmd.DB, true, cmd.Untyped, func(db *kivis.DB) error {
		var keys []kivis.Key
		err := db.Update(c.ctx, func(ctx context.Context, tx *kivis.Tx) error {
			keys = nil
			for i, text := range texts {
				key, err := cmd.put(ctx, kivis.TableNamed(tx, cmd.Table), text)
				if err != nil && len(texts) > 1 {
					return fmt.Errorf("record %d of %d, none of which is written: %w", i+1, len(texts), err)
				} else if err != nil {
					return err
				}
				keys = append(keys, key)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, key := range keys {
			fmt.Fprintln(c.out, key)
		}
		return nil
	})
}

// put writes one record.
func (cmd *putCmd) put(ctx context.Context, t kivis.NamedTable, text []byte) (kivis.Key, error) {
	rec := t.New()
	if err := rec.UnmarshalJSON(text); err != nil {
		return kivis.Key{}, err
	}
	if cmd.Insert {
		return t.Insert(ctx, rec)
	}
	return t.Put(ctx, rec)
}

// readObjects returns the values of JSON, one after the other, that r has.
func readObjects(r io.Reader) (texts []json.RawMessage, err error) {
	d := json.NewDecoder(r)
	for {
		var text json.RawMessage
		switch err := d.Decode(&text); {
		case errors.Is(err, io.EOF) && len(texts) > 0:
			return texts, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("standard input is empty; want a record as JSON")
		case err != nil:
			return nil, fmt.Errorf("standard input, after byte %d: %w", d.InputOffset(), err)
		}
		texts = append(texts, text)
	}
}

type deleteCmd struct {
	DB    string `arg:"" name:"database" help:"The database."`
	Table string `arg:"" help:"The table."`
	Key   string `arg:"" help:"The primary key, as get takes it."`
}

// Run deletes the record with the key, and with it what the rules say.
func (cmd *deleteCmd) Run(c *call) error {
	return c.on(cmd.DB, true, func(db *kivis.DB) error {
		t, err := c.table(db, cmd.Table)
		if err != nil {
			return err
		}
		key, err := t.Key(cmd.Key)
		if err != nil {
			return err
		}
		return t.Delete(c.ctx, key)
	})
}

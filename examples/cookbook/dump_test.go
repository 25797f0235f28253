package cookbook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// dump writes all tables as lines of JSON, without any Go type: {"table": ..., "record": ...}.
func dump(ctx context.Context, db *kivis.DB, w io.Writer) error {
	enc := json.NewEncoder(w)
	return db.View(ctx, func(ctx context.Context, tx *kivis.Tx) error { // of one moment
		for _, tb := range db.Tables() {
			for rec, err := range kivis.TableNamed(tx, tb.Name).All(ctx) {
				if err != nil {
					return err
				}
				if err := enc.Encode(dumped{tb.Name, &rec}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

type dumped struct {
	Table  string        `json:"table"`
	Record *kivis.Record `json:"record"`
}

// load reads a dump into a database with the same tables. References may lead to what
// comes later: they are checked at the end, if they are deferred, or else the tables
// are given in an order in which they come first.
func load(ctx context.Context, db *kivis.DB, r io.Reader) error {
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		for dec := json.NewDecoder(r); ; {
			var line struct {
				Table  string          `json:"table"`
				Record json.RawMessage `json:"record"`
			}
			if err := dec.Decode(&line); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			tb := kivis.TableNamed(tx, line.Table)
			rec := tb.New()
			if err := json.Unmarshal(line.Record, &rec); err != nil {
				return err
			}
			if _, err := tb.Put(ctx, rec); err != nil {
				return err
			}
		}
	})
}

func TestDump(t *testing.T) {
	ctx := t.Context()
	from, to := kivistest.New(t, &Customer{}, &Document{}), kivistest.New(t, &Customer{}, &Document{})
	id, err := kivis.TableOf[Customer](from).Insert(ctx, &Customer{Name: "Ann", Email: "ann@example.com"})
	if err == nil {
		_, err = kivis.TableOf[Document](from).Insert(ctx, &Document{Text: "text"})
	}
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := dump(ctx, from, &file); err != nil {
		t.Fatal(err)
	}
	if err := load(ctx, to, &file); err != nil {
		t.Fatal(err)
	}
	c, err := kivis.TableOf[Customer](to).Get(ctx, id)
	if err != nil || c.Name != "Ann" {
		t.Errorf("the customer is %+v, %v", c, err)
	}
}

package kivis

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// NamedTable reads and writes the records of a table by its stored name, with or
// without its Go type: for tools, and for programs that learn what they work on
// at run time. Every rule of the database holds as through a [Table], on the same
// [Conn]: keys, indexes, references, transactions.
//
// A NamedTable is a small value. Making one never fails: where there is no such
// table each call returns ErrNoTable.
type NamedTable struct {
	conn Conn
	name string
}

// TableNamed returns the table with the stored name.
func TableNamed(conn Conn, name string) NamedTable { return NamedTable{conn, name} }

// Tables returns every table of the database, by name, registered or not: its
// columns, key, indexes and references. It is shared and must not be changed.
func (db *DB) Tables() []*schema.Table {
	if db.usable() != nil {
		return nil
	}
	return db.core.Schema().Tables()
}

// With returns the same table on another Conn.
func (t NamedTable) With(conn Conn) NamedTable { return NamedTable{conn, t.name} }

// Name returns the table's stored name.
func (t NamedTable) Name() string { return t.name }

func (t NamedTable) ref() tableRef { return tableRef{name: t.name} }

// Schema returns the table's columns, key, indexes and references, as the Conn
// sees them.
func (t NamedTable) Schema(ctx context.Context) (*schema.Table, error) {
	s, err := open(ctx, t.conn, "schema", t.ref(), point)
	if err != nil {
		return nil, err
	}
	return s.table, s.close(nil, Outcome{}, nil)
}

// newest returns the table as it is now, for what has no context.
func (t NamedTable) newest() (*schema.Table, error) {
	if !bound(t.conn) {
		return nil, errUnbound
	}
	return t.ref().in(t.conn.base().core.Schema())
}

// New returns a record of zero values, to be filled with Set and inserted.
func (t NamedTable) New() Record {
	tb, err := t.newest()
	if err != nil {
		return Record{err: failed("new", t.ref(), err)}
	}
	return newRecord(tb)
}

// Insert adds a new record and returns its key, which is drawn where it is
// generated and zero. A Validate method is called where the record's type is
// registered. The errors are those of [Table.Insert].
func (t NamedTable) Insert(ctx context.Context, rec Record) (Key, error) {
	return t.put(ctx, "insert", rec, tables.Insert)
}

// Put adds the record, or replaces the one with its key, and returns the key.
func (t NamedTable) Put(ctx context.Context, rec Record) (Key, error) {
	return t.put(ctx, "put", rec, tables.Upsert)
}

// Replace replaces the record that has rec's key, or returns ErrNotFound.
func (t NamedTable) Replace(ctx context.Context, rec Record) error {
	_, err := t.put(ctx, "replace", rec, tables.Replace)
	return err
}

func (t NamedTable) put(ctx context.Context, op string, rec Record, m tables.Mode) (key Key, err error) {
	if rec.err != nil {
		return key, rec.err
	}
	call := putting{rec: &namedSource{rec: rec, untyped: t.untyped()}, mode: m, key: keySlot{named: &key}}
	return key, call.run(ctx, t.conn, op, t.ref())
}

// change returns a change of a record by fn.
func (t NamedTable) change(fn func(*Record) error) *namedChange {
	return &namedChange{namedSource: namedSource{untyped: t.untyped()}, fn: fn}
}

// untyped reports whether records may be written whose Go type has methods for
// them and is not registered.
func (t NamedTable) untyped() bool { return bound(t.conn) && t.conn.base().opts.AllowUntyped }

// Get returns the record with the key, or ErrNotFound.
func (t NamedTable) Get(ctx context.Context, key Key) (rec Record, err error) {
	s, err := open(ctx, t.conn, "get", t.ref(), point)
	if err != nil {
		return rec, err
	}
	defer s.abandoned()
	tuple, value, err := s.read(t.ref(), keySlot{named: &key})
	if err == nil {
		rec, err = openRecord(s.table, tuple, value)
	}
	return rec, s.close(tuple, Outcome{Rows: 1, Entries: 1}, err)
}

// Has reports whether there is a record with the key.
func (t NamedTable) Has(ctx context.Context, key Key) (bool, error) {
	return hasRecord(ctx, t.conn, t.ref(), keySlot{named: &key})
}

// GetMany returns the records with the keys, read as one batch from one
// snapshot. Keys without a record are not in the map.
func (t NamedTable) GetMany(ctx context.Context, keys ...Key) (map[Key]Record, error) {
	found := make(map[Key]Record, len(keys))
	b := batch{
		n:   len(keys),
		key: func(i int) keySlot { return keySlot{named: &keys[i]} },
		got: func(i int, tb *schema.Table, tuple, value []byte) error {
			rec, err := openRecord(tb, tuple, value)
			found[keys[i]] = rec
			return err
		},
	}
	if err := getMany(ctx, t.conn, t.ref(), b); err != nil {
		return nil, err
	}
	return found, nil
}

// Delete removes the record with the key, or returns ErrNotFound; see
// [Table.Delete].
func (t NamedTable) Delete(ctx context.Context, key Key) error {
	return deleteRecord(ctx, t.conn, t.ref(), keySlot{named: &key})
}

// Modify reads the record with the key, has fn change it, writes it back, all in
// one transaction, and returns what it wrote; see [Table.Modify].
func (t NamedTable) Modify(ctx context.Context, key Key, fn func(*Record) error) (Record, error) {
	if fn == nil {
		return Record{}, failed("modify", t.ref(), errNoFunc)
	}
	m := t.change(fn)
	call := modification{key: keySlot{named: &key}, on: m}
	if err := call.run(ctx, t.conn, t.ref()); err != nil {
		return Record{}, err
	}
	return m.rec, nil
}

// Query starts a query for all records, in primary-key order.
func (t NamedTable) Query() NamedQuery {
	return NamedQuery{table: t, q: allRecords()}
}

// Where starts a query from text; see [NamedQuery.Where].
func (t NamedTable) Where(text string, params ...any) NamedQuery {
	return t.Query().Where(text, params...)
}

// Key returns the key that text stands for: `8`, `ORD` or `'ORD'` of a key with
// one part, `8,1` or `(8, 1)` of one with several, and whatever [Key.String]
// prints. codec.KeyType.Parse has the grammar.
func (t NamedTable) Key(text string) (Key, error) {
	tb, err := t.newest()
	if err != nil {
		return Key{}, failed("key", t.ref(), err)
	}
	parts, err := tb.Key.Tuple.Parse(text)
	if err != nil {
		return Key{}, failed("key", t.ref(), err)
	}
	return t.keyOf(tb, parts)
}

// KeyOf returns the key with the parts, one value for each: a Go value of the
// part's kind, or one that holds the same, such as any integer for an integer.
func (t NamedTable) KeyOf(parts ...any) (Key, error) {
	tb, err := t.newest()
	if err != nil {
		return Key{}, failed("key", t.ref(), err)
	}
	return t.keyOf(tb, parts)
}

func (t NamedTable) keyOf(tb *schema.Table, parts []any) (Key, error) {
	if n := len(tb.Key.Parts); len(parts) != n {
		return Key{}, failed("key", t.ref(), fmt.Errorf("%d values for a key of %d parts, %s", len(parts), n, tb.Key.Tuple))
	}
	var tuple []byte
	for i := range parts {
		p := &tb.Key.Parts[i]
		from := len(tuple)
		var err error
		if p.Column >= 0 {
			tuple, err = p.Key.AppendValue(tuple, tb.Layout.TypeAt(p.Column, p.Path), tb.Layout, parts[i])
		} else {
			tuple, err = p.Key.AppendValue(tuple, nil, nil, parts[i])
		}
		if err == nil {
			err = p.Key.RefuseNaN(tuple[from:])
		}
		if err != nil {
			return Key{}, failed("key", t.ref(), fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	return keyFrom(tb, tuple), nil
}

var errNoRecord = errors.New("the record belongs to no table: begin with NamedTable.New, or with one that was read")

package kivistest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// Schema holds the types of records against a file that keeps their schema as
// text, beside the tests: where they differ the test fails and prints what
// [kivis.DB.Diff] says of the change, so that nobody changes what is stored
// without seeing it. The file is written where it is missing, and written anew
// with KIVIS_UPDATE=1 in the environment. Beside records it takes migrations, as
// Register does.
func Schema(t testing.TB, file string, records ...any) {
	t.Helper()
	now, err := schemaText(records)
	if err != nil {
		t.Fatalf("kivistest: %v", err)
	}
	before, err := os.ReadFile(file)
	if missing := errors.Is(err, fs.ErrNotExist); missing || os.Getenv("KIVIS_UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			t.Fatalf("kivistest: %v", err)
		}
		t.Logf("kivistest: the schema is written to %s", file)
		return
	}
	if err != nil {
		t.Fatalf("kivistest: %v", err)
	}
	before = bytes.ReplaceAll(before, []byte("\r\n"), []byte("\n"))
	if string(before) == now {
		return
	}
	diff, err := schemaDiff(string(before), now, records)
	if err != nil {
		t.Fatalf("kivistest: %s: %v", file, err)
	}
	t.Errorf("kivistest: the records are no longer those of %s:\n%sif that is meant, run the test with KIVIS_UPDATE=1", file, diff)
}

// catalogMark stands before the part of a schema file that is for programs.
const catalogMark = "# The same, for programs:\n"

// secretKey is where a database keeps a secret, which no schema file has.
const secretKey = "\x80\x83"

// kept is a store that outlives the database over it.
type kept struct{ store.Store }

// Close does nothing.
func (kept) Close() error { return nil }

// schemaText returns the schema of records as text.
func schemaText(records []any) (string, error) {
	st := kept{memstore.New()}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return "", err
	}
	defer db.Close()
	if err := db.Register(records...); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# The schema of the records, kept by kivistest.Schema.\n")
	for _, tb := range db.Tables() {
		b.WriteString(tb.String())
	}
	b.WriteString(catalogMark)
	err = writeCatalog(&b, st)
	return b.String(), err
}

// writeCatalog writes the catalog of a database: its header and its tables.
func writeCatalog(b *strings.Builder, st store.Store) error {
	tx, err := st.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	c, err := tx.Scan(store.Range{})
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
		if key := string(c.Key()); key == "\x80\x80" || strings.HasPrefix(key, "\x80\x81") {
			fmt.Fprintf(b, "# %x %s\n", key, base64.StdEncoding.EncodeToString(c.Value()))
		}
	}
	return c.Err()
}

// schemaDiff returns what makes the records of a schema file those of now.
func schemaDiff(before, now string, records []any) (string, error) {
	_, catalog, ok := strings.Cut(before, catalogMark)
	if !ok {
		return "", errors.New("it is not what kivistest.Schema has written: delete it to have it written anew")
	}
	st, err := readCatalog(catalog)
	if err != nil {
		return "", err
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return "", err
	}
	defer db.Close()
	d, err := db.Diff(context.Background(), records...)
	if err != nil {
		return "", err
	}
	text := d.String()
	for _, tb := range db.Tables() {
		if !strings.Contains(now, "\ntable "+tb.Name+" #") && !strings.Contains(text, "renamed table: was "+tb.Name+" ") {
			text += tb.Name + ": no record has the table any more (nothing to do); db.Drop deletes it\n"
		}
	}
	if text == "" {
		text = "nothing that is stored differs, but what is said of it\n"
	}
	return text, nil
}

// readCatalog returns a store with the catalog of a schema file.
func readCatalog(text string) (store.Store, error) {
	st := memstore.New()
	tx, err := st.Begin(context.Background(), true)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	for line := range strings.Lines(text) {
		var key []byte
		var value string
		if _, err := fmt.Sscanf(line, "# %x %s", &key, &value); err != nil {
			return nil, fmt.Errorf("the line %q: %w", line, err)
		}
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, fmt.Errorf("the line %q: %w", line, err)
		}
		if err := tx.Set(key, b); err != nil {
			return nil, err
		}
	}
	if err := tx.Set([]byte(secretKey), make([]byte, 32)); err != nil {
		return nil, err
	}
	_, err = tx.Commit()
	return st, err
}

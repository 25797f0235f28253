package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// kept is a store that outlives the databases over it.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

func open(t *testing.T, st store.Store, opts *kivis.Options, records ...any) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(st, opts)
	if err == nil && len(records) > 0 {
		err = db.Register(records...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func clean(t *testing.T, db *kivis.DB) {
	t.Helper()
	for _, f := range must(db.Check(t.Context(), nil))(t).Faults {
		t.Errorf("%v", f)
	}
}

type (
	author struct {
		kivis.Auto[author]
		Name string `kivis:"index"`
	}
	book struct {
		kivis.Auto[book]
		Author kivis.ID[author]
		Before *kivis.ID[book]
	}
)

// fill inserts n authors with a book each.
func fill(t *testing.T, db *kivis.DB, n int) {
	t.Helper()
	authors, books := make([]author, n), make([]book, n)
	for i := range n {
		authors[i].Name = strings.Repeat("x", i%7)
	}
	ids := must(kivis.TableByID[author](db).InsertMany(t.Context(), authors))(t)
	for i := range n {
		books[i].Author = ids[i]
	}
	must(kivis.TableByID[book](db).InsertMany(t.Context(), books))(t)
}

// keys returns how many keys the store holds.
func keys(t *testing.T, st store.Store) (n int) {
	t.Helper()
	tx := must(st.Begin(t.Context(), false))(t)
	defer tx.Discard()
	c := must(tx.Scan(store.Range{KeysOnly: true}))(t)
	defer c.Close()
	for c.Next() {
		n++
	}
	return n
}

// TestDrop: a table goes with all that it has stored, once nobody refers to it,
// and its name is free.
func TestDrop(t *testing.T) {
	st := kept{memstore.New()}
	db := open(t, st, nil, &author{}, &book{})
	fill(t, db, 3000)
	var change *kivis.SchemaChangeError
	if err := db.Drop(t.Context(), "author"); !errors.As(err, &change) || !strings.Contains(err.Error(), "book.Author refers to it") {
		t.Errorf("Drop of a table to which another refers: %v", err)
	}
	if err := db.Drop(t.Context(), "autor"); !errors.Is(err, kivis.ErrNoTable) {
		t.Errorf("Drop of no table: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Drop(ctx, "book"); !errors.Is(err, context.Canceled) {
		t.Errorf("Drop with a context that has ended: %v", err)
	}
	check(t, db.Drop(t.Context(), "book"))
	if _, err := kivis.TableByID[book](db).Get(t.Context(), 1); !errors.Is(err, kivis.ErrNotRegistered) {
		t.Errorf("Get of a dropped table: %v", err)
	}
	check(t, db.Drop(t.Context(), "author"))
	check(t, db.Close())
	if n := keys(t, st); n > 3 {
		t.Errorf("%d keys are left, want the header, the secret and the incarnation alone", n)
	}
	db = open(t, st, nil, &author{}, &book{})
	fill(t, db, 2)
	if n := must(kivis.TableByID[book](db).Query().Count(t.Context()))(t); n != 2 {
		t.Errorf("%d books in the new table, want 2", n)
	}
	clean(t, db)
	check(t, db.Close())
}

// stopped is a store whose transactions fail to commit once n have.
type stopped struct {
	store.Store
	n *int
}

var errStopped = errors.New("stopped")

func (s stopped) Close() error { return nil }

func (s stopped) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.Store.Begin(ctx, write)
	if err == nil && write {
		tx = stoppedTx{tx, s.n}
	}
	return tx, err
}

type stoppedTx struct {
	store.Tx
	n *int
}

func (t stoppedTx) Commit() (uint64, error) {
	if *t.n--; *t.n < 0 {
		t.Discard()
		return 0, errStopped
	}
	return t.Tx.Commit()
}

// TestDropKilled: a drop that is killed before any of its commits goes on at the
// next Register, or has not begun.
func TestDropKilled(t *testing.T) {
	for n := 0; ; n++ {
		mem := kept{memstore.New()}
		db := open(t, mem, nil, &author{}, &book{})
		fill(t, db, 2500)
		check(t, db.Close())
		left := 1 << 30
		db = open(t, stopped{mem, &left}, nil)
		left = n
		err := db.Drop(t.Context(), "book")
		if err == nil {
			break
		}
		if !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		check(t, db.Close())
		db = open(t, mem, nil, &author{})
		clean(t, db)
		if there := len(db.Tables()) == 2; there != (n == 0) {
			t.Errorf("after %d commits the table is there: %t", n, there)
		}
		if n > 0 {
			check(t, db.Drop(t.Context(), "author"))
			if left := keys(t, mem); left > 3 {
				t.Errorf("after %d commits %d keys are left", n, left)
			}
		}
		check(t, db.Close())
	}
}

type (
	plain struct {
		_    struct{} `kivis:"table=rows"`
		ID   int      `kivis:"key"`
		Mail string
		Size int
	}
	uniqueMail struct {
		_    struct{} `kivis:"table=rows"`
		ID   int      `kivis:"key"`
		Mail string   `kivis:"unique"`
		Size int      `kivis:"index"`
	}
)

// TestBlocked: a unique index over duplicates is blocked, with all of them; once
// they are mended the next Register builds it.
func TestBlocked(t *testing.T) {
	for _, background := range []bool{false, true} {
		st := kept{memstore.New()}
		db := open(t, st, nil, &plain{})
		rows := make([]plain, 5000)
		for i := range rows {
			rows[i] = plain{ID: i, Mail: string(rune('a' + i)), Size: i % 10}
			if i%1000 == 999 {
				rows[i].Mail = "a"
			}
		}
		check(t, second(kivis.TableBy[plain, int](db).InsertMany(t.Context(), rows)))
		check(t, db.Close())
		db = open(t, st, &kivis.Options{BackgroundBuilds: background})
		err := db.Register(&uniqueMail{})
		if background {
			check(t, err)
			waitBuilds(t, db)
			list := db.Builds()
			if len(list) != 1 || list[0].Phase != kivis.PhaseBlocked || list[0].Index != "Mail" || len(list[0].Duplicates) != 5 || list[0].Err == nil {
				t.Errorf("Builds = %+v, want the blocked one", list)
			} else if d := list[0].Duplicates[1]; d.Holder != 0 || d.Record != 1999 {
				t.Errorf("the second duplicate is %v", d)
			}
			for i := 999; i < 5000; i += 1000 {
				check(t, second(kivis.TableBy[uniqueMail, int](db).Modify(t.Context(), i, func(r *uniqueMail) error { r.Mail = "m" + string(rune('a'+i)); return nil })))
			}
			check(t, db.Register())
			if list := db.Builds(); len(list) > 0 {
				t.Errorf("Builds = %+v, want none", list)
			}
			clean(t, db)
		} else {
			var change *kivis.SchemaChangeError
			if !errors.As(err, &change) || change.Changes[0].Records != 5 || change.Changes[0].Class != schema.Refused || strings.Count(err.Error(), "have the same value") != 5 || !strings.Contains(err.Error(), "pointer") {
				t.Errorf("Register over duplicates: %v", err)
			}
			if list := db.Builds(); len(list) > 0 {
				t.Errorf("Builds = %+v, want none", list)
			}
			clean(t, db)
		}
		check(t, db.Close())
	}
}

func second[T any](_ T, err error) error { return err }

// waitBuilds waits until no build is running.
func waitBuilds(t *testing.T, db *kivis.DB) {
	t.Helper()
	for running := true; running; {
		running = false
		for _, b := range db.Builds() {
			if b.Done > b.Total || b.Table != "rows" {
				t.Fatalf("a build is %+v", b)
			}
			running = running || b.Err == nil
		}
		ready := true
		for _, x := range must(kivis.TableNamed(db, "rows").Schema(t.Context()))(t).Indexes {
			ready = ready && (x.State == schema.Ready || x.Name == "Mail")
		}
		running = running || !ready || len(db.Builds()) == 0
	}
}

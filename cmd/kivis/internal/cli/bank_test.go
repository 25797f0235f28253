package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
)

// Account is one of those that money is moved between.
type Account struct {
	_       struct{} `kivis:"table=accounts"`
	ID      kivis.ID[Account]
	Balance int `kivis:"index"`
}

const accounts, each = 50, 100

var localKinds = []place.Kind{place.Badger, place.Pebble, place.Bolt, place.SQLite}

// bank is a database of accounts that a shell has open, and writers write to.
type bank struct {
	*killing
	session *session
	round   int
}

// TestBesideWriters exports, backs up and copies a database while four writers move
// money: all that comes out has all of the money, and is sound.
func TestBesideWriters(t *testing.T) {
	for _, kind := range localKinds {
		t.Run(string(kind), func(t *testing.T) {
			b := openBank(t, kind)
			ctx, stop := context.WithCancel(context.Background())
			var writers sync.WaitGroup
			for range 4 {
				writers.Go(func() { b.moveMoney(ctx) })
			}
			before := b.session.db.Stats().Commits
			for b.round = range 3 {
				b.outputs()
			}
			stop()
			writers.Wait()
			if b.session.db.Stats().Commits == before {
				t.Error("nobody has written in the meantime")
			}
			if err := b.session.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func openBank(t *testing.T, kind place.Kind) *bank {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "bank")
	makeBank(t, place.Place{Kind: kind, Path: path}, accounts)
	b := &bank{killing: &killing{t: t, dir: dir}, session: &session{text: path, write: true}}
	if err := newCall(context.Background(), Streams{}).open(b.session); err != nil {
		t.Fatal(err)
	}
	return b
}

// makeBank makes a database with n accounts.
func makeBank(t *testing.T, p place.Place, n int) {
	t.Helper()
	st, err := p.Open(&place.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db, err := kivis.Open(st, nil)
	if err == nil {
		err = db.Register(&Account{})
	}
	start := make([]Account, n)
	for i := range start {
		start[i].Balance = each
	}
	if err == nil && n > 0 {
		_, err = kivis.TableByID[Account](db).InsertMany(context.Background(), start)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// moveMoney moves money between accounts.
func (b *bank) moveMoney(ctx context.Context) {
	table := kivis.TableNamed(b.session.db, "accounts")
	for ctx.Err() == nil {
		from, to, amount := rand.IntN(accounts), rand.IntN(accounts), int64(rand.IntN(each))
		if from == to {
			continue
		}
		err := b.session.db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
			return errors.Join(add(ctx, table.With(tx), from, -amount), add(ctx, table.With(tx), to, amount))
		})
		if err != nil && ctx.Err() == nil {
			b.t.Error(err)
			return
		}
	}
}

func add(ctx context.Context, t kivis.NamedTable, i int, amount int64) error {
	key, err := t.KeyOf(i + 1)
	if err != nil {
		return err
	}
	_, err = t.Modify(ctx, key, func(r *kivis.Record) error {
		v, err := r.Get("Balance")
		if err != nil {
			return err
		}
		return r.Set("Balance", v.(int64)+amount)
	})
	return err
}

// shell runs a command on the open database.
func (b *bank) shell(args ...string) {
	b.t.Helper()
	var said bytes.Buffer
	c := newCall(context.Background(), Streams{Out: &said, Err: &said})
	c.shell = b.session
	if err := c.run(args); err != nil {
		b.t.Fatalf("kivis %q: %v: %s", args, err, &said)
	}
}

// outputs has the tool write all that it can make of the database, and looks at each.
func (b *bank) outputs() {
	db := b.session.text
	name := func(s string) string { return filepath.Join(b.dir, fmt.Sprint(b.round, s)) }
	for _, ext := range []string{".csv", ".jsonl", ".parquet"} {
		b.shell("export", db, "accounts", "--out", name(ext))
		makeBank(b.t, place.Place{Kind: place.Bolt, Path: name(ext + ".bolt")}, 0)
		b.must("import", name(ext+".bolt"), "accounts", name(ext))
		b.wantMoney(name(ext + ".bolt"))
	}
	b.shell("backup", db, name("whole"))
	b.shell("backup", db, name("more"), "--since", name("whole"))
	b.must("restore", name("whole"), "bolt:"+name("a"))
	b.wantMoney(name("a"))
	b.must("restore", name("whole"), name("more"), "sqlite:"+name("b"))
	b.wantMoney(name("b"))
	b.shell("copy", db, "bolt:"+name("c"))
	b.wantMoney(name("c"))
}

// wantMoney checks a database and counts what all accounts have together.
func (b *bank) wantMoney(db string) {
	b.t.Helper()
	b.must("check", db)
	n, sum := 0, 0
	for line := range strings.Lines(b.must("query", db, "accounts", "--fields", "Balance", "--format", "csv")) {
		if v, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			n, sum = n+1, sum+v
		}
	}
	if n != accounts || sum != accounts*each {
		b.t.Errorf("%s: %d accounts have %d, want %d with %d", db, n, sum, accounts, accounts*each)
	}
}

// TestBetweenStores takes a database from each kind of store into each other, by an
// export and an import, and by a backup and a restore: the contents are equal, and
// Check finds nothing.
func TestBetweenStores(t *testing.T) {
	k := &killing{t: t, dir: t.TempDir()}
	path := func(parts ...any) string { return filepath.Join(k.dir, fmt.Sprint(parts...)) }
	tables := []string{"airports", "flights", "samples"}
	hash := func(db string) string {
		k.must("check", db)
		h := sha256.New()
		for _, table := range tables {
			h.Write([]byte(k.must("export", db, table, "--format", "jsonl")))
		}
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	for i, from := range localKinds {
		source := path("from-", from)
		if err := makeDatabase(place.Place{Kind: from, Path: source}, true); err != nil {
			t.Fatal(err)
		}
		k.must("backup", source, path(from, ".backup"))
		for _, table := range tables {
			k.must("export", source, table, "--out", path(from, "-", table, ".jsonl"))
		}
		want := hash(source)
		for j, to := range localKinds {
			if testing.Short() && (j-i+4)%4 > 1 {
				continue
			}
			restored, imported := path(from, "-restored-", to), path(from, "-imported-", to)
			k.must("restore", path(from, ".backup"), string(to)+":"+restored)
			if err := makeDatabase(place.Place{Kind: to, Path: imported}, false); err != nil {
				t.Fatal(err)
			}
			for _, table := range tables {
				k.must("import", imported, table, path(from, "-", table, ".jsonl"))
			}
			for _, db := range []string{restored, imported} {
				if got := hash(db); got != want {
					t.Errorf("%s has other contents than %s", db, source)
				}
			}
		}
	}
}

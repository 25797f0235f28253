package kivis_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
)

// account is deleted by setting Gone: one live account has an address, and any
// number may have had it until different times.
type account struct {
	_ struct{} `kivis:"table=accounts,unique=live(Email:fold,-Gone:nilequal)"`
	kivis.Auto[account]
	Email string
	Gone  *time.Time
	Code  *int `kivis:"unique,nilequal"`
	Badge *int `kivis:"unique"`
}

func TestNilEqual(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			db := openDB(t, s.open(t), &account{})
			table, day, code := kivis.TableOf[account](db), time.Unix(1e9, 0), func(n int) *int { return &n }
			id := must(table.Insert(bg, &account{Email: "ann@example.com", Code: code(1)}))(t)
			_, err := table.Insert(bg, &account{Email: "ANN@example.com", Code: code(2)})
			wantErr(t, err, kivis.ErrExists)
			if holder, _ := kivis.KeyOf[kivis.ID[account]](err); holder != id {
				t.Errorf("the holder is %v, want %v", holder, id)
			}
			must(table.Modify(bg, id, func(a *account) error { a.Gone = &day; return nil }))(t)
			next := must(table.Insert(bg, &account{Email: "Ann@example.com", Code: nil}))(t)
			_, err = table.Modify(bg, id, func(a *account) error { a.Gone = nil; return nil })
			wantErr(t, err, kivis.ErrExists)
			_, err = table.Insert(bg, &account{Email: "bob@example.com"})
			wantErr(t, err, kivis.ErrExists) // two codes would be nil
			check(t, table.Delete(bg, next))
			must(table.Modify(bg, id, func(a *account) error { a.Gone = nil; return nil }))(t)
			_, err = kivis.TableNamed(db, "accounts").Insert(bg, namedAccount(t, db, "ann@example.com"))
			wantErr(t, err, kivis.ErrExists)
			mustBeClean(t, db)
		})
	}
}

// namedAccount returns a record by name.
func namedAccount(t *testing.T, db *kivis.DB, email string) kivis.Record {
	t.Helper()
	rec := kivis.TableNamed(db, "accounts").New()
	check(t, rec.Set("Email", email))
	check(t, rec.Set("Code", 99))
	return rec
}

// TestNilEqualModel makes random writes, compares what they return with a map,
// and pages through the index in both directions.
func TestNilEqualModel(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 3))
	defer func() {
		if t.Failed() {
			t.Log("seed", seed)
		}
	}()
	db := openDB(t, stores[0].open(t), &account{})
	table := kivis.TableOf[account](db)
	live := map[string]kivis.ID[account]{} // by email and time
	where := map[kivis.ID[account]]string{}
	for range 600 {
		a := account{Email: fmt.Sprint("e", rng.IntN(6))}
		if n := rng.IntN(4); n > 0 {
			day := time.Unix(int64(n), 0)
			a.Gone = &day
		}
		a.ID = kivis.ID[account](1 + rng.IntN(30))
		code := int(a.ID)
		a.Code = &code
		slot := fmt.Sprint(a.Email, a.Gone)
		_, err := table.Put(bg, &a)
		if holder, taken := live[slot]; taken && holder != a.ID {
			wantErr(t, err, kivis.ErrExists)
			continue
		}
		check(t, err)
		delete(live, where[a.ID])
		live[slot], where[a.ID] = a.ID, slot
	}
	mustBeClean(t, db)
	email := kivis.FieldOf(func(a *account) *string { return &a.Email })
	gone := kivis.FieldOf(func(a *account) **time.Time { return &a.Gone })
	for _, e := range []string{"e1", "e3"} {
		q := table.Where(kivis.EqualFold(email, e)).OrderBy(gone.Desc())
		all, back := must(q.Collect(bg))(t), must(table.Where(kivis.EqualFold(email, e)).OrderBy(gone.Asc()).Collect(bg))(t)
		samePages(t, q, all)
		samePages(t, table.Where(kivis.EqualFold(email, e)).OrderBy(gone.Asc()), back)
		samePages(t, table.Where(kivis.EqualFold(email, e)).OrderBy(gone.Asc(), table.Key().Desc()), back)
		if n := must(table.Where(kivis.EqualFold(email, e), kivis.IsNil(gone)).Count(bg))(t); n > 1 {
			t.Errorf("%d live accounts of %s", n, e)
		}
	}
}

// samePages reads q in pages of one record and compares them with want.
func samePages(t *testing.T, q kivis.Query[account, kivis.ID[account]], want []account) {
	t.Helper()
	cursor := ""
	for i := 0; ; i++ {
		page := must(q.Page(bg, 1, cursor))(t)
		if len(page.Records) > 0 && (i >= len(want) || page.Records[0].ID != want[i].ID) {
			t.Fatalf("page %d has record %v, of %d", i, page.Records[0].ID, len(want))
		}
		if cursor = page.Next; cursor == "" {
			if i+1 < len(want) {
				t.Fatalf("%d pages, want %d", i+1, len(want))
			}
			return
		}
	}
}

// TestNilEqualBuild builds such an index over stored records, in place of one
// that let nils be.
func TestNilEqualBuild(t *testing.T) {
	type before struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[before]
		Mail *string `kivis:"unique"`
	}
	type after struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[after]
		Mail *string `kivis:"unique,nilequal"`
	}
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &before{})
	old := kivis.TableByID[before](db)
	ids := must(old.InsertMany(bg, []before{{}, {}}))(t)
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir))
	var change *kivis.SchemaChangeError
	if err := db.Register(&after{}); !errors.As(err, &change) {
		t.Fatalf("error = %v, want a SchemaChangeError for two nils", err)
	}
	check(t, db.Register(&before{})) // as before
	old = kivis.TableByID[before](db)
	check(t, old.Delete(bg, ids[0]))
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir), &after{})
	_, err := kivis.TableByID[after](db).Insert(bg, &after{})
	wantErr(t, err, kivis.ErrExists)
	mustBeClean(t, db)
}

package kivis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// Small is a record of a transaction with very many.
type Small struct {
	kivis.Auto[Small]
	N    int    `kivis:"index"`
	Code string `kivis:"unique"`
}

// hugeSize returns how many records one transaction inserts: far more than Badger
// takes in one batch.
func hugeSize() int { return testform.Of(0, 60_000, 200_000) }

// insertHuge inserts hugeSize records in one transaction.
func insertHuge(ctx context.Context, db *kivis.DB, round string, inserted func()) error {
	smalls := kivis.TableOf[Small](db)
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		smalls := smalls.With(tx)
		for i := range hugeSize() {
			if _, err := smalls.Insert(ctx, &Small{N: i % 1000, Code: fmt.Sprint(round, i)}); err != nil {
				return err
			}
		}
		inserted()
		return nil
	})
}

func TestHugeTransaction(t *testing.T) {
	testform.Usual(t, "takes a while")
	st, err := badgerstore.Open(t.TempDir(), nil)
	check(t, err)
	db := openDB(t, st, &Small{})
	smalls := kivis.TableOf[Small](db)
	err = db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
		for i := range hugeSize() {
			must(smalls.With(tx).Insert(ctx, &Small{N: i, Code: fmt.Sprint(i)}))(t)
		}
		return errUndo
	})
	wantErr(t, err, errUndo)
	if n := must(smalls.Count(bg))(t); n != 0 {
		t.Fatalf("%d records after a rollback", n)
	}
	done := make(chan error)
	go func() { done <- insertHuge(bg, db, "x", func() {}) }()
	for {
		select {
		case err := <-done:
			check(t, err)
			if n := must(smalls.Count(bg))(t); n != hugeSize() {
				t.Fatalf("%d records of %d", n, hugeSize())
			}
			return
		default:
			if n := must(smalls.Count(bg))(t); n != 0 && n != hugeSize() {
				t.Fatalf("a reader saw %d records of %d", n, hugeSize())
			}
		}
	}
}

// crashHuge tells the child of TestHugeTransactionKilled what to do.
const crashHuge = "KIVIS_CRASH_HUGE"

func crashHugeChild(dir string) {
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		fmt.Println("fail open:", err)
		return
	}
	db, err := kivis.Open(st, nil)
	if err == nil {
		err = db.Register(&Small{})
	}
	for err == nil {
		err = insertHuge(context.Background(), db, fmt.Sprint(time.Now().UnixNano(), "-"), func() { fmt.Println("commit") })
	}
	fmt.Println("fail", err)
}

// TestHugeTransactionKilled kills a process at random moments while it commits
// such a transaction, and wants all of it or nothing.
func TestHugeTransactionKilled(t *testing.T) {
	testform.Usual(t, "takes a while")
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	for range testform.Of(0, 2, 4) {
		for _, line := range runAndKill(t, dir, time.Duration(rng.IntN(testform.Of(0, 2000, 5000)))*time.Millisecond, crashHuge+"=1") {
			if line != "commit" {
				t.Fatalf("the child says %q", line)
			}
		}
		st, err := badgerstore.Open(dir, nil)
		check(t, err)
		db, err := kivis.Open(st, nil)
		check(t, err)
		check(t, db.Register(&Small{}))
		n := must(kivis.TableOf[Small](db).Count(bg))(t)
		t.Logf("%d records", n)
		if n%hugeSize() != 0 {
			t.Fatalf("%d records: not a multiple of %d", n, hugeSize())
		}
		check(t, db.Close())
	}
}

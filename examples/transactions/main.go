// Command transactions moves money between accounts: all or nothing, many at
// once, with steps that can be undone apart.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// Account is somebody's money.
type Account struct {
	Owner string `kivis:"key"`
	Cents int
}

// Validate keeps accounts from going below zero. Kivis calls it before each
// write.
func (a Account) Validate() error {
	if a.Cents < 0 {
		return fmt.Errorf("%s has too little money", a.Owner)
	}
	return nil
}

// Entry is a line in the journal.
type Entry struct {
	kivis.Auto[Entry]
	From, To string
	Cents    int
}

// The tables, to be bound with With.
var (
	accounts = kivis.TableBy[Account, string](nil)
	journal  = kivis.TableOf[Entry](nil)
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	db, err := kivis.Open(memstore.New(), nil)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Register(&Account{}, &Entry{}); err != nil {
		return err
	}
	start := []Account{{Owner: "Ann", Cents: 100_00}, {Owner: "Bob", Cents: 50_00}, {Owner: "Cleo"}}
	if _, err := accounts.With(db).InsertMany(ctx, start); err != nil {
		return err
	}
	for _, demo := range []func(context.Context, *kivis.DB, io.Writer) error{together, refused, crowd, steps, wrongHandle} {
		if err := demo(ctx, db, w); err != nil {
			return err
		}
	}
	return nil
}

// transfer moves money in one transaction: both accounts and the journal
// change, or none of them.
func transfer(ctx context.Context, conn kivis.Conn, from, to string, cents int) error {
	return conn.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		accounts := accounts.With(tx)
		if _, err := accounts.Modify(ctx, from, func(a *Account) error { a.Cents -= cents; return nil }); err != nil {
			return err
		}
		if _, err := accounts.Modify(ctx, to, func(a *Account) error { a.Cents += cents; return nil }); err != nil {
			return err
		}
		_, err := journal.With(tx).Insert(ctx, &Entry{From: from, To: to, Cents: cents})
		return err
	})
}

// together shows a transfer. The message goes out once, after the commit: a
// function that may run again must not send it.
func together(ctx context.Context, db *kivis.DB, w io.Writer) error {
	err := db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		tx.OnCommit(func() { fmt.Fprintln(w, "Ann has sent 30.00 to Bob.") })
		return transfer(ctx, tx, "Ann", "Bob", 30_00)
	})
	return errors.Join(err, balances(ctx, db, w))
}

// refused shows that an error takes everything back.
func refused(ctx context.Context, db *kivis.DB, w io.Writer) error {
	err := transfer(ctx, db, "Bob", "Cleo", 1000_00)
	fmt.Fprintln(w, "Refused:", err)
	return balances(ctx, db, w)
}

// crowd shows 100 transfers at once. Those that conflict run again, and the
// sum comes out right.
func crowd(ctx context.Context, db *kivis.DB, w io.Writer) error {
	var all sync.WaitGroup
	errs := make([]error, 100)
	for i := range errs {
		all.Go(func() { errs[i] = transfer(ctx, db, "Bob", "Cleo", 25) })
	}
	all.Wait()
	fmt.Fprintln(w, "100 transfers of 0.25 at once.")
	return errors.Join(errors.Join(errs...), balances(ctx, db, w))
}

// steps shows a nested step that fails, and a transaction that goes on.
func steps(ctx context.Context, db *kivis.DB, w io.Writer) error {
	err := db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		if err := transfer(ctx, tx, "Ann", "Cleo", 10_00); err != nil {
			return err
		}
		// Update on a Tx is a step: only what it wrote is undone.
		if err := transfer(ctx, tx, "Cleo", "Bob", 500_00); err != nil {
			fmt.Fprintln(w, "The second step was undone, the first stays.")
		}
		return nil
	})
	return errors.Join(err, balances(ctx, db, w))
}

// wrongHandle shows what happens where With(tx) was forgotten: an error, not a
// write apart from the transaction.
func wrongHandle(ctx context.Context, db *kivis.DB, w io.Writer) error {
	err := db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		return accounts.With(db).Delete(ctx, "Ann")
	})
	if !errors.Is(err, kivis.ErrInTx) {
		return fmt.Errorf("a handle of the database inside a transaction: %w", err)
	}
	fmt.Fprintln(w, "Forgotten:", err)
	return nil
}

// balances prints what everybody has.
func balances(ctx context.Context, db *kivis.DB, w io.Writer) error {
	list, err := accounts.With(db).Query().Collect(ctx)
	for _, a := range list {
		fmt.Fprintf(w, "  %-5s %7.2f\n", a.Owner, float64(a.Cents)/100)
	}
	return err
}

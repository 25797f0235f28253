package backup_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// Account is one of those that money is moved between.
type Account struct {
	kivis.Auto[Account]
	Balance int `kivis:"index"`
}

const accounts, each = 50, 100

// TestBackupBesideWriters backs up, whole and by increments, while four writers
// move money: each backup has all of it, and is sound.
func TestBackupBesideWriters(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			db := must(kivis.Open(s.open(t), nil))(t)
			defer func() { check(t, db.Close()) }()
			check(t, db.Register(&Account{}))
			start := make([]Account, accounts)
			for i := range start {
				start[i].Balance = each
			}
			must(kivis.TableByID[Account](db).InsertMany(bg, start))(t)

			ctx, cancel := context.WithCancel(bg)
			var writers sync.WaitGroup
			for range 4 {
				writers.Go(func() { moveMoney(ctx, t, db) })
			}
			var files [][]byte
			var first, last kivis.BackupInfo
			for i := range 6 {
				var file []byte
				file, last = backupOf(t, db, files...)
				files = append(files, file)
				if i == 0 {
					first = last
				}
				wantMoney(t, files...)
				whole, _ := backupOf(t, db)
				wantMoney(t, whole)
			}
			cancel()
			writers.Wait()
			if last.Version == first.Version {
				t.Error("nobody has written in the meantime")
			}
		})
	}
}

// moveMoney moves money between accounts, closes some and opens others.
func moveMoney(ctx context.Context, t *testing.T, db *kivis.DB) {
	table := kivis.TableByID[Account](db)
	for ctx.Err() == nil {
		err := db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
			all, err := table.With(tx).Query().Collect(ctx)
			if err != nil {
				return err
			}
			from, to := all[rand.IntN(len(all))], all[rand.IntN(len(all))]
			if from.ID == to.ID {
				return nil
			}
			if rand.IntN(3) > 0 {
				amount := rand.IntN(each)
				from.Balance -= amount
				to.Balance += amount
				return errors.Join(table.With(tx).Replace(ctx, &from), table.With(tx).Replace(ctx, &to))
			}
			_, err = table.With(tx).Insert(ctx, &Account{Balance: from.Balance})
			return errors.Join(err, table.With(tx).Delete(ctx, from.ID))
		})
		if err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

// wantMoney restores the files and counts what all accounts have together.
func wantMoney(t *testing.T, files ...[]byte) {
	t.Helper()
	st := memstore.New()
	must(restore(st, files...))(t)
	db := must(kivis.Open(st, nil))(t)
	defer db.Close()
	check(t, db.Register(&Account{}))
	mustBeClean(t, db)
	n, sum := 0, 0
	for a, err := range kivis.TableByID[Account](db).All(bg) {
		check(t, err)
		n++
		sum += a.Balance
	}
	if n != accounts || sum != accounts*each {
		t.Errorf("%d accounts have %d, want %d with %d", n, sum, accounts, accounts*each)
	}
}

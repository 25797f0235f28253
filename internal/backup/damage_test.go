package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestDamagedBackup changes each byte of a backup and of an increment, and cuts
// and lengthens both: Restore refuses each, and leaves the store as it was.
func TestDamagedBackup(t *testing.T) {
	db := openDB(t, memstore.New())
	rng := rand.New(rand.NewPCG(1, 2))
	seed(t, db, rng, 2)
	whole, _ := backupOf(t, db)
	seed(t, db, rng, 1)
	inc, _ := backupOf(t, db, whole)
	st := memstore.New()
	defer st.Close()
	refused := func(what string, files ...[]byte) {
		t.Helper()
		_, err := restore(st, files...)
		if !errors.As(err, new(*kivis.CorruptError)) && !errors.Is(err, kivis.ErrNewerFormat) && !errors.Is(err, kivis.ErrBackupChain) {
			t.Errorf("%s: Restore = %v", what, err)
		}
		if !isEmpty(t, st) {
			t.Fatalf("%s: the store is not empty any more", what)
		}
		if _, err := verify(files...); err == nil {
			t.Errorf("%s: VerifyBackup finds nothing", what)
		}
	}
	for i, good := range [][]byte{whole, inc} {
		chain := func(file []byte) [][]byte { return append([][]byte{whole, inc}[:i:i], file) }
		bad := bytes.Clone(good)
		for at := range bad {
			bad[at] ^= byte(1 << (at % 8))
			refused(fmt.Sprintf("file %d, byte %d changed", i, at), chain(bad)...)
			bad[at] = good[at]
		}
		for n := range good {
			refused(fmt.Sprintf("file %d, cut to %d", i, n), chain(good[:n])...)
		}
		refused("a byte more", chain(append(bytes.Clone(good), 0))...)
		refused("twice in one", chain(append(bytes.Clone(good), good...))...)
	}
	must(restore(st, whole, inc))(t)
}

var errFault = errors.New("fault")

// TestBrokenRestore has Restore fail at each of its calls of the store: what it
// leaves is never taken for a database, and another Restore begins anew.
func TestBrokenRestore(t *testing.T) {
	from := memstore.New()
	db := openDB(t, from)
	rng := rand.New(rand.NewPCG(5, 6))
	seed(t, db, rng, 20)
	file, _ := backupOf(t, db)
	want := contents(t, from)
	bigger := openDB(t, memstore.New())
	seed(t, bigger, rng, 40)
	other, _ := backupOf(t, bigger)
	complete := memstore.New()
	must(restore(complete, other))(t)

	calls := 0
	must(restore(faultstore.Wrap(kept{memstore.New()}, func(faultstore.Op) error { calls++; return nil }), other))(t)
	marked := 0
	for n := 1; n <= calls; n++ {
		if n > 20 && n < calls-20 && n%17 != 0 {
			continue
		}
		to := memstore.New()
		left := n
		_, err := restore(faultstore.Wrap(kept{to}, func(faultstore.Op) error {
			if left--; left <= 0 {
				return errFault
			}
			return nil
		}), other)
		wantErr(t, err, errFault)
		if contents(t, to) == contents(t, complete) {
			continue // the last commit has come through, and Restore was not told
		}
		if !isEmpty(t, to) {
			marked++
			_, err := kivis.Open(kept{to}, nil)
			wantErr(t, err, kivis.ErrRestoring)
		}
		must(restore(to, file))(t)
		if contents(t, to) != want {
			t.Fatalf("after a restore that failed at call %d another one has other contents", n)
		}
		check(t, must(kivis.Open(to, nil))(t).Close())
	}
	if marked < 5 {
		t.Errorf("%d restores have left something", marked)
	}
}

// TestBackupOfDamage refuses to back up what is damaged, wherever there is a
// checksum.
func TestBackupOfDamage(t *testing.T) {
	st := memstore.New()
	db := openDB(t, st)
	seed(t, db, rand.New(rand.NewPCG(1, 2)), 1)
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	cur := must(tx.Scan(store.Range{}))(t)
	defer cur.Close()
	n := 0
	for cur.Next() {
		if len(cur.Value()) == 0 || bytes.Equal(cur.Key(), []byte{0x80, 0x83}) { // nothing, or the secret
			continue
		}
		n++
		bad := bytes.Clone(cur.Value())
		bad[len(bad)-1] ^= 4
		set(t, st, cur.Key(), bad)
		var file bytes.Buffer
		if _, err := db.Backup(bg, &file, nil); !errors.As(err, new(*kivis.CorruptError)) {
			t.Errorf("Backup with a damaged value under %x: %v, want a CorruptError", cur.Key(), err)
		}
		if _, err := verify(file.Bytes()); err == nil {
			t.Errorf("what a failed backup wrote is taken for one")
		}
		set(t, st, cur.Key(), cur.Value())
	}
	if want := 10; n != want { // header, tables, sequences, incarnation, records, unique entries
		t.Errorf("%d entries with a checksum, want %d", n, want)
	}
}

package backup_test

import (
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

var update = flag.Bool("update", false, "write the files of TestGolden, where there are none")

// TestGolden restores a backup with an increment that the first release with
// backups has written. What is there is never written anew.
func TestGolden(t *testing.T) {
	names := []string{"testdata/format1.kbk", "testdata/format1-increment.kbk"}
	if *update {
		writeGolden(t, names)
	}
	var files [][]byte
	for _, name := range names {
		files = append(files, must(os.ReadFile(name))(t))
	}
	st := memstore.New()
	info := must(restore(st, files...))(t)
	hash := contents(t, st)
	if got, want := hex.EncodeToString(hash[:]), "babad87ac36ec732cebe0b85ea07891b118334e3408eb61d1a4b4e876e09275c"; got != want {
		t.Errorf("the contents have the hash %s, want %s; %+v", got, want, info)
	}
	db := openDB(t, st)
	if n := must(kivis.TableByID[User](db).Count(bg))(t); n != 7 {
		t.Errorf("%d users, want 7", n)
	}
	if u := must(kivis.TableByID[User](db).Where(userName.Eq("Ann")).One(bg))(t); u.Email != "ann@example.com" {
		t.Errorf("Ann is %+v", u)
	}
}

func writeGolden(t *testing.T, names []string) {
	t.Helper()
	if _, err := os.Stat(names[0]); err == nil {
		t.Fatalf("%s is there", names[0])
	}
	db := openDB(t, memstore.New())
	seed(t, db, rand.New(rand.NewPCG(1, 2)), 7)
	whole, _ := backupOf(t, db)
	users := kivis.TableByID[User](db)
	check(t, users.Delete(bg, 3))
	must(users.Insert(bg, &User{Name: "Ann", Email: "ann@example.com"}))(t)
	inc, _ := backupOf(t, db, whole)
	check(t, os.MkdirAll("testdata", 0o777))
	check(t, os.WriteFile(names[0], whole, 0o666))
	check(t, os.WriteFile(names[1], inc, 0o666))
}

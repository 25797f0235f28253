package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// restoreDir tells a child process of TestKilledRestore to restore into the
// directory that it holds, and restoreFile what.
const (
	restoreDir  = "KIVIS_RESTORE_DIR"
	restoreFile = "KIVIS_RESTORE_FILE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(restoreDir); dir != "" {
		if err := restoreChild(dir, os.Getenv(restoreFile)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func restoreChild(dir, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		return err
	}
	if _, err := kivis.Restore(bg, st, file); err != nil {
		return err
	}
	return st.Close()
}

// TestKilledRestore kills processes that restore at random moments. What each
// leaves is refused as a database, or is empty, or is all there; a second
// Restore makes it whole.
func TestKilledRestore(t *testing.T) {
	from := memstore.New()
	db := openDB(t, from)
	seed(t, db, rand.New(rand.NewPCG(1, 2)), 10)
	posts := make([]Post, 9000)
	for i := range posts {
		posts[i] = Post{Author: 1, Title: fmt.Sprint(i), Likes: i % 100}
	}
	must(kivis.TableByID[Post](db).InsertMany(bg, posts))(t)
	file, _ := backupOf(t, db)
	want := contents(t, from)
	name := filepath.Join(t.TempDir(), "backup")
	check(t, os.WriteFile(name, file, 0o600))

	whole := 200 * time.Millisecond // about how long a Restore takes, as it turns out
	for round := range 4 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), restoreDir+"="+dir, restoreFile+"="+name)
		var said bytes.Buffer
		cmd.Stdout = &said
		began := time.Now()
		check(t, cmd.Start())
		if round > 0 {
			kill := time.AfterFunc(time.Duration(rand.Int64N(int64(whole))), func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
		if err := cmd.Wait(); round == 0 {
			check(t, err)
			whole = time.Since(began)
		}
		if said.Len() > 0 {
			t.Fatalf("the child says %s", said.String())
		}
		st := must(badgerstore.Open(dir, nil))(t)
		if !isEmpty(t, st) && contents(t, st) != want {
			_, err := kivis.Open(kept{st}, nil)
			wantErr(t, err, kivis.ErrRestoring)
		}
		if _, err := restore(st, file); err != nil && !errors.Is(err, kivis.ErrNotEmpty) {
			t.Fatal(err)
		}
		if contents(t, st) != want {
			t.Fatalf("round %d: not all is there after a second Restore", round)
		}
		check(t, st.Close())
	}
}

package kivis_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// crashDir is the variable that tells a child process of TestCrash to work on
// the database in the directory it holds, until it is killed.
const crashDir = "KIVIS_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if os.Getenv(crashHuge) != "" {
			crashHugeChild(dir)
			return
		}
		crashChild(dir)
		return
	}
	os.Exit(m.Run())
}

// crashChild commits durably, from several goroutines, and prints what has
// been acknowledged, until it is killed.
func crashChild(dir string) {
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		fmt.Println("fail open:", err)
		return
	}
	db, err := kivis.Open(st, nil)
	if err == nil {
		err = db.Register(&User{}, &Post{})
	}
	if err != nil {
		fmt.Println("fail register:", err)
		return
	}
	var mu sync.Mutex
	for w := range 4 {
		go func() {
			for n := 0; ; n++ {
				line, err := crashWrite(db, fmt.Sprint(os.Getpid(), "-", w, "-", n), n)
				if err != nil {
					line = "fail " + err.Error()
				}
				mu.Lock()
				fmt.Println(line)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// crashWrite makes one transaction: a user with three posts, and at times the
// deletion of a user with his posts.
func crashWrite(db *kivis.DB, mail string, n int) (string, error) {
	users, posts := kivis.TableOf[User](db), kivis.TableOf[Post](db)
	var id kivis.ID[User]
	err := db.Update(context.Background(), func(ctx context.Context, tx *kivis.Tx) error {
		var err error
		if id, err = users.With(tx).Insert(ctx, &User{Email: mail, Tags: []string{"x", mail}}); err != nil {
			return err
		}
		for i := range 3 {
			if _, err := posts.With(tx).Insert(ctx, &Post{Author: id, Likes: i}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || n%5 != 4 {
		return fmt.Sprintf("in %d %s", id, mail), err
	}
	return fmt.Sprintf("out %d %s", id, mail), users.Delete(context.Background(), id)
}

// TestCrash kills a process that commits durably, at random moments, and opens
// what it leaves.
func TestCrash(t *testing.T) {
	rounds := testform.Of(4, 8, 20)
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	in := map[kivis.ID[User]]string{}
	used := map[kivis.ID[User]]bool{}
	for round := range rounds {
		for _, line := range runAndKill(t, dir, time.Duration(100+rng.IntN(400))*time.Millisecond) {
			var verb, mail string
			var id kivis.ID[User]
			if _, err := fmt.Sscan(line, &verb, &id, &mail); err != nil || verb == "fail" {
				t.Fatalf("round %d: the child says %q", round, line)
			}
			if used[id] {
				t.Fatalf("round %d: id %d was used twice", round, id)
			}
			used[id] = true
			in[id] = mail
			if verb == "out" {
				delete(in, id)
			}
		}
		verifyCrash(t, dir, in, used)
	}
	if len(used) < rounds {
		t.Errorf("only %d transactions were acknowledged", len(used))
	}
	t.Logf("%d transactions acknowledged in %d rounds", len(used), rounds)
}

// runAndKill runs the child for a while after its first line and returns what
// it printed in whole lines.
func runAndKill(t *testing.T, dir string, after time.Duration, env ...string) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), crashDir+"="+dir), env...)
	cmd.Stderr = os.Stderr
	out := must(cmd.StdoutPipe())(t)
	check(t, cmd.Start())
	r := bufio.NewReader(out)
	var timer *time.Timer
	for {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			break
		}
		if err != nil && !strings.Contains(err.Error(), "closed") {
			t.Fatal(err)
		}
		if err != nil {
			break
		}
		if timer == nil {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	_ = cmd.Wait()
	return lines
}

// verifyCrash opens the database and checks that what was acknowledged is
// there, whole, and that nothing is there by half.
func verifyCrash(t *testing.T, dir string, in map[kivis.ID[User]]string, used map[kivis.ID[User]]bool) {
	t.Helper()
	st, err := badgerstore.Open(dir, nil)
	check(t, err)
	db := openDB(t, st, &User{}, &Post{})
	defer db.Close()
	mustBeClean(t, db)
	perUser := map[kivis.ID[User]]int{}
	for p, err := range kivis.TableOf[Post](db).All(bg) {
		check(t, err)
		perUser[p.Author]++
	}
	stored := map[kivis.ID[User]]bool{}
	for u, err := range kivis.TableOf[User](db).All(bg) {
		check(t, err)
		stored[u.ID] = true
		if perUser[u.ID] != 3 {
			t.Fatalf("user %d has %d posts of 3", u.ID, perUser[u.ID])
		}
		if mail, ok := in[u.ID]; ok && mail != u.Email {
			t.Fatalf("user %d has Email %q, want %q", u.ID, u.Email, mail)
		}
		in[u.ID] = u.Email // committed, if not acknowledged
		used[u.ID] = true
	}
	for id, mail := range in {
		if !stored[id] {
			// deleted, but killed before that was acknowledged
			if !strings.HasSuffix(mail, "4") && !strings.HasSuffix(mail, "9") {
				t.Fatalf("user %d (%s) was acknowledged and is gone", id, mail)
			}
			delete(in, id)
		}
	}
}

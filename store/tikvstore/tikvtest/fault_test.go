package tikvtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tikv/client-go/v2/tikvrpc"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/storetest"
	"github.com/kivisdb/kivis/store/tikvstore"
	"github.com/kivisdb/kivis/store/tikvstore/tikvtest"
)

// errNoReply is of what is lost. The client takes any other error for the end of the
// server, and has it tried whether it is back at an address where there is none.
var errNoReply = context.Canceled

// lose returns what loses requests of a kind, or their replies, until the context of each
// ends, as a network does that tells nobody.
func lose(kind tikvrpc.CmdType, arrives bool) func(context.Context, *tikvrpc.Request, tikvtest.Send) (*tikvrpc.Response, error) {
	return func(ctx context.Context, req *tikvrpc.Request, send tikvtest.Send) (*tikvrpc.Response, error) {
		if req.Type != kind {
			return send()
		}
		if arrives {
			send()
		}
		<-ctx.Done()
		return nil, errNoReply
	}
}

// TestLostReplies has the replies to the parts of a commit be lost, or the requests:
// what the caller is told is so, and nothing is there twice.
func TestLostReplies(t *testing.T) {
	for _, test := range []struct {
		name    string
		kind    tikvrpc.CmdType
		arrives bool
		want    error
	}{
		{"reply to the first phase", tikvrpc.CmdPrewrite, true, store.ErrUnreachable},
		{"request of the first phase", tikvrpc.CmdPrewrite, false, store.ErrUnreachable},
		{"reply to the second phase", tikvrpc.CmdCommit, true, nil},
		{"request of the second phase", tikvrpc.CmdCommit, false, store.ErrCommitUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := local(t)
			s := open(t, l, "x", &tikvstore.Options{Timeout: 200 * time.Millisecond, Patience: 300 * time.Millisecond})
			before := set(t, s, "a", "before")
			tx, err := s.Begin(background, true)
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Set([]byte("a"), []byte("after")); err != nil {
				t.Fatal(err)
			}
			l.Intercept(lose(test.kind, test.arrives))
			version, err := tx.Commit()
			l.Intercept(nil)
			if !errors.Is(err, test.want) || test.want == nil && (err != nil || version != before+1) {
				t.Errorf("Commit = %d, %v; want %v", version, err, test.want)
			}
			patient := open(t, l, "x", &tikvstore.Options{Patience: time.Minute})
			want := "after"
			if test.want != nil {
				want = "before"
			}
			if got := get(t, patient, "a"); got != want {
				t.Errorf("afterwards a is %q, want %q", got, want)
			}
			head := before
			if test.want == nil {
				head++
			}
			if got, err := patient.Head(background); got != head || err != nil {
				t.Errorf("Head = %d, %v; want %d", got, err, head)
			}
			set(t, patient, "a", "later")
		})
	}
}

// TestBadNetwork has writers work while some requests of all kinds, and some replies, are
// lost at once, and some come late.
func TestBadNetwork(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	l := local(t)
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 0))
	l.Intercept(func(ctx context.Context, req *tikvrpc.Request, send tikvtest.Send) (*tikvrpc.Response, error) {
		mu.Lock()
		fate, late := rnd.IntN(100), time.Duration(rnd.IntN(int(3*time.Millisecond)))
		mu.Unlock()
		switch {
		case fate < 2:
			return nil, errNoReply
		case fate < 5:
			send()
			return nil, errNoReply
		case fate < 20:
			time.Sleep(late)
		}
		return send()
	})
	const processes, writers, rounds = 2, 4, 5
	var wg sync.WaitGroup
	for p := range processes {
		s := open(t, l, "x", &tikvstore.Options{Patience: time.Minute})
		for g := range writers {
			wg.Go(func() {
				if err := work(s, fmt.Sprint(p, g), rounds); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	l.Intercept(nil)
	wantWork(t, open(t, l, "x", nil), processes*writers, rounds)
}

// TestSplits has regions be split in the middle of scans and of commits that write to
// all of them.
func TestSplits(t *testing.T) {
	l := local(t)
	s := open(t, l, "x", nil)
	const n, step = 3000, 100
	key := func(i int) []byte { return fmt.Appendf(nil, "k%04d", i) }
	write := func(value string, step int) error {
		_, err := update(s, func(tx store.Tx) error {
			for i := 0; i < n; i += step {
				if err := tx.Set(key(i), []byte(value)); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	}
	if err := write("0", 1); err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 1; !done.Load(); i++ {
			if err := write(fmt.Sprint(i), step); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for at := 50; at < n; at += 300 {
		for _, reverse := range []bool{false, true} {
			scanSplit(t, l, s, n, step, reverse, append([]byte("kivis/x/\x04"), key(at)...))
		}
	}
	done.Store(true)
	wg.Wait()
}

// scanSplit scans everything, has a region split on the way, and checks that it sees
// one version.
func scanSplit(t *testing.T, l *tikvtest.Local, s store.Store, n, step int, reverse bool, at []byte) {
	t.Helper()
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	c, err := tx.Scan(store.Range{Reverse: reverse})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var written []byte
	for i := range n {
		if i == 30 {
			l.Split(at)
		}
		k := i
		if reverse {
			k = n - 1 - i
		}
		if !c.Next() || string(c.Key()) != fmt.Sprintf("k%04d", k) {
			t.Fatalf("entry %d of a scan is %q, error %v", i, c.Key(), c.Err())
		}
		if k%step != 0 {
			continue
		}
		if written == nil {
			written = bytes.Clone(c.Value())
		}
		if !bytes.Equal(c.Value(), written) {
			t.Fatalf("a scan sees %q at %s and %q before: half a commit", c.Value(), c.Key(), written)
		}
	}
}

// TestStoreInRegions is TestStore where each store lies in several regions.
func TestStoreInRegions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	l := local(t)
	storetest.Run(t, func(t testing.TB) store.Store {
		name := newName()
		prefix := "kivis/" + name + "/"
		l.Split([]byte(prefix+"\x02"), []byte(prefix+"\x04"), []byte(prefix+"\x040"), []byte(prefix+"\x04b"), []byte(prefix+"\x04k5"))
		return open(t, l, name, nil)
	})
}

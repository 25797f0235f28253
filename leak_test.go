package kivis_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// openTxs is a store that counts the transactions that are open.
type openTxs struct {
	store.Store
	n atomic.Int64
}

func (s *openTxs) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.Store.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	s.n.Add(1)
	return &openTx{Tx: tx, n: &s.n}, nil
}

type openTx struct {
	store.Tx
	n     *atomic.Int64
	ended bool
}

func (tx *openTx) end() {
	if !tx.ended {
		tx.ended = true
		tx.n.Add(-1)
	}
}

func (tx *openTx) Commit() (uint64, error) { tx.end(); return tx.Tx.Commit() }

func (tx *openTx) Discard() { tx.end(); tx.Tx.Discard() }

// spanCount is a Tracer that counts the calls that have not ended.
type spanCount int

func (n *spanCount) Start(ctx context.Context, _ kivis.Op) context.Context { *n++; return ctx }

func (n *spanCount) End(context.Context, kivis.Outcome) { *n-- }

// Fickle does not come back while fail is set.
type Fickle struct {
	Code  string `kivis:"key"`
	Value fickleText
}

type fickleText struct{}

var fail atomic.Bool

func (fickleText) MarshalText() ([]byte, error) { return nil, nil }

func (*fickleText) UnmarshalText([]byte) error {
	if fail.Load() {
		runtime.Goexit()
	}
	return nil
}

// TestNothingStaysOpen ends calls by a panic or Goexit in a function or method
// of the user's: no transaction stays open, and the tracer hears of the end.
func TestNothingStaysOpen(t *testing.T) {
	st := &openTxs{Store: memstore.New()}
	spans := new(spanCount)
	db, err := kivis.Open(st, &kivis.Options{Tracer: spans})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&User{}, &Fickle{}))
	users, fickles := kivis.TableOf[User](db), kivis.TableBy[Fickle, string](db)
	must(users.Insert(bg, &User{Email: "a"}))(t)
	must(fickles.Insert(bg, &Fickle{Code: "a"}))(t)
	fail.Store(true)
	defer fail.Store(false)
	panics := users.Where(kivis.Func(func(*User) bool { panic("in Func") }))
	for name, call := range map[string]func(){
		"collect":  func() { _, _ = panics.Collect(bg) },
		"count":    func() { _, _ = panics.Count(bg) },
		"page":     func() { _, _ = panics.Page(bg, 1, "") },
		"analyze":  func() { _, _ = panics.Analyze(bg) },
		"delete":   func() { _, _ = panics.Delete(bg) },
		"get":      func() { _, _ = fickles.Get(bg, "a") },
		"get many": func() { _, _ = fickles.GetMany(bg, "a", "b") },
		"modify":   func() { _, _ = users.Modify(bg, 1, func(*User) error { panic("in Modify") }) },
		"update":   func() { _ = db.Update(bg, func(context.Context, *kivis.Tx) error { panic("in Update") }) },
		"view":     func() { _ = db.View(bg, func(context.Context, *kivis.Tx) error { panic("in View") }) },
		"bulk":     func() { _ = db.Bulk(bg, nil, func(context.Context, *kivis.Bulk) error { panic("in Bulk") }) },
		"loop": func() {
			for range users.All(bg) {
				panic("in a loop")
			}
		},
	} {
		over := make(chan struct{})
		go func() {
			defer close(over)
			defer func() { _ = recover() }()
			call()
		}()
		<-over
		if n := st.n.Load(); n != 0 || db.Stats().OpenTx != 0 {
			t.Fatalf("%s: %d transactions are open, Stats = %+v", name, n, db.Stats())
		}
		if *spans != 0 {
			t.Fatalf("%s: %d calls have not ended", name, *spans)
		}
	}
}

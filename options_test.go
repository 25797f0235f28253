package kivis_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// recorder is a Tracer that notes what it is told.
type recorder struct {
	ops     []kivis.Op
	results []kivis.Outcome
}

type spanKey struct{}

func (r *recorder) Start(ctx context.Context, op kivis.Op) context.Context {
	r.ops = append(r.ops, op)
	return context.WithValue(ctx, spanKey{}, len(r.ops)-1)
}

func (r *recorder) End(ctx context.Context, res kivis.Outcome) {
	for len(r.results) < len(r.ops) {
		r.results = append(r.results, kivis.Outcome{})
	}
	r.results[ctx.Value(spanKey{}).(int)] = res
}

// silent is a Tracer that has no contexts of its own.
type silent struct{ ended int }

func (s *silent) Start(context.Context, kivis.Op) context.Context { return nil }

func (s *silent) End(ctx context.Context, _ kivis.Outcome) {
	if ctx != nil {
		s.ended++
	}
}

func TestTracerWithoutContext(t *testing.T) {
	tracer := &silent{}
	db, err := kivis.Open(memstore.New(), &kivis.Options{Tracer: tracer})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&User{}))
	before := tracer.ended
	users := kivis.TableOf[User](db)
	id := must(users.Insert(bg, &User{Email: "a"}))(t)
	must(users.Get(bg, id))(t)
	if n := tracer.ended - before; n != 2 {
		t.Errorf("%d calls ended with a context, want 2", n)
	}
}

func TestTracerAndLog(t *testing.T) {
	var log bytes.Buffer
	rec := &recorder{}
	db, err := kivis.Open(memstore.New(), &kivis.Options{
		Tracer: rec, Slow: time.Nanosecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&User{}))
	users := kivis.TableOf[User](db)
	id := must(users.Insert(bg, &User{Email: "secret-value"}))(t)
	must(users.Get(bg, id))(t)
	must(users.Where(email.Eq("secret-value")).Collect(bg))(t)
	_, err = users.Insert(bg, &User{Email: "secret-value"})
	wantErr(t, err, kivis.ErrExists)
	check(t, db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
		if ctx.Value(spanKey{}) == nil {
			t.Error("the span is not in the context that Update passes on")
		}
		return nil
	}))
	var calls []string
	for i, op := range rec.ops {
		calls = append(calls, op.Call+" "+op.Table)
		if op.Call == "insert" && i > 2 && rec.results[i].Err == nil {
			t.Error("the failed insert has no error in its result")
		}
	}
	got := strings.Join(calls, ",")
	for _, want := range []string{"register ", "insert User", "get User", "update "} {
		if !strings.Contains(got, want) {
			t.Errorf("calls = %s, want %q among them", got, want)
		}
	}
	if !strings.Contains(log.String(), "slow call") || strings.Contains(log.String(), "secret") {
		t.Errorf("log = %s", log.String())
	}
}

func TestStats(t *testing.T) {
	db := newDB(t, &User{})
	users := kivis.TableOf[User](db)
	before := db.Stats().Commits
	must(users.Insert(bg, &User{Email: "a"}))(t)
	must(users.Insert(bg, &User{Email: "b"}))(t)
	tx := must(db.Begin(bg, false))(t)
	time.Sleep(time.Millisecond)
	s := db.Stats()
	if s.Commits != before+2 || s.OpenTx != 1 || s.OldestSnapshot < time.Millisecond {
		t.Errorf("Stats = %+v", s)
	}
	tx.Discard()
	if s := db.Stats(); s.OpenTx != 0 || s.OldestSnapshot != 0 {
		t.Errorf("Stats = %+v", s)
	}
}

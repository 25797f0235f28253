package kivis_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestMissingArguments: what is nil or zero where something is needed gives an
// error, never a panic.
func TestMissingArguments(t *testing.T) {
	db := openDB(t, memstore.New(), &Member{})
	members := kivis.TableOf[Member](db)
	m := memberOf(1)
	must(members.Insert(bg, &m))(t)
	var noContext context.Context
	var noDB *kivis.DB
	var noTx *kivis.Tx
	view := func(context.Context, *kivis.Tx) error { return nil }
	bulk := func(context.Context, *kivis.Bulk) error { return nil }
	seq := func(next func(func(Member, error) bool)) (err error) {
		next(func(_ Member, e error) bool { err = e; return false })
		return err
	}
	second := func(_ any, err error) error { return err }
	zero := kivis.Pred[Member]{}
	pointer := &Member{}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"Get without a context", second(members.Get(noContext, 1)), "context is nil"},
		{"Insert without a context", second(members.Insert(noContext, &m)), "context is nil"},
		{"Modify without a context", second(members.Modify(noContext, 1, func(*Member) error { return nil })), "context is nil"},
		{"All without a context", seq(members.All(noContext)), "context is nil"},
		{"query Delete without a context", second(members.Query().Delete(noContext)), "context is nil"},
		{"View without a context", db.View(noContext, view), "context is nil"},
		{"Update without a context", db.Update(noContext, view), "context is nil"},
		{"Bulk without a context", db.Bulk(noContext, nil, bulk), "context is nil"},
		{"Begin without a context", second(db.Begin(noContext, true)), "context is nil"},
		{"Check without a context", second(db.Check(noContext, nil)), "context is nil"},
		{"Register without a context", db.RegisterContext(noContext, &Member{}), "context is nil"},
		{"Diff without a context", second(db.Diff(noContext, &Member{})), "context is nil"},
		{"Close of nil", noDB.Close(), "database is nil"},
		{"Register of nil", noDB.Register(&Member{}), "database is nil"},
		{"View of nil", noDB.View(bg, view), "database is nil"},
		{"Update of a zero DB", new(kivis.DB).Update(bg, view), "database is nil"},
		{"Begin of a zero DB", second(new(kivis.DB).Begin(bg, false)), "database is nil"},
		{"Bulk of a zero DB", new(kivis.DB).Bulk(bg, nil, bulk), "database is nil"},
		{"Check of a zero DB", second(new(kivis.DB).Check(bg, nil)), "database is nil"},
		{"Diff of a zero DB", second(new(kivis.DB).Diff(bg)), "database is nil"},
		{"Close of a zero DB", new(kivis.DB).Close(), "database is nil"},
		{"Get on a zero DB", second(members.With(new(kivis.DB)).Get(bg, 1)), "not bound"},
		{"Get on a nil Tx", second(members.With(noTx).Get(bg, 1)), "not bound"},
		{"Get on a zero Tx", second(members.With(new(kivis.Tx)).Get(bg, 1)), "not bound"},
		{"Get on a zero Bulk", second(members.With(new(kivis.Bulk)).Get(bg, 1)), "not bound"},
		{"Commit of a nil Tx", noTx.Commit(), "transaction is nil"},
		{"View of a zero Tx", new(kivis.Tx).View(bg, view), "transaction is nil"},
		{"Update of a nil Tx", noTx.Update(bg, view), "transaction is nil"},
		{"Register of a pointer to a pointer", db.Register(&pointer), "pointer"},
		{"Register of nothing", db.Register(nil), "nil"},
		{"zero Pred", second(members.Where(zero).Collect(bg)), "zero Pred"},
		{"zero Pred among others", second(members.Where(memberAge.Ge(0), zero).Count(bg)), "zero Pred"},
		{"zero Pred in And", second(members.Where(kivis.And(zero)).Count(bg)), "zero Pred"},
		{"zero Pred in Or", second(members.Where(kivis.Or(memberAge.Ge(0), zero)).Count(bg)), "zero Pred"},
		{"zero Pred in Not", second(members.Where(kivis.Not(zero)).Count(bg)), "zero Pred"},
		{"Delete by a zero Pred", second(members.Where(zero).Delete(bg)), "zero Pred"},
		{"zero Field", second(members.Where(kivis.Field[Member, int]{}.Eq(1)).Count(bg)), "no field"},
		{"zero Order", second(members.Query().OrderBy(kivis.Order[Member]{}).Collect(bg)), "no field"},
		{"zero Order of a sum", second(kivis.Sum(bg, members.Query().OrderBy(kivis.Order[Member]{}), memberAge)), "no field"},
		{"zero Order of a minimum", second(kivis.Min(bg, members.Query().OrderBy(kivis.Order[Member]{}), memberAge)), "no field"},
		{"zero Order of distinct values", valuesErr(kivis.Distinct(bg, members.Query().OrderBy(kivis.Order[Member]{}), memberAge)), "no field"},
		{"order of groups by name", second(kivis.TableNamed(db, "Member").Query().OrderBy("Aeg").GroupCount(bg, "Age")), "did you mean Age?"},
		{"zero Rewriting", db.Register(&Member{}, kivis.Rewriting{}), "Rewrite"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error = %v, want one with %q", c.name, c.err, c.want)
		}
	}
	noTx.Discard()
	new(kivis.Tx).Discard()
	noTx.OnCommit(func() {})
	if noTx.Context() == nil || noDB.Stats() != (kivis.Stats{}) {
		t.Error("a nil Tx has no context, or a nil DB has done something")
	}
	if n := must(members.Count(bg))(t); n != 1 {
		t.Errorf("%d members, want 1", n)
	}
	if n := must(members.Where().Count(bg))(t); n != 1 {
		t.Errorf("Where() finds %d, want all", n)
	}
	var q *kivis.QueryError
	if err := second(members.Where(zero).Count(bg)); !errors.As(err, &q) {
		t.Errorf("the error of a zero Pred is %T, want a QueryError", err)
	}
}

// valuesErr returns the error that the values end with.
func valuesErr[V any](values iter.Seq2[V, error]) (err error) {
	for _, err = range values {
	}
	return err
}

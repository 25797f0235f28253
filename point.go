package kivis

import (
	"errors"

	"github.com/kivisdb/kivis/query"
)

// found is what a query has found that is a point: one record, by its key or by a
// unique index. Such a query is read at once where its session allows for it.
type found struct {
	done  bool // it is one, and has been read
	row   query.Row
	stats query.Stats
	err   error
	taken bool
}

// take reports whether there is a row that has not been taken yet.
func (f *found) take() bool {
	was := f.taken
	f.taken = true
	return !was && f.err == nil && f.stats.Rows > 0
}

// lifetime is that of a query's session which ends before the call returns.
func (a *queryCall) lifetime() lifetime {
	if a.after == "" && a.q.MayBePoint() {
		return maybePoint
	}
	return untilReturn
}

// prepare returns the plan of the query as the session sees its table, if it may be
// run, and sets f to what it finds, if it is a point. If not, the session has a
// transaction afterwards.
//
// Without a transaction what was read counts if the schema is still current, see
// tables.Newest, and if it belongs together, see query.Plan.Lookup. Else it is read
// again, by the new schema or in a transaction.
func (a *queryCall) prepare(s *session, want query.Want, f *found) (plan *query.Plan, err error) {
	for {
		if plan == nil || plan.Table() != s.table {
			if plan != nil {
				plan.Release()
			}
			if plan, err = a.make(s.db, s.table, want); err != nil {
				return nil, err
			}
		}
		if err := a.lookUp(s, plan, f); err != nil || f.done {
			return plan, err
		}
		if s.newest == nil && s.table == plan.Table() {
			return plan, s.db.admit(plan)
		}
	}
}

// lookUp reads what the plan finds if it is a point. Where that is not done, the
// session has a transaction afterwards, or the newest schema: then the plan may not
// be good any more.
func (a *queryCall) lookUp(s *session, plan *query.Plan, f *found) (err error) {
	if s.life == maybePoint && plan.IsPoint() {
		f.row, f.stats, f.err = plan.Lookup(s.keys(), s.newest != nil)
		switch {
		case s.newest == nil:
			f.done = true
			return nil
		case !s.newest.Current():
			s.newest.Renew()
			s.table, err = s.tableOf(a.ref)
			return err
		case !errors.Is(f.err, query.ErrMoved):
			f.done = true
			return nil
		}
	}
	if s.newest != nil {
		err = s.needTx(a.ref)
	}
	return err
}

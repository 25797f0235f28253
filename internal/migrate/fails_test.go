package migrate_test

import (
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestCommitFails has each commit of a Register fail in turn, once, before the engine's
// and after it, and all others succeed: what the database takes for done is done, and the
// next Register ends the rest.
func TestCommitFails(t *testing.T) {
	const n = 40 // one chunk, so that the first is also the last
	list := people(n)
	for _, test := range []struct {
		name   string
		seed   func(t *testing.T, st kept)
		change func(db *kivis.DB) error
		want   func(t *testing.T, db *kivis.DB)
	}{
		{
			"index builds",
			func(t *testing.T, st kept) { rowsOf1(t, st, 100) },
			func(db *kivis.DB) error { return db.Register(&indexed2{}) },
			func(t *testing.T, db *kivis.DB) { checkRows2(t, db, 100) },
		},
		{
			"a migration",
			func(t *testing.T, st kept) { seed(t, st, list) },
			func(db *kivis.DB) error { return db.Register(&person2{}, kivis.Migrate(to2)) },
			func(t *testing.T, db *kivis.DB) { want2(t, db, list) },
		},
		{
			"a change of keys",
			func(t *testing.T, st kept) { network(t, st, n) },
			func(db *kivis.DB) error {
				return db.Register(&station2{}, &line2{}, &ticket2{}, kivis.Migrate(toCodes))
			},
			func(t *testing.T, db *kivis.DB) { checkNetwork(t, db, n) },
		},
	} {
		for _, kind := range []faultstore.Kind{faultstore.Commit, faultstore.Committed} {
			for _, fault := range []error{store.ErrCommitUnknown, store.ErrUnreachable, errors.New("no space left")} {
				t.Run(test.name+"/"+kind.String()+"/"+fault.Error(), func(t *testing.T) {
					failed := faultstore.Sweep(fault, func(at int, inject faultstore.Inject) {
						st, armed := kept{memstore.New()}, false
						test.seed(t, st)
						db := open(t, faultstore.Wrap(st, func(op faultstore.Op) error {
							if !armed {
								return nil
							}
							return inject(op)
						}), nil)
						armed = true
						err := test.change(db)
						t.Logf("commit %d: %v", at, err)
						db.Close() // which says so where the outcome is unknown
						db = open(t, st, nil)
						if report, err := db.Check(t.Context(), nil); !errors.Is(err, kivis.ErrMigrating) && (err != nil || !report.Clean()) {
							t.Errorf("commit %d: Check: %v, %v", at, report, err)
						}
						check(t, test.change(db))
						test.want(t, db)
						clean(t, db)
						check(t, db.Close())
					}, kind)
					if failed < 3 {
						t.Errorf("%d commits were made to fail", failed)
					}
				})
			}
		}
	}
}

package kivis

import (
	"context"

	"github.com/kivisdb/kivis/internal/migrate"
)

// BuildWork is what a [Build] does to what is stored: [WorkBuild], [WorkDrop] or
// [WorkRewrite].
type BuildWork = migrate.Work

// The kinds of work.
const (
	WorkBuild   = migrate.IndexBuild // fills a new index
	WorkDrop    = migrate.TableDrop  // deletes the records of a dropped table
	WorkRewrite = migrate.Rewriting  // writes records anew, for a migration or a Rewrite
)

// BuildPhase is how far a [Build] has come.
type BuildPhase = migrate.Phase

// The phases.
const (
	PhaseBuilding  = migrate.Building  // an index is written, and not read
	PhaseBlocked   = migrate.Blocked   // records have the same value in a unique index; see Build.Duplicates
	PhaseFailed    = migrate.Failed    // see Build.Err
	PhaseDropping  = migrate.Dropping  // records are being deleted
	PhaseChecking  = migrate.Checking  // a migration reads every record and writes none
	PhaseRewriting = migrate.Writing   // records are being written anew
	PhaseFinishing = migrate.Finishing // the old versions go
)

// A Build is work on stored records that a change of the schema has brought:
// an index that is being filled, a table that is being emptied, records that
// are being rewritten.
type Build struct {
	Work        BuildWork
	Table       string // stored name
	Index       string // "" for work on a whole table
	Phase       BuildPhase
	Done, Total int         // of Phase, in records or keys; Total is 0 where it is not known
	Rate        float64     // of Done, in a second
	Duplicates  []Duplicate // of a unique index: all that are in the way
	Err         error       // why it could not go on
}

// A Duplicate is two stored records with the same value in a unique index.
type Duplicate struct {
	Holder, Record any // primary keys; Holder's value is in the index
}

// Builds returns the work on stored records that is under way in this process, and
// what could not be finished: a unique index that records block, until a
// Register has built it.
func (db *DB) Builds() []Build {
	if db.usable() != nil {
		return nil
	}
	jobs := db.migrator.Jobs()
	list := make([]Build, len(jobs))
	for i, j := range jobs {
		list[i] = Build{Work: j.Work, Table: j.Table, Index: j.Index, Phase: j.Phase, Done: j.Done, Total: j.Total, Rate: j.Rate, Err: public(j.Err)}
		for _, d := range j.Duplicates {
			list[i].Duplicates = append(list[i].Duplicates, Duplicate{keyValue(d.Holder), keyValue(d.Record)})
		}
	}
	return list
}

// Drop deletes a table by its stored name: its records, its indexes, and all
// that the catalog says of it. The table is gone at once; its records are
// deleted in chunks, before Drop returns, and where that is interrupted, by the
// next Drop or Register. A table to which others refer is not dropped: the error
// is a [SchemaChangeError] that names them. It is ErrNoTable where there is no
// such table. A record type that had the table has to be registered again to be
// used.
func (db *DB) Drop(ctx context.Context, table string) error {
	if err := db.outside(ctx); err != nil {
		return wrap("drop", nil, nil, err)
	}
	c := db.startCall(ctx, "drop", table)
	_, err := tableRef{name: table}.in(db.core.Schema())
	if err == nil {
		err = db.migrator.Drop(c.ctx, table)
	}
	err = wrap("drop", nil, nil, err)
	c.end(Outcome{}, err)
	return err
}

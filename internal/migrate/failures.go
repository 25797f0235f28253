package migrate

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/kivisdb/kivis/schema"
)

// failures are the index builds in the background that have failed, until a
// Register has told of them. The zero value is ready.
type failures struct {
	mu   sync.Mutex
	errs map[schema.IndexRef]error
}

// add notes how a build has failed.
func (f *failures) add(ref schema.IndexRef, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.errs == nil {
		f.errs = make(map[schema.IndexRef]error)
	}
	f.errs[ref] = err
}

// split returns those of builds that have failed before, for which a Register
// is to wait, and the others. It forgets failures of which no build is left.
func (f *failures) split(builds []schema.IndexRef) (failed, others []schema.IndexRef) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.errs, func(ref schema.IndexRef, _ error) bool { return !slices.Contains(builds, ref) })
	for _, ref := range builds {
		if f.errs[ref] != nil {
			failed = append(failed, ref)
		} else {
			others = append(others, ref)
		}
	}
	return failed, others
}

// forget forgets the failures of builds that have succeeded since.
func (f *failures) forget(builds []schema.IndexRef) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ref := range builds {
		delete(f.errs, ref)
	}
}

// differences returns the failures as differences, those of tables in set.
func (f *failures) differences(set *schema.Set) (list []schema.Difference) {
	f.mu.Lock()
	defer f.mu.Unlock()
	refs := slices.SortedFunc(maps.Keys(f.errs), func(a, b schema.IndexRef) int {
		return slices.Compare([]uint32{a.Table, a.Index}, []uint32{b.Table, b.Index})
	})
	for _, ref := range refs {
		var change *schema.ChangeError
		if errors.As(f.errs[ref], &change) {
			list = append(list, change.Changes...)
			continue
		}
		tb := set.ByID(ref.Table)
		if tb == nil || tb.IndexByID(ref.Index) == nil {
			continue
		}
		list = append(list, schema.Difference{Table: tb.Name, Index: tb.IndexByID(ref.Index).Name,
			Kind: "failed index build", Class: schema.Build, Detail: f.errs[ref].Error(), Remedy: "the next Register builds it, and waits for it"})
	}
	return list
}

// count returns how many builds have failed.
func (f *failures) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.errs)
}

// FailedBuilds returns how many index builds in the background have failed, of
// which no Register has told yet.
func (m *Migrator) FailedBuilds() int { return m.failed.count() }

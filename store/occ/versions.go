package occ

import (
	"cmp"
	"slices"
)

// versions counts the live transactions of each version that one sees: a short
// list, ascending, for a transaction begins on the newest version.
type versions []seen

type seen struct {
	version uint64
	n       int
}

// add counts a transaction that sees version, which is not below that of an
// earlier call.
func (v *versions) add(version uint64) {
	if n := len(*v); n > 0 && (*v)[n-1].version == version {
		(*v)[n-1].n++
		return
	}
	*v = append(*v, seen{version, 1})
}

// remove takes back one add.
func (v *versions) remove(version uint64) {
	i, _ := v.find(version)
	if (*v)[i].n--; (*v)[i].n == 0 {
		*v = slices.Delete(*v, i, i+1)
	}
}

func (v *versions) find(version uint64) (int, bool) {
	return slices.BinarySearchFunc(*v, version, func(s seen, version uint64) int { return cmp.Compare(s.version, version) })
}

// without appends the versions that a transaction sees which is not in batch.
func (v *versions) without(batch []*Tx, dst []uint64) []uint64 {
	for _, tx := range batch {
		i, _ := v.find(tx.version)
		(*v)[i].n--
	}
	for _, s := range *v {
		if s.n > 0 {
			dst = append(dst, s.version)
		}
	}
	for _, tx := range batch {
		i, _ := v.find(tx.version)
		(*v)[i].n++
	}
	return dst
}

package occ

import (
	"cmp"
	"slices"
)

// versions counts the transactions that read each version that one reads: a short
// list, ascending, for a transaction begins on the newest version.
type versions []seen

type seen struct {
	version uint64
	n       int
}

// add counts a transaction that sees version, which is mostly that of the last
// call or a higher one.
func (v *versions) add(version uint64) {
	i := len(*v)
	if i > 0 && (*v)[i-1].version >= version {
		i, _ = v.find(version)
		if (*v)[i].version == version {
			(*v)[i].n++
			return
		}
	}
	*v = slices.Insert(*v, i, seen{version, 1})
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

// list appends the versions to dst.
func (v *versions) list(dst []uint64) []uint64 {
	for _, s := range *v {
		dst = append(dst, s.version)
	}
	return dst
}

package badgerstore

import (
	"fmt"
	"runtime/debug"
)

// The store relies on more than what Badger promises: that a request is in one
// log as a whole, that a sync of the file covers what was written through its
// map, that tables have no other checksums than those that it compares itself.
// So it knows which releases it was tested with. With any other it leaves these
// things to Badger, which is slower, and says so.

// testedFrom and testedTo are the first and the last release of Badger that this
// package was tested with.
var (
	testedFrom = release{4, 9, 6}
	testedTo   = release{4, 9, 6}
)

const enginePath = "github.com/dgraph-io/badger/v4"

// release is the numbers of a version.
type release [3]int

// parseRelease takes a version of a release apart. Others, such as those between
// releases, and those of a copy at a path, have none.
func parseRelease(version string) (r release, ok bool) {
	n, err := fmt.Sscanf(version, "v%d.%d.%d", &r[0], &r[1], &r[2])
	return r, err == nil && n == 3 && version == fmt.Sprintf("v%d.%d.%d", r[0], r[1], r[2])
}

// below says whether r comes before other.
func (r release) below(other release) bool {
	for i := range r {
		if r[i] != other[i] {
			return r[i] < other[i]
		}
	}
	return false
}

// testedEngine returns the version of Badger in this program, and whether the
// package was tested with it, as far as can be told: a test binary, for one, does
// not know what it is made of.
func testedEngine(read func() (*debug.BuildInfo, bool)) (version string, tested bool) {
	info, ok := read()
	if !ok {
		return "unknown", true
	}
	for _, m := range info.Deps {
		if m.Path != enginePath {
			continue
		}
		if m.Replace != nil {
			return fmt.Sprintf("%s %s in its place", m.Replace.Path, m.Replace.Version), false
		}
		r, ok := parseRelease(m.Version)
		return m.Version, ok && !r.below(testedFrom) && !testedTo.below(r)
	}
	return "unknown", true
}

// String returns the version.
func (r release) String() string { return fmt.Sprintf("v%d.%d.%d", r[0], r[1], r[2]) }

package cli

import (
	"os"
	"runtime/debug"

	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
)

// frugalMemory is what the process is to get by with where it goes through a whole
// database, as badgerstore.Options.Memory has it: more is mostly garbage, which is
// then collected sooner. It is no bound: records of many megabytes take what they
// need.
const frugalMemory = 2*place.Memory + 80<<20

// frugal has the process hold less memory until done is called, unless GOMEMLIMIT
// says what it may hold.
func frugal() (done func()) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(frugalMemory)
	return func() { debug.SetMemoryLimit(before) }
}

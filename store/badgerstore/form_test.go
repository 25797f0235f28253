package badgerstore_test

import (
	"flag"
	"testing"
)

// long has the tests that have a longest form take it.
var long = flag.Bool("long", false, "take the longest forms of the tests: all the sizes of disks, a million keys, many rounds")

// form returns how much of something a test takes: in its short form, which the
// race detector gets too, in the usual one, and in the longest.
func form[T any](short, usual, longest T) T {
	switch {
	case *long:
		return longest
	case testing.Short() || raceEnabled:
		return short
	}
	return usual
}

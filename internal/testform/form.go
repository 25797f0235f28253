// Package testform says how much of itself a test takes. It is for tests alone: it adds
// a flag to the program that imports it.
package testform

import (
	"flag"
	"testing"
)

var long = flag.Bool("long", false, "take the longest forms of the tests")

// Of returns what is for the form that was asked for: the short one with -short or under
// the race detector, the longest with -long, whatever else there is, and the usual one
// otherwise.
func Of[T any](short, usual, longest T) T {
	switch {
	case *long:
		return longest
	case testing.Short() || raceEnabled:
		return short
	}
	return usual
}

// Usual skips a test that has no short form, which why says.
func Usual(t testing.TB, why string) {
	t.Helper()
	if !Of(false, true, true) {
		t.Skip(why)
	}
}

// Long skips a test that has its longest form alone, which why says.
func Long(t testing.TB, why string) {
	t.Helper()
	if !Of(false, false, true) {
		t.Skipf("%s: with -long", why)
	}
}

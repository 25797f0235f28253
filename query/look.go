package query

import (
	"fmt"
	"strings"
)

// Look is what a plan with several indexes has found out when it was run.
type Look struct {
	Choice LookChoice
	Other  int            // which of the other indexes is chosen, of those that the plan names
	First  int            // how many entries of the index in the first line of the plan it looked at
	Others [maxSieves]int // and of the other ones
}

// LookChoice is how a plan with several indexes is read.
type LookChoice uint8

// The ways of reading a plan with several indexes.
const (
	NotLooked   LookChoice = iota // there is one, or so few entries of the first that it does not matter
	FirstAlone                    // records are fetched for the entries of the first
	OtherAlone                    // records are fetched for the entries of another one
	BothIndexes                   // records are fetched only for what the first and another one have
)

// lookText says what a look at several indexes has led to.
func (w *explainer) lookText(l *Look) string {
	a := w.p.reads[0]
	name := func(a *accessPath) string { return indexText(w.p.table.Name, a.c.index) }
	var b strings.Builder
	fmt.Fprintf(&b, "at %s of %s", count(l.First, "entry", "entries"), name(a))
	for i := range a.sieves {
		fmt.Fprintf(&b, ", %d of %s", l.Others[i], name(a.sieves[i].other))
	}
	switch l.Choice {
	case FirstAlone:
		fmt.Fprintf(&b, ": %s alone", name(a))
	case OtherAlone:
		fmt.Fprintf(&b, ": %s alone", name(a.sieves[l.Other].other))
	case BothIndexes:
		fmt.Fprintf(&b, ": what %s and %s have", name(a), name(a.sieves[l.Other].other))
	}
	return b.String()
}

package query

import "fmt"

// Look is what a plan with a second index has found out when it was run.
type Look struct {
	Choice LookChoice
	First  int // how many entries of the index in the first line of the plan it looked at
	Second int // and of the other one
}

// LookChoice is how a plan with a second index is read.
type LookChoice uint8

// The ways of reading a plan with a second index.
const (
	NotLooked   LookChoice = iota // there is none, or so few entries of the first that it does not matter
	FirstAlone                    // records are fetched for the entries of the first
	SecondAlone                   // records are fetched for the entries of the second
	BothIndexes                   // only of the records that are in both
)

// lookText says what a look at two indexes has led to.
func (w *explainer) lookText(l *Look) string {
	a := w.p.reads[0]
	first, second := indexText(w.p.table.Name, a.c.index), indexText(w.p.table.Name, a.other.c.index)
	choice := "what both have"
	switch l.Choice {
	case FirstAlone:
		choice = first + " alone"
	case SecondAlone:
		choice = second + " alone"
	}
	return fmt.Sprintf("at %s of %s, %d of %s: %s", count(l.First, "entry", "entries"), first, l.Second, second, choice)
}

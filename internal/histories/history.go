// Package histories finds what went wrong in a recorded history of concurrent
// transactions that append values to lists and read lists. A list shows the
// order in which its values came, so each read tells which appends it saw and
// which it did not. From that follow the dependencies between transactions, and
// a history that no serial order explains has a cycle among them. The method is
// that of Elle (Kingsbury and Alvaro, 2020).
package histories

import "fmt"

// Op is one read of a list or one append to it.
type Op struct {
	Key    int
	Append int   // the value appended; 0 makes the Op a read
	Read   []int // the whole list, as a read saw it
}

// Txn is one transaction as its caller saw it. Start and End are ticks of one
// clock, taken before the first call and after the last one returned.
type Txn struct {
	Name       string
	Start, End int64
	Aborted    bool // nothing of it may be seen
	Ops        []Op // in the order they were made
}

// Kind is a kind of anomaly.
type Kind string

// The kinds of anomalies. Those that begin with G are Adya's names of cycles.
const (
	Malformed    Kind = "malformed history"      // a value was appended to a list twice by the callers
	Unwritten    Kind = "unwritten value"        // a read saw what nobody has appended
	AbortedRead  Kind = "aborted read"           // G1a: a read saw what an aborted transaction appended
	Intermediate Kind = "intermediate read"      // G1b: a read saw an append before the last of its transaction
	Duplicate    Kind = "duplicate value"        // a list holds a value twice
	Internal     Kind = "internal inconsistency" // a transaction's read does not agree with what it read or appended before
	Incompatible Kind = "incompatible read"      // a read is no prefix of the final list
	Lost         Kind = "lost append"            // a committed append is not in the final list
	G0           Kind = "G0"                     // a cycle of writes
	G1c          Kind = "G1c"                    // a cycle of writes and reads of what was written
	GSingle      Kind = "G-single"               // a cycle with one read of what was overwritten
	G2           Kind = "G2"                     // a cycle with several such reads
	RealTime     Kind = "real-time violation"    // a cycle only with the order of ends and starts
)

// Anomaly is one thing that is wrong with a history.
type Anomaly struct {
	Kind Kind
	Text string
}

func (a Anomaly) String() string { return fmt.Sprintf("%s: %s", a.Kind, a.Text) }

package occ_test

import (
	"fmt"

	"github.com/kivisdb/kivis/store/occ"
)

// The tracker says whether what a transaction has read was written since its
// snapshot, a range that was empty included.
func ExampleTracker() {
	var read occ.Footprint
	read.AddRange([]byte("child/"), []byte("child0")) // looked for children, found none

	var written occ.Overlay
	written.Set([]byte("child/1"), nil)

	var tracker occ.Tracker
	tracker.Record(8, &written) // another transaction commits a child
	fmt.Println(tracker.Conflicts(&read, 7), tracker.Conflicts(&read, 8))
	// Output: true false
}

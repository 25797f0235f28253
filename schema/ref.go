package schema

// Action is what happens to referring records when their target goes.
type Action uint8

// The actions. Their numbers are on disk, in the catalog.
const (
	Restrict Action = iota // the target may not be deleted
	Cascade                // they are deleted too
	SetNull                // their reference is set to nothing
	NoAction               // they are left as they are
)

var actionNames = []string{"restrict", "cascade", "setnull", "noaction"}

// String returns the action as tags write it.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "unknown"
}

// A Ref is one reference: parts of one table's records that are the primary
// key of a record in another table, or in the same one.
type Ref struct {
	Name     string // the stored names of the referring fields, joined by commas
	Table    *Table // that refers
	Target   *Table // that is referred to
	Parts    []Part // the referring fields, in the order of the target's key parts
	Optional bool   // all zero, or any of them zero or nil, refers to nothing
	OnDelete Action
	Index    *Index // its first parts are Parts; nil for NoAction
	Nulls    []int  // which Parts SetNull sets to nil or zero
}

package query

// Query is what is asked of one table. It is plain data and only read.
type Query struct {
	Where  Expr    // nil is all records
	Order  []Order // nil: the order of the plan, or of the key with ByKey
	ByKey  bool    // without Order, in primary-key order
	Limit  int     // -1 is no limit
	Offset int
	Using  string // the name of the index to use; "" leaves the choice to the planner

	After    *Position // only what comes after it, in the query's order
	Backward bool      // in the reverse of the query's order
}

// Order is one term of the order asked for. Ties are broken by the primary key,
// ascending.
type Order struct {
	Field Operand
	Desc  bool
}

// Position is a place in the order of a query: before or after one record,
// which need not exist any more.
type Position struct {
	Parts [][]byte // one ascending part per term of the order
	Key   []byte   // the record's key tuple
	After bool     // the place is behind the record, else before it
}

// Want is what a caller needs of the records found.
type Want struct {
	Kind  WantKind
	Value Operand // of Values; with Deref, nils are left out
	Group Operand // of Values: a second field, as Row.Group, where it is set; not both have Each
}

// WantKind is a kind of [Want].
type WantKind uint8

// The kinds of what a caller needs.
const (
	Records WantKind = iota // whole records
	Keys                    // primary keys
	Count                   // how many there are
	Values                  // one field of each, as Row.Part; of a field with Each, each of its elements
)

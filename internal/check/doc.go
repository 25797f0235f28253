// Package check compares what a database stores with what its schema says:
// every record readable, every index equal to its records, every reference to
// a record that is there.
//
// Index entries are not looked up one by one. A pass over the records and one
// over each index add up hashes of the entries that should be there and of
// those that are, in buckets by the entry's key; an index is right where all of
// its buckets agree. Only entries of buckets that differ are looked at singly,
// in a second pass. Memory does not grow with the database.
package check

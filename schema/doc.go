// Package schema compiles Go structs into tables, keeps the stored catalog, and
// finds the differences between the two.
package schema

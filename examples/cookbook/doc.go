// Package cookbook holds the code of docs/cookbook.md as tests: each recipe is a
// file, and does what the page says.
package cookbook

// Package guide holds the code of docs/guide.md as tests: what the guide shows
// compiles and does what the guide says.
package guide

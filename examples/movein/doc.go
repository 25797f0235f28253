// Package movein reads the databases of other libraries for Go and writes what they
// hold into Kivis. Each file is one library, and a test: docs/moving.md quotes them.
package movein

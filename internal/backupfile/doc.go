// Package backupfile is the file that a backup is: the entries of one snapshot
// in key order, or what has changed between two, in a form that can be checked
// as a whole and read in place.
//
// A file is a header, frames, and a footer. A frame holds a block, compressed,
// with a checksum: a data block, of some tens of kilobytes of entries, or an
// index block, which names the last key and the place of each block of the level
// below it. So neither [Writer] nor [File] ever needs more in memory than some
// blocks of each level, however big the file is. The same entries always give
// the same bytes.
//
// Nothing in a file is trusted: whatever its bytes are, reading ends, takes
// memory in proportion to what is stored, and reports damage as
// store.ErrCorrupt. The bytes are in docs/format.md.
package backupfile

// Package boltfile reads a file of bbolt's by itself, and tells whether it is
// sound. bbolt has a checksum over its two meta pages alone: it follows damaged
// page numbers and lengths wherever they lead, and takes a shortened page for
// all there is.
//
// A file is pages of one size. Pages 0 and 1 are meta pages, written in turn: the
// one with the higher transaction id that is whole is the state of the file. It
// names the root page of a tree whose leaf holds the buckets, each of which is a
// tree of its own or, if small, a page inside of that leaf; and the freelist, the
// numbers of all pages that are in no tree. A page may go on over the following
// ones. Numbers have the byte order of the machine.
//
// What makes damage visible although most pages have no checksum is that bbolt
// leaves nothing open: the elements of a page lie one after the other without
// gaps, so each length is said twice; a branch repeats the first key of each page
// below it; and every page is a meta page, in the freelist, or in exactly one
// place of the tree. What is left are the bytes of keys and values, for which
// [Walk] asks its caller.
package boltfile

import (
	"errors"
	"fmt"
)

var (
	// ErrDamaged: the file is bbolt's, and damaged.
	ErrDamaged = errors.New("damaged")
	// ErrForeign: the file is not bbolt's, or not as bbolt writes it here.
	ErrForeign = errors.New("not a file of bbolt's")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrDamaged)
}

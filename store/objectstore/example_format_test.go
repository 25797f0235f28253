package objectstore

import (
	"fmt"

	"github.com/kivisdb/kivis/store/remote"
)

// part is a piece of an object, for print.
type part struct {
	name string
	size int
}

// printParts prints the bytes of an object, by its parts; the last one has the rest
// but the checksum.
func printParts(b []byte, parts ...part) {
	line := func(name string, n int) {
		fmt.Printf("%-20s % x\n", name, b[:n])
		b = b[n:]
	}
	line("magic", 8)
	line("format", 4)
	line("store", 16)
	for _, p := range parts {
		if p.size == 0 {
			p.size = len(b) - 4
		}
		line(p.name, p.size)
	}
	line("checksum", 4)
}

// id returns 16 bytes.
func id(b byte) (id [16]byte) {
	for i := range id {
		id[i] = b
	}
	return id
}

// An object of the log, of version 3, which sets a, makes b and deletes c.
func Example_commit() {
	c := commit{
		point:    point{version: 3, id: id(0x33), time: 1_700_000_000_000_000_000},
		previous: id(0x22), writer: id(0xaa),
		changes: []remote.Change{
			{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("b"), Value: []byte("2"), Created: true}, {Key: []byte("c")},
		},
	}
	printParts(c.encode(id(0xdb)), part{"version", 8}, part{"id", 16}, part{"time", 8}, part{"id of version 2", 16}, part{"writer", 16}, part{"changes, as of s2", 0})
	// Output:
	// magic                8b 6b 76 2d 6c 6f 67 0a
	// format               00 00 00 01
	// store                db db db db db db db db db db db db db db db db
	// version              00 00 00 00 00 00 00 03
	// id                   33 33 33 33 33 33 33 33 33 33 33 33 33 33 33 33
	// time                 17 97 9c fe 36 2a 00 00
	// id of version 2      22 22 22 22 22 22 22 22 22 22 22 22 22 22 22 22
	// writer               aa aa aa aa aa aa aa aa aa aa aa aa aa aa aa aa
	// changes, as of s2    0e 34 03 00 01 61 01 31 02 01 62 01 32 01 01 63
	// checksum             7f 84 11 a4
}

// The boundary: the log is there from version 41 on, and a checkpoint of version 50.
func Example_boundary() {
	n := boundary{db: id(0xdb), version: 40, checkpoint: point{version: 50, id: id(0x55), time: 1_700_000_000_000_000_000}, size: 4096}
	printParts(n.encode(), part{"boundary", 8}, part{"checkpoint", 8}, part{"id of its commit", 16}, part{"time of that", 8}, part{"bytes in it", 8})
	// Output:
	// magic                8b 6b 76 2d 62 6e 64 0a
	// format               00 00 00 01
	// store                db db db db db db db db db db db db db db db db
	// boundary             00 00 00 00 00 00 00 28
	// checkpoint           00 00 00 00 00 00 00 32
	// id of its commit     55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55
	// time of that         17 97 9c fe 36 2a 00 00
	// bytes in it          00 00 00 00 00 00 10 00
	// checksum             17 82 7f 30
}

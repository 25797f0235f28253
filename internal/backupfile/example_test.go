package backupfile_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/kivisdb/kivis/internal/backupfile"
)

// A whole backup of two entries, piece by piece.
func Example_bytes() {
	var file bytes.Buffer
	w := backupfile.NewWriter(&file, backupfile.Header{Incarnation: [16]byte{0xaa, 15: 0xbb}, Version: 7})
	if err := w.Set([]byte("key1"), []byte("value")); err != nil {
		log.Fatal(err)
	}
	if err := w.Set([]byte("key2"), nil); err != nil {
		log.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		log.Fatal(err)
	}
	for _, piece := range []struct {
		name string
		size int
	}{
		{"header: magic", 8}, {"format", 4}, {"incarnation", 16}, {"version", 8}, {"previous", 32}, {"checksum", 4},
		{"data block: kind", 1}, {"length, plain", 4}, {"length, packed", 4}, {"checksum", 4}, {"packed: length", 1}, {"a literal of 16 bytes", 1},
		{"shared, rest, tag", 3}, {"key and value", 9}, {"shared, rest, tag", 3}, {"key", 1},
		{"index block: kind", 1}, {"length, plain", 4}, {"length, packed", 4}, {"checksum", 4}, {"packed: length", 1}, {"a literal of 10 bytes", 1},
		{"level", 1}, {"shared, rest", 2}, {"key", 4}, {"place, length, entries", 3},
		{"footer: kind", 1}, {"levels", 1}, {"place of the root", 8}, {"its length", 4}, {"entries", 8}, {"deleted", 8}, {"length of the file", 8},
		{"hash", 32}, {"checksum", 4}, {"magic", 8},
	} {
		fmt.Printf("%-22s % x\n", piece.name, file.Next(piece.size))
	}
	fmt.Println(file.Len(), "bytes are left")
	// Output:
	// header: magic          8b 6b 69 76 69 73 1a 0a
	// format                 00 00 00 01
	// incarnation            aa 00 00 00 00 00 00 00 00 00 00 00 00 00 00 bb
	// version                00 00 00 00 00 00 00 07
	// previous               00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	// checksum               d4 32 92 63
	// data block: kind       01
	// length, plain          00 00 00 10
	// length, packed         00 00 00 12
	// checksum               5c 82 c2 e5
	// packed: length         10
	// a literal of 16 bytes  3c
	// shared, rest, tag      00 04 15
	// key and value          6b 65 79 31 76 61 6c 75 65
	// shared, rest, tag      03 01 01
	// key                    32
	// index block: kind      02
	// length, plain          00 00 00 0a
	// length, packed         00 00 00 0c
	// checksum               4a 71 c2 3c
	// packed: length         0a
	// a literal of 10 bytes  24
	// level                  01
	// shared, rest           00 04
	// key                    6b 65 79 32
	// place, length, entries 48 1f 02
	// footer: kind           03
	// levels                 01
	// place of the root      00 00 00 00 00 00 00 67
	// its length             00 00 00 19
	// entries                00 00 00 00 00 00 00 02
	// deleted                00 00 00 00 00 00 00 00
	// length of the file     00 00 00 00 00 00 00 d2
	// hash                   23 26 01 3a 3b 50 d8 da e7 00 7f 2e 4a fc 46 0c 74 f6 de 34 0d 78 b6 c0 6f 6a 50 38 c5 87 48 d0
	// checksum               17 96 c4 8d
	// magic                  0a 1a 73 69 76 69 6b 8b
	// 0 bytes are left
}

package tables

import (
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// scratch is the memory that the calls of one transaction use over and over.
type scratch struct {
	key     []byte         // key of the record in hand: table prefix and tuple
	value   []byte         // value being written
	offs    []uint32       // where its columns start
	oldBody []byte         // an old body brought to the newest layout
	oldOffs []uint32       // where its columns start
	have    record.Entries // index entries of the old record
	want    record.Entries // index entries of the new record
	target  []byte         // key of a referred record
	holder  []byte         // value of a unique index entry
}

// maxScratch is how much of one buffer is kept for the next transaction.
const maxScratch = 64 << 10

// trim lets go of buffers that one large record has grown.
func (s *scratch) trim() {
	for _, b := range []*[]byte{&s.key, &s.value, &s.oldBody, &s.target, &s.holder} {
		if cap(*b) > maxScratch {
			*b = nil
		}
	}
	s.have.Trim(maxScratch)
	s.want.Trim(maxScratch)
}

// recordKey returns the store's key of the record of tb with the key tuple, in
// a buffer that the next recordKey reuses.
func (s *scratch) recordKey(tb *schema.Table, tuple []byte) []byte {
	s.key = append(append(s.key[:0], tb.Prefix(0)...), tuple...)
	return s.key
}

package tikvstore

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tikv/client-go/v2/oracle"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// What the log says was done to a key.
const (
	wasSet = iota
	wasDeleted
	wasCreated
)

// partSize is about how long a part of the log of one commit is.
const partSize = 1 << 20

// record is what the log has of a commit.
type record struct {
	version uint64
	id      [16]byte
	start   uint64 // a time at which the version before was the newest
	writes  []store.Write
}

// recordOf returns the record of a proposal.
func recordOf(version, start uint64, p *remote.Proposal) *record {
	r := &record{version: version, id: p.ID, start: start, writes: make([]store.Write, len(p.Changes))}
	for i, c := range p.Changes {
		r.writes[i] = store.Write{Key: c.Key, Deleted: c.Value == nil, Created: c.Created && c.Value != nil}
	}
	return r
}

// commit returns the record as the feed tells of it.
func (r *record) commit() store.Commit {
	return store.Commit{Version: r.version, Time: oracle.GetTimeFromTS(r.start), Writes: r.writes}
}

// headerSize is how long a record is before its writes: id, start and their number.
const headerSize = 16 + 8 + 4

// encode returns the record in parts. Each begins with how many there are; of a key
// there is only what differs from the one before.
func (r *record) encode() [][]byte {
	buf := append(make([]byte, 0, headerSize+32*len(r.writes)), r.id[:]...)
	buf = binary.BigEndian.AppendUint64(buf, r.start)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(r.writes)))
	var last []byte
	for _, w := range r.writes {
		n := shared(last, w.Key)
		buf = append(buf, done(w))
		buf = binary.AppendUvarint(buf, uint64(n))
		buf = binary.AppendUvarint(buf, uint64(len(w.Key)-n))
		buf = append(buf, w.Key[n:]...)
		last = w.Key
	}
	parts := make([][]byte, (len(buf)+partSize-1)/partSize)
	for i := range parts {
		n := min(len(buf), partSize)
		parts[i] = append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+n), uint32(len(parts))), buf[:n]...)
		buf = buf[n:]
	}
	return parts
}

// done returns what was done to a key.
func done(w store.Write) byte {
	switch {
	case w.Deleted:
		return wasDeleted
	case w.Created:
		return wasCreated
	}
	return wasSet
}

// shared returns how many bytes two keys begin with together.
func shared(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// decodeHeader reads the start of a record in its first part.
func decodeHeader(part []byte) (parts int, start uint64, err error) {
	if len(part) < 4+headerSize {
		return 0, 0, fmt.Errorf("tikvstore: a record of the log has %d bytes: %w", len(part), store.ErrCorrupt)
	}
	return int(binary.BigEndian.Uint32(part)), binary.BigEndian.Uint64(part[4+16:]), nil
}

// decode reads a record of all its parts, without what each begins with.
func decode(version uint64, body []byte) (*record, error) {
	damaged := func() error {
		return fmt.Errorf("tikvstore: the log of version %d is damaged: %w", version, store.ErrCorrupt)
	}
	if len(body) < headerSize {
		return nil, damaged()
	}
	r := &record{version: version, id: [16]byte(body), start: binary.BigEndian.Uint64(body[16:])}
	n := binary.BigEndian.Uint32(body[24:])
	body = body[headerSize:]
	var last []byte
	for ; n > 0 && len(body) > 0; n-- {
		w := store.Write{Deleted: body[0] == wasDeleted, Created: body[0] == wasCreated}
		same, a := binary.Uvarint(body[1:])
		if a <= 0 || same > uint64(len(last)) {
			return nil, damaged()
		}
		rest, b := binary.Uvarint(body[1+a:])
		if b <= 0 || rest > uint64(len(body)-1-a-b) {
			return nil, damaged()
		}
		body = body[1+a+b:]
		w.Key = append(append(make([]byte, 0, same+rest), last[:same]...), body[:rest]...)
		body, last = body[rest:], w.Key
		r.writes = append(r.writes, w)
	}
	if n > 0 || len(body) > 0 {
		return nil, damaged()
	}
	return r, nil
}

// between returns how much later than a time a of the cluster's b is.
func between(a, b uint64) time.Duration {
	return time.Duration(oracle.ExtractPhysical(b)-oracle.ExtractPhysical(a)) * time.Millisecond
}

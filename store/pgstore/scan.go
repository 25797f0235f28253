package pgstore

import (
	"bytes"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

const (
	// maxPage is how many bytes of values one scan returns, or one entry if that has more.
	maxPage = 4 << 20

	// sizedScans is how many scans add up the sizes of values after one has met a long value.
	sizedScans = 16
)

// below is the upper bound of a scan. A scan without one is another statement, so that
// the plan for both is one that is found in the index.
const below = "and e.key < $5"

// scansOf returns the statements of one kind of scan, in the order of statements.scan.
func scansOf(schema, state string, of func(entries, direction string) string) (list [2][2]string) {
	for k, bound := range []string{"", below} {
		where := "where e.key >= $2 " + bound + " and e.version <= $1"
		// A row without a key has the state, and comes first.
		head := "select null::bytea, " + state + " from @.head h union all "
		list[0][k] = in(schema, head+"("+of(ascending(where), "")+")")
		list[1][k] = in(schema, head+"("+of(descending(where), "desc")+")")
	}
	return list
}

// ascending has the first $3 entries, each in its newest version.
func ascending(where string) string {
	return `select f.key, f.value from (
			select distinct on (e.key) e.key, e.value from @.entries e ` + where + ` order by e.key, e.version desc
		) f where f.value is not null limit $3`
}

// descending is ascending from the end. The index read backwards has the newest version of
// a key last. In the order of ascending all the range would be read and sorted for a page, as it
// might without the limit that is none, for the server takes few rows for likely.
func descending(where string) string {
	return `select f.key, f.value from (
			select v.key, v.value, lead(v.key) over (order by v.key desc, v.version rows between current row and 1 following) as next
			from (
				select e.key, e.version, e.value from @.entries e ` + where + `
				order by e.key desc, e.version limit (select 9223372036854775807)
			) v
		) f where f.value is not null and f.key is distinct from f.next limit $3`
}

// scanOf is a scan that has no values of more than $4 bytes, but null.
func scanOf(entries, _ string) string {
	return "select p.key, case when octet_length(p.value) <= $4 then p.value end from (" + entries + ") p"
}

// sizedScanOf is a scan that ends with the value that brings it to $4 bytes. To add up the sizes
// takes the server as long as all else, so it is for what has long values.
func sizedScanOf(entries, direction string) string {
	return `select n.key, n.value from (
			select p.key, p.value, sum(octet_length(p.value)) over (order by p.key ` + direction + ` rows unbounded preceding) as size
			from (` + entries + `) p
		) n where n.size - octet_length(n.value) < $4`
}

// isEmpty says whether there is nothing to scan.
func isEmpty(r store.Range) bool { return r.Hi != nil && bytes.Compare(r.Lo, r.Hi) >= 0 }

// scan is remote.Backend's Scan. As long as no value is longer than limit of them may be for
// a page, no sizes need to be added up. The first that is ends a page, and begins the next.
func (s *server) scan(ctx context.Context, version uint64, r store.Range, limit int) ([]remote.Entry, bool, state, error) {
	switch {
	case r.KeysOnly:
		p, err := s.page(ctx, s.sql.scan, version, r, limit, -1)
		return p.entries, len(p.entries) == limit, p.state, err
	case s.sized.Load() <= 0: // less where several took the last ones at a time
		p, err := s.page(ctx, s.sql.scan, version, r, limit, maxPage/limit)
		if err != nil || !p.cut {
			return p.entries, len(p.entries) == limit, p.state, err
		}
		s.sized.Store(sizedScans)
		if len(p.entries) > 0 {
			return p.entries, true, p.state, nil
		}
	default:
		s.sized.Add(-1)
	}
	p, err := s.page(ctx, s.sql.sizedScan, version, r, limit, maxPage)
	return p.entries, len(p.entries) == limit || p.size >= maxPage, p.state, err
}

// page is what a scan returns.
type page struct {
	entries []remote.Entry
	size    int // of their values
	state   state
	cut     bool // there are more, the first of which has a value that was not sent

	keysOnly bool
	bytes    arena
}

// page makes one request. What most limits, see the statement.
func (s *server) page(ctx context.Context, statements [2][2]string, version uint64, r store.Range, limit, most int) (*page, error) {
	forward, args := statements[0], []any{version, present(r.Lo), limit, most}
	if r.Reverse {
		forward = statements[1]
	}
	statement := forward[0]
	if r.Hi != nil {
		statement, args = forward[1], append(args, r.Hi)
	}
	p := &page{entries: make([]remote.Entry, 0, limit), keysOnly: r.KeysOnly}
	rows, err := s.pool.Query(ctx, statement, args...)
	if err != nil {
		return p, err
	}
	var key, value column
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error { return p.add(key, value) })
	if err == nil {
		err = p.state.checkKept(version)
	}
	return p, err
}

// add takes in a row.
func (p *page) add(key, value column) error {
	switch {
	case key == nil:
		return p.state.parse(value)
	case value == nil && !p.keysOnly:
		p.cut = true
	}
	if !p.cut {
		p.entries = append(p.entries, remote.Entry{Key: p.bytes.copy(key), Value: p.bytes.copy(value)})
		p.size += len(value)
	}
	return nil
}

// column is a column of the row that was read last, in memory of the driver's; nil for null.
type column []byte

// ScanBytes implements pgtype.BytesScanner.
func (c *column) ScanBytes(b []byte) error {
	*c = b
	return nil
}

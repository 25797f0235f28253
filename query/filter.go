package query

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/codec"
)

// A test is a predicate made ready for the items of one access path.
type test struct {
	kind   nodeKind
	kids   []test
	not    bool
	of     source
	point  []byte // nodeSet of one value
	plain  []byte // the same, where a record's own bytes can be compared with it
	ranges []byteRange
	text   []byte
	fn     *Func
	ptr    bool // the part begins with a byte for nil
}

// tests makes predicates ready; entries says that entries are to decide them.
func (r *Rows) tests(a *accessPath, nodes []*node, entries bool) []test {
	if len(nodes) == 0 {
		return nil
	}
	out := make([]test, len(nodes))
	for i, n := range nodes {
		out[i] = r.test(a, n, entries)
	}
	return out
}

func (r *Rows) test(a *accessPath, n *node, entries bool) test {
	t := test{kind: n.kind, not: n.not, text: n.text, fn: n.fn}
	switch n.kind {
	case nodeAnd, nodeOr:
		t.kids = r.tests(a, n.kids, entries)
	case nodeNil:
		t.of = source{column: n.on.column, path: n.on.path, each: n.on.each}
		r.columns = max(r.columns, n.on.column+1)
	case nodeSet, nodeText:
		t.of, t.ptr = r.source(a, n.on, entries), n.on.key.Ptr
		if len(n.set) == 1 && n.set[0].point() {
			t.point = n.set[0].lo.v
			if text, ok := n.on.key.PlainText(t.point); ok && t.of.from == fromRecord && !t.of.each {
				t.plain = text
			}
		} else {
			t.ranges = n.set.ranges()
		}
	}
	return t
}

// matches reports whether all tests hold for the item. After a fault, which r
// keeps, it returns false.
func (r *Rows) matches(tests []test, it *item) bool {
	for i := range tests {
		if !r.holds(&tests[i], it) || r.err != nil {
			return false
		}
	}
	return true
}

func (r *Rows) holds(t *test, it *item) bool {
	switch t.kind {
	case nodeTrue:
		return true
	case nodeAnd:
		return r.matches(t.kids, it)
	case nodeOr:
		for i := range t.kids {
			if r.holds(&t.kids[i], it) {
				return true
			}
			if r.err != nil {
				return false
			}
		}
		return false
	case nodeSet, nodeText:
		if t.of.each && t.of.from == fromRecord {
			return r.anyElement(t, it) != t.not
		}
		if t.plain != nil {
			return r.isText(t, it) != t.not
		}
		var ok bool
		if r.buf, ok = r.append(r.buf[:0], &t.of, it); !ok {
			return false
		}
		return t.has(r.buf) != t.not
	case nodeNil:
		return r.isNil(t, it) != t.not
	case nodeFunc:
		return r.call(t.fn, it) != t.not
	}
	return false
}

// isNil reports whether what the item's record stores is nil, or one of the
// elements. After a fault the result means nothing.
func (r *Rows) isNil(t *test, it *item) bool {
	raw, ok := r.raw(&t.of, it)
	if !ok || !t.of.each {
		return ok && codec.IsNil(raw)
	}
	err := codec.ElementsAt(raw, t.of.path, func(elem []byte) error {
		if codec.IsNil(elem) {
			return errFound
		}
		return nil
	})
	if err != nil && err != errFound {
		r.damaged("", it.key, err)
	}
	return err == errFound
}

// isText reports whether the item's record has the test's text. After a fault
// the result means nothing.
func (r *Rows) isText(t *test, it *item) bool {
	raw, ok := r.raw(&t.of, it)
	if !ok {
		return false
	}
	is, err := codec.StringIs(raw, t.plain)
	if err != nil {
		r.damaged("", it.key, err)
	}
	return is
}

// has reports whether a part is what the test asks for.
func (t *test) has(part []byte) bool {
	switch {
	case t.kind == nodeText:
		if t.ptr {
			if part[0] == 0 {
				return false
			}
			part = part[1:]
		}
		return containsText(part[:len(part)-2], t.text)
	case t.point != nil:
		return bytes.Equal(part, t.point)
	}
	return within(t.ranges, part)
}

// containsText reports whether text is in s, both escaped as in key parts. A
// match must not begin with the escape of a zero byte.
func containsText(s, text []byte) bool {
	for from := 0; ; {
		i := bytes.Index(s[from:], text)
		if i < 0 {
			return false
		}
		i += from
		if i == 0 || s[i-1] != 0 || len(text) == 0 {
			return true
		}
		from = i + 1
	}
}

// errFound ends a walk over elements.
var errFound = errors.New("found")

// anyElement reports whether the test, its negation apart, holds for an
// element of the list.
func (r *Rows) anyElement(t *test, it *item) bool {
	raw, ok := r.raw(&t.of, it)
	if !ok {
		return false
	}
	if r.visit == nil {
		r.visit = func(elem []byte) (err error) {
			if r.buf, err = r.visited.of.key.Transcode(r.buf[:0], elem); err != nil {
				return err
			}
			if r.visited.has(r.buf) {
				return errFound
			}
			return nil
		}
	}
	r.visited = t
	err := codec.ElementsAt(raw, t.of.path, r.visit)
	if err == errFound {
		return true
	}
	if err != nil {
		r.damaged("", it.key, err)
	}
	return false
}

// call asks a predicate in Go. What it sees of the record stays valid.
func (r *Rows) call(fn *Func, it *item) bool {
	it.keep()
	if !r.open(it) {
		return false
	}
	r.asked = Row{Table: r.plan.table, Key: it.key, Body: it.body, Decoded: it.decoded}
	ok, err := fn.Match(&r.asked)
	it.decoded = r.asked.Decoded
	if err != nil {
		r.fail(err)
		return false
	}
	return ok
}

// A filter gives those items of a stream whose records pass.
type filter struct {
	r     *Rows
	in    stream
	tests []test
	first *firstTest
}

func (f *filter) next(it *item) bool {
	for f.in.next(it) {
		if f.r.matches(f.tests, it) && (f.first == nil || f.first.is(f.r, it)) {
			return f.r.err == nil
		}
		if f.r.err != nil {
			return false
		}
	}
	return false
}

func (f *filter) close() { f.in.close() }

// A firstTest passes a record, which has an entry for each of its elements in
// a set, at the first one only.
type firstTest struct {
	of     source
	ranges []byteRange
	last   bool // the entries come from the greatest element down
	desc   bool // the entry's part descends
	want   []byte
	part   []byte
}

func (r *Rows) firstTest(a *accessPath) *firstTest {
	if a.first == nil {
		return nil
	}
	f := &firstTest{of: r.source(a, a.first, false), ranges: a.set, desc: eachPart(a.c.index).Key.Desc}
	f.last = f.desc != a.match.reverse
	return f
}

// is reports whether no other element in the set comes before the item's.
func (f *firstTest) is(r *Rows, it *item) bool {
	raw, ok := r.raw(&f.of, it)
	if !ok {
		return false
	}
	f.want = appendPart(f.want[:0], it.elem, f.desc)
	err := codec.ElementsAt(raw, f.of.path, func(elem []byte) (err error) {
		if f.part, err = f.of.key.Transcode(f.part[:0], elem); err != nil {
			return err
		}
		c := bytes.Compare(f.part, f.want)
		if (c < 0 && !f.last || c > 0 && f.last) && within(f.ranges, f.part) {
			return errFound
		}
		return nil
	})
	if err != nil && err != errFound {
		r.damaged("", it.key, err)
	}
	return err == nil
}

package query

import (
	"bytes"
	"slices"

	"github.com/kivisdb/kivis/codec"
)

// A projector adds to the items of a stream the field that is wanted, after the
// group where there is one: key parts say themselves where they end.
type projector struct {
	r   *Rows
	in  stream
	of  []source
	buf []byte
}

// newProjector adds what entries have of a field or, where records have been
// fetched, what these have.
func (r *Rows) newProjector(in stream, a *accessPath, entries bool) stream {
	v := &projector{r: r, in: in}
	if r.plan.group != nil {
		v.of = append(v.of, r.source(a, r.plan.group, entries))
	}
	v.of = append(v.of, r.source(a, r.plan.value, entries))
	return v
}

func (v *projector) next(it *item) bool {
	if !v.in.next(it) {
		return false
	}
	ok := true
	v.buf = v.buf[:0]
	for i := range v.of {
		if v.buf, ok = v.r.append(v.buf, &v.of[i], it); !ok {
			return false
		}
	}
	it.part = v.buf
	return true
}

func (v *projector) close() { v.in.close() }

// divide makes the row's part group and part, where a group is wanted.
func (r *Rows) divide() bool {
	if r.plan.group == nil {
		return true
	}
	rest, err := r.plan.group.key.Skip(r.row.Part)
	if err != nil {
		r.damaged("", r.row.Key, err)
		return false
	}
	r.row.Group, r.row.Part = r.row.Part[:len(r.row.Part)-len(rest)], rest
	return true
}

// unwrap makes the row's part what the wanted pointer points to, if that is
// what is asked for, and its group likewise. It returns false for nil.
func (r *Rows) unwrap() (ok bool) {
	if r.row.Part, ok = pointedTo(r.row.Part, r.plan.inner); ok && r.plan.group != nil {
		r.row.Group, ok = pointedTo(r.row.Group, r.plan.within)
	}
	return ok
}

// pointedTo returns what follows the mark of a pointer that is not nil.
func pointedTo(part []byte, inner bool) ([]byte, bool) {
	switch {
	case !inner:
		return part, true
	case part[0] == 0:
		return part, false
	}
	return part[1:], true
}

// nextPart makes the next element's part, of those of the current record, the
// row's. It returns false where there is none.
func (r *Rows) nextPart() bool {
	for len(r.parts) > 0 {
		r.row.Part, r.row.Group, r.parts = r.parts[0], r.single, r.parts[1:]
		if r.group.each {
			r.row.Part, r.row.Group = r.row.Group, r.row.Part
		}
		if r.unwrap() {
			return true
		}
	}
	return false
}

// fillPart makes the wanted field of the item's record the row's part, and the
// group its group. Of elements each makes a row.
func (r *Rows) fillPart(it *item) (ok bool) {
	elements, single := &r.value, &r.group
	if r.group.each {
		elements, single = single, elements
	}
	if r.plan.group == nil {
		single = nil
	}
	if !elements.each {
		return r.fillParts(it)
	}
	if single != nil {
		if r.single, ok = r.append(r.single[:0], single, it); !ok {
			return false
		}
	}
	return r.fillElements(it, elements) && r.nextPart()
}

// fillParts is fillPart where neither field is one of elements.
func (r *Rows) fillParts(it *item) (ok bool) {
	r.buf = r.buf[:0]
	if r.plan.group != nil {
		if r.buf, ok = r.append(r.buf, &r.group, it); !ok {
			return false
		}
	}
	n := len(r.buf)
	r.buf, ok = r.append(r.buf, &r.value, it)
	r.row.Group, r.row.Part = r.buf[:n], r.buf[n:]
	return ok && r.unwrap()
}

// fillElements sets r.parts to the elements of the item's record, each once.
func (r *Rows) fillElements(it *item, elements *source) bool {
	raw, ok := r.raw(elements, it)
	if !ok {
		return false
	}
	r.parts = nil
	err := codec.ElementsAt(raw, elements.path, func(elem []byte) error {
		part, err := elements.key.Transcode(nil, elem)
		r.parts = append(r.parts, part)
		return err
	})
	if err != nil {
		r.damaged("", it.key, err)
		return false
	}
	slices.SortFunc(r.parts, bytes.Compare)
	r.parts = slices.CompactFunc(r.parts, bytes.Equal)
	return true
}

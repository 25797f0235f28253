package schema

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/codec"
)

// Action is what happens to referring records when their target goes.
type Action uint8

// The actions. Their numbers are on disk, in the catalog.
const (
	Restrict Action = iota // the target may not be deleted
	Cascade                // they are deleted too
	SetNull                // their reference is set to nothing
	NoAction               // they are left as they are
)

var actionNames = []string{"restrict", "cascade", "setnull", "noaction"}

// String returns the action as tags write it.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "unknown"
}

// A Ref is one reference: parts of one table's records that are the primary
// key of a record in another table, or in the same one.
type Ref struct {
	Name     string // the stored names of the referring fields, joined by commas
	Table    *Table // that refers
	Target   *Table // that is referred to
	Parts    []Part // the referring fields in the order of the target's key, each encoded as there
	Optional bool   // a zero part refers to nothing; a nil pointer does so anyway
	Deferred bool   // it is checked when the outermost transaction commits
	OnDelete Action
	Index    *Index // its first parts are the fields of Parts; nil for NoAction
	Nulls    []int  // which Parts SetNull sets to nil or zero

	zeros [][]byte // the parts of a zero value
}

// newRef returns the reference that an entry of t describes.
func newRef(t, target *Table, e *RefEntry) (*Ref, error) {
	r := &Ref{Table: t, Target: target, Optional: e.Optional, Deferred: e.Deferred, OnDelete: e.OnDelete, Parts: findParts(e.Parts, t.Layout)}
	r.Name = partNames(r.Parts)
	if e.Index != 0 {
		r.Index = t.IndexByID(e.Index)
	}
	if len(r.Parts) == 1 && len(target.Key.Parts) > 1 {
		r.Parts[0].Key = target.Key.Tuple
	} else if len(r.Parts) != len(target.Key.Parts) {
		return nil, fmt.Errorf("%w: a reference of %d fields to a key of %d", codec.ErrCorrupt, len(r.Parts), len(target.Key.Parts))
	} else {
		for i := range r.Parts {
			r.Parts[i].Key = target.Key.Parts[i].Key
		}
	}
	for i := range r.Parts {
		r.zeros = append(r.zeros, r.Parts[i].Key.AppendZero(nil))
	}
	if r.OnDelete == SetNull {
		r.bindNulls()
	}
	return r, nil
}

// bindNulls finds the parts to be set to nothing.
func (r *Ref) bindNulls() {
	pointer := make([]bool, len(r.Parts))
	for i := range r.Parts {
		pointer[i] = r.Table.Columns[r.Parts[i].Column].Type.Kind == codec.Pointer
	}
	r.Nulls = nullParts(r.Parts, pointer, func(p Part) bool { return slices.ContainsFunc(r.Table.Key.Parts, p.sameField) })
}

// nullParts returns which parts of a reference are set to nothing when the
// target goes: the pointers, or else the last that is not in the primary key.
// One part is enough for the reference to refer to nothing, and those before
// it are often shared, as a tenant is.
func nullParts(parts []Part, pointer []bool, inKey func(Part) bool) (nulls []int) {
	for i := range parts {
		if pointer[i] {
			nulls = append(nulls, i)
		}
	}
	for i := len(parts) - 1; i >= 0 && len(nulls) == 0; i-- {
		if !inKey(parts[i]) {
			nulls = append(nulls, i)
		}
	}
	return nulls
}

// AppendTarget appends the key tuple of the record that r refers to. The
// function part returns the msgpack value of r.Parts[i] in the referring
// record. null reports that the record refers to nothing; then dst comes back
// as it was.
func (r *Ref) AppendTarget(dst []byte, part func(i int) (value []byte, err error)) (tuple []byte, null bool, err error) {
	start := len(dst)
	for i := range r.Parts {
		value, err := part(i)
		if err == nil && codec.IsNil(value) {
			return dst[:start], true, nil
		}
		from := len(dst)
		if err == nil {
			dst, err = r.Parts[i].Key.Transcode(dst, value)
		}
		if err != nil {
			return dst[:start], false, fmt.Errorf("reference %s: %w", r.Name, err)
		}
		if r.Optional && bytes.Equal(dst[from:], r.zeros[i]) {
			return dst[:start], true, nil
		}
	}
	return dst, false, nil
}

// AppendIndexPrefix appends what the tuples begin with, in r.Index, of the
// records that refer to the record with the key tuple targetKey.
func (r *Ref) AppendIndexPrefix(dst []byte, targetKey []byte) ([]byte, error) {
	start := len(dst)
	for i := range r.Parts {
		rest, err := r.Parts[i].Key.Skip(targetKey)
		if err != nil {
			return dst[:start], fmt.Errorf("reference %s: %w", r.Name, err)
		}
		if dst, err = r.appendIndexPart(dst, i, targetKey[:len(targetKey)-len(rest)]); err != nil {
			return dst[:start], fmt.Errorf("reference %s: %w", r.Name, err)
		}
		targetKey = rest
	}
	return dst, nil
}

// appendIndexPart appends one part of a target's key as r.Index has it.
func (r *Ref) appendIndexPart(dst []byte, i int, part []byte) ([]byte, error) {
	to, in := &r.Parts[i].Key, &r.Index.Parts[i].Key
	if to.Equal(*in) {
		return append(dst, part...), nil
	}
	exact, err := to.AppendExact(nil, part)
	if err != nil {
		return dst, err
	}
	if to.Ptr {
		return in.AppendLiteral(dst, exact)
	}
	return in.AppendDeref(dst, exact)
}

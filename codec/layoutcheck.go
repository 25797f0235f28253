package codec

import (
	"fmt"
	"math"
)

// Limits of what a layout may be. They are far from what a program has, and
// close enough that work on a layout from a damaged catalog ends.
const (
	maxTypeDepth = 100     // types inside each other, without structs
	maxZeroSize  = 1 << 28 // bytes of the least value of a type
)

// check reports the first thing in l that no [Describe] would give. What passes
// is safe to compile: its types are complete and end.
func (l *Layout) check() error {
	c := checker{layout: l, sizes: make([]int, len(l.Structs))}
	if err := c.fields(l.Fields); err != nil {
		return err
	}
	for i, fields := range l.Structs {
		if err := c.fields(fields); err != nil {
			return at(fmt.Sprintf("struct %d", i), err)
		}
	}
	for i := range l.Structs {
		if _, err := c.structSize(i, 0); err != nil {
			return err
		}
	}
	_, err := c.sumSizes(l.Fields, 0)
	return err
}

type checker struct {
	layout *Layout
	sizes  []int // of structs; 0 where not known yet, measuring while it is found out
}

const measuring = -1

func (c *checker) fields(fields []Field) error {
	names, ids := map[string]bool{}, map[uint32]bool{}
	for i := range fields {
		f := &fields[i]
		switch {
		case names[f.Name]:
			return at(f.Name, fmt.Errorf("%w: two fields have the name", ErrCorrupt))
		case f.ID != 0 && ids[f.ID]:
			return at(f.Name, fmt.Errorf("%w: two fields have the id %d", ErrCorrupt, f.ID))
		}
		names[f.Name], ids[f.ID] = true, true
		if err := c.check(&f.Type, 0); err != nil {
			return at(f.Name, err)
		}
	}
	return nil
}

func (c *checker) check(t *Type, depth int) error {
	if t == nil || depth > maxTypeDepth || !t.wellFormed(len(c.layout.Structs)) {
		return fmt.Errorf("%w: not a stored type: %s", ErrCorrupt, t.text())
	}
	if t.Kind == Map {
		if err := c.check(t.Key, depth+1); err != nil {
			return err
		}
	}
	if t.Elem == nil {
		return nil
	}
	return c.check(t.Elem, depth+1)
}

// wellFormed reports whether t has what its kind needs and nothing else,
// leaving aside the types inside it, where there are so many structs.
func (t *Type) wellFormed(structs int) bool {
	ok := t.Kind > Invalid && t.Kind <= JSON && t.Len >= 0 && (t.Struct == 0 || t.Kind == Struct)
	ok = ok && (t.Len == 0 || t.Kind == ByteArray || t.Kind == Array)
	ok = ok && (t.Elem != nil) == (t.Kind == Pointer || t.Kind == Slice || t.Kind == Array || t.Kind == Map)
	ok = ok && (t.Key != nil) == (t.Kind == Map)
	ok = ok && (t.Name == "" || t.Kind == Binary || t.Kind == Text || t.Kind == Custom || t.Kind == JSON)
	switch t.Kind {
	case Int, Uint:
		return ok && (t.Bits == 8 || t.Bits == 16 || t.Bits == 32 || t.Bits == 64)
	case Float:
		return ok && (t.Bits == 32 || t.Bits == 64)
	case Pointer:
		ok = ok && t.Elem.Kind != Pointer && t.Elem.Kind != Any
	case Map:
		ok = ok && t.Key.isMapKey()
	case Struct:
		ok = ok && t.Struct >= 0 && t.Struct < structs
	}
	return ok && t.Bits == 0
}

// size returns how many bytes the shortest value of t takes, with the structs
// around it so many deep. It is an error where t contains itself, or is huge.
func (c *checker) size(t *Type, depth int) (int, error) {
	switch t.Kind {
	case Float:
		return 1 + int(t.Bits)/8, nil
	case ByteArray:
		return 2 + t.Len, c.bounded(2 + t.Len)
	case Bytes, Time:
		return 1, nil
	case Array:
		n, err := c.size(t.Elem, depth)
		if err == nil {
			err = c.bounded(min(t.Len, math.MaxInt/n) * n)
		}
		return 1 + t.Len*n, err
	case Struct:
		return c.structSize(t.Struct, depth)
	}
	return 1, nil
}

func (c *checker) structSize(i, depth int) (int, error) {
	if c.sizes[i] == measuring || depth > maxDepth {
		return 0, fmt.Errorf("%w: struct %d contains itself", ErrCorrupt, i)
	}
	if c.sizes[i] == 0 {
		c.sizes[i] = measuring
		n, err := c.sumSizes(c.layout.Structs[i], depth+1)
		if err != nil {
			return 0, err
		}
		c.sizes[i] = 1 + n
	}
	return c.sizes[i], nil
}

func (c *checker) sumSizes(fields []Field, depth int) (int, error) {
	sum := 0
	for i := range fields {
		n, err := c.size(&fields[i].Type, depth)
		if err == nil {
			sum += n
			err = c.bounded(sum)
		}
		if err != nil {
			return 0, at(fields[i].Name, err)
		}
	}
	return sum, nil
}

func (c *checker) bounded(n int) error {
	if n < 0 || n > maxZeroSize {
		return fmt.Errorf("%w: a value of no less than %d bytes", ErrCorrupt, n)
	}
	return nil
}

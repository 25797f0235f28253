package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
)

// Each value of the catalog ends in a CRC-32C of what is before it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

func seal(b []byte) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func unseal(b []byte) ([]byte, error) {
	n := len(b) - sumSize
	if n < 0 || binary.BigEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli) {
		return nil, fmt.Errorf("schema: catalog: %w: wrong checksum", codec.ErrCorrupt)
	}
	return b[:n], nil
}

// EncodeHeader returns what a database stores of a catalog apart from its
// entries. Every release can read it, so as to know the format of the rest.
func EncodeHeader(c *Catalog) []byte {
	b := msgpack.AppendMapLen(nil, 3)
	b = msgpack.AppendUint(msgpack.AppendString(b, "format"), uint64(c.Format))
	b = msgpack.AppendUint(msgpack.AppendString(b, "version"), c.Version)
	b = msgpack.AppendUint(msgpack.AppendString(b, "next"), uint64(c.NextTable))
	return seal(b)
}

// DecodeHeader returns the catalog that [EncodeHeader] encoded, without
// entries. A newer format is [ErrNewerFormat]; other errors match
// [codec.ErrCorrupt].
func DecodeHeader(b []byte) (*Catalog, error) {
	b, err := unseal(b)
	if err != nil {
		return nil, err
	}
	c := &Catalog{Entries: make(map[uint32]*Entry)}
	r := &wireReader{b: b}
	r.each(func(name string) bool {
		switch name {
		case "format":
			if c.Format = r.number(); c.Format > Format {
				r.err = fmt.Errorf("%w: format %d, and this one knows up to %d", ErrNewerFormat, c.Format, Format)
			}
		case "version":
			c.Version = r.number64()
		case "next":
			c.NextTable = r.number()
		default:
			return false
		}
		return true
	})
	if r.err == nil && (c.Format == 0 || c.NextTable == 0 || len(r.b) > 0) {
		r.fail("it is not whole")
	}
	if err := r.end("header"); err != nil {
		return nil, err
	}
	return c, nil
}

// end returns the reader's error, for something in the catalog.
func (r *wireReader) end(what string) error {
	if r.err == nil || errors.Is(r.err, ErrNewerFormat) {
		return r.err
	}
	return fmt.Errorf("schema: catalog: %s: %w", what, r.err)
}

// Encode returns what the catalog stores about the table.
func (e *Entry) Encode() []byte {
	n := 10
	if e.Validates {
		n++
	}
	if len(e.Was) > 0 {
		n++
	}
	if len(e.Stages) > 0 {
		n++
	}
	if e.Moving != 0 {
		n++
	}
	b := msgpack.AppendMapLen(nil, n)
	b = msgpack.AppendUint(msgpack.AppendString(b, "id"), uint64(e.ID))
	b = msgpack.AppendString(msgpack.AppendString(b, "name"), e.Name)
	b = msgpack.AppendUint(msgpack.AppendString(b, "nextField"), uint64(e.NextField))
	b = msgpack.AppendUint(msgpack.AppendString(b, "nextIndex"), uint64(e.NextIndex))
	b = msgpack.AppendArrayLen(msgpack.AppendString(b, "versions"), len(e.Versions))
	for _, v := range e.Versions {
		b = msgpack.AppendUint(msgpack.AppendString(msgpack.AppendMapLen(b, 3), "number"), uint64(v.Number))
		b = msgpack.AppendBool(msgpack.AppendString(b, "undone"), v.Undone)
		b = codec.AppendLayout(msgpack.AppendString(b, "layout"), v.Layout)
	}
	b = msgpack.AppendUint(msgpack.AppendString(b, "keyKind"), uint64(e.Key.Kind))
	b = appendParts(msgpack.AppendString(b, "key"), e.Key.Parts)
	b = msgpack.AppendArrayLen(msgpack.AppendString(b, "indexes"), len(e.Indexes))
	for i := range e.Indexes {
		b = e.Indexes[i].append(b)
	}
	b = msgpack.AppendArrayLen(msgpack.AppendString(b, "refs"), len(e.Refs))
	for i := range e.Refs {
		b = e.Refs[i].append(b)
	}
	b = appendNumbers(msgpack.AppendString(b, "dropping"), e.Dropping)
	if e.Validates {
		b = msgpack.AppendBool(msgpack.AppendString(b, "validates"), true)
	}
	if len(e.Was) > 0 {
		b = msgpack.AppendArrayLen(msgpack.AppendString(b, "was"), len(e.Was))
		for _, name := range e.Was {
			b = msgpack.AppendString(b, name)
		}
	}
	if len(e.Stages) > 0 {
		b = appendNumbers(msgpack.AppendString(b, "stages"), e.Stages)
	}
	if e.Moving != 0 {
		b = msgpack.AppendUint(msgpack.AppendString(b, "moving"), uint64(e.Moving))
	}
	return seal(b)
}

func (x *IndexEntry) append(b []byte) []byte {
	b = msgpack.AppendMapLen(b, 6)
	b = msgpack.AppendUint(msgpack.AppendString(b, "id"), uint64(x.ID))
	b = msgpack.AppendString(msgpack.AppendString(b, "name"), x.Name)
	b = msgpack.AppendBool(msgpack.AppendString(b, "unique"), x.Unique)
	b = msgpack.AppendBool(msgpack.AppendString(b, "ref"), x.Ref)
	b = msgpack.AppendUint(msgpack.AppendString(b, "state"), uint64(x.State))
	return appendParts(msgpack.AppendString(b, "parts"), x.Parts)
}

func (r *RefEntry) append(b []byte) []byte {
	if r.Deferred {
		b = msgpack.AppendMapLen(b, 6)
		b = msgpack.AppendBool(msgpack.AppendString(b, "deferred"), true)
	} else {
		b = msgpack.AppendMapLen(b, 5)
	}
	b = msgpack.AppendUint(msgpack.AppendString(b, "target"), uint64(r.Target))
	b = msgpack.AppendBool(msgpack.AppendString(b, "optional"), r.Optional)
	b = msgpack.AppendUint(msgpack.AppendString(b, "onDelete"), uint64(r.OnDelete))
	b = msgpack.AppendUint(msgpack.AppendString(b, "index"), uint64(r.Index))
	return appendParts(msgpack.AppendString(b, "parts"), r.Parts)
}

func appendParts(b []byte, parts []PartEntry) []byte {
	b = msgpack.AppendArrayLen(b, len(parts))
	for i := range parts {
		p := &parts[i]
		n := 5
		if p.NilEqual {
			n++
		}
		b = msgpack.AppendMapLen(b, n)
		b = appendNumbers(msgpack.AppendString(b, "fields"), p.Fields)
		b = appendNumbers(msgpack.AppendString(b, "inner"), p.Inner)
		b = msgpack.AppendString(msgpack.AppendString(b, "name"), p.Name)
		b = msgpack.AppendBool(msgpack.AppendString(b, "each"), p.Each)
		b = codec.AppendKeyType(msgpack.AppendString(b, "type"), p.Key)
		if p.NilEqual {
			b = msgpack.AppendBool(msgpack.AppendString(b, "nilEqual"), true)
		}
	}
	return b
}

func appendNumbers(b []byte, list []uint32) []byte {
	b = msgpack.AppendArrayLen(b, len(list))
	for _, v := range list {
		b = msgpack.AppendUint(b, uint64(v))
	}
	return b
}

// DecodeEntry returns the entry that [Entry.Encode] encoded. Errors match
// [codec.ErrCorrupt].
func DecodeEntry(b []byte) (*Entry, error) {
	b, err := unseal(b)
	if err != nil {
		return nil, err
	}
	return decodeEntry(b)
}

// decodeEntry is DecodeEntry without the checksum.
func decodeEntry(b []byte) (*Entry, error) {
	e := &Entry{}
	r := &wireReader{b: b}
	r.each(func(name string) bool { return r.entry(name, e) })
	if len(r.b) > 0 {
		r.fail("%d bytes after an entry", len(r.b))
	}
	if r.err == nil {
		r.err = e.check()
	}
	if err := r.end("table " + e.Name); err != nil {
		return nil, err
	}
	return e, nil
}

// entry takes what an entry stores under a name.
func (r *wireReader) entry(name string, e *Entry) bool {
	switch name {
	case "id":
		e.ID = r.number()
	case "name":
		e.Name = r.text()
	case "nextField":
		e.NextField = r.number()
	case "nextIndex":
		e.NextIndex = r.number()
	case "versions":
		r.list(func() { e.Versions = append(e.Versions, r.version()) })
	case "keyKind":
		e.Key.Kind = KeyKind(r.enum(len(keyKindNames)))
	case "key":
		e.Key.Parts = r.parts()
	case "indexes":
		r.list(func() { e.Indexes = append(e.Indexes, r.index()) })
	case "refs":
		r.list(func() { e.Refs = append(e.Refs, r.ref()) })
	case "dropping":
		e.Dropping = r.numbers()
	case "was":
		r.list(func() { e.Was = append(e.Was, r.text()) })
	case "stages":
		e.Stages = r.numbers()
	case "moving":
		e.Moving = r.number()
	case "validates":
		e.Validates = r.bool()
	default:
		return false
	}
	return true
}

// enum takes a number below limit.
func (r *wireReader) enum(limit int) uint8 {
	v := r.number()
	if v >= uint32(limit) {
		r.fail("the number %d is not among %d", v, limit)
		return 0
	}
	return uint8(v)
}

func (r *wireReader) version() (v Version) {
	r.each(func(name string) bool {
		switch name {
		case "number":
			v.Number = r.number()
		case "layout":
			v.Layout = wireValue(r, codec.ConsumeLayout)
		case "undone":
			v.Undone = r.bool()
		default:
			return false
		}
		return true
	})
	return v
}

func (r *wireReader) index() (x IndexEntry) {
	r.each(func(name string) bool {
		switch name {
		case "id":
			x.ID = r.number()
		case "name":
			x.Name = r.text()
		case "unique":
			x.Unique = r.bool()
		case "ref":
			x.Ref = r.bool()
		case "state":
			x.State = IndexState(r.enum(int(Building) + 1))
		case "parts":
			x.Parts = r.parts()
		default:
			return false
		}
		return true
	})
	return x
}

func (r *wireReader) ref() (x RefEntry) {
	r.each(func(name string) bool {
		switch name {
		case "target":
			x.Target = r.number()
		case "optional":
			x.Optional = r.bool()
		case "deferred":
			x.Deferred = r.bool()
		case "onDelete":
			x.OnDelete = Action(r.enum(len(actionNames)))
		case "index":
			x.Index = r.number()
		case "parts":
			x.Parts = r.parts()
		default:
			return false
		}
		return true
	})
	return x
}

func (r *wireReader) parts() (list []PartEntry) {
	r.list(func() {
		var p PartEntry
		r.each(func(name string) bool {
			switch name {
			case "fields":
				p.Fields = r.numbers()
			case "inner":
				p.Inner = r.numbers()
			case "name":
				p.Name = r.text()
			case "each":
				p.Each = r.bool()
			case "nilEqual":
				p.NilEqual = r.bool()
			case "type":
				p.Key = wireValue(r, codec.ConsumeKeyType)
			default:
				return false
			}
			return true
		})
		list = append(list, p)
	})
	return list
}

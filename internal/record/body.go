package record

import (
	"bytes"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/schema"
)

// A Body is a record's encoded columns in its table's newest layout, and where
// each starts. The zero Body is that of no record.
type Body struct {
	Bytes []byte
	Offs  []uint32 // one for each column, and the end
}

// Column returns the encoded value of column i, a part of the body.
func (b Body) Column(i int) []byte { return b.Bytes[b.Offs[i]:b.Offs[i+1]] }

// IsNil reports whether the value of column i is nil.
func (b Body) IsNil(i int) bool { return codec.IsNil(b.Column(i)) }

// Part returns the encoded value of one key or index part.
func (b Body) Part(p *schema.Part) ([]byte, error) {
	v := b.Column(p.Column)
	if len(p.Path) == 0 {
		return v, nil
	}
	return codec.Select(v, p.Path)
}

// Zero returns the encoded zero value of column i of the table.
func Zero(tb *schema.Table, i int) []byte {
	return codec.AppendZero(nil, tb.Columns[i].Type, tb.Layout)
}

// Same reports whether the columns under the parts are the same in a and b,
// byte for byte.
func Same(a, b Body, parts []schema.Part) bool {
	for i := range parts {
		c := parts[i].Column
		if !bytes.Equal(a.Column(c), b.Column(c)) {
			return false
		}
	}
	return true
}

// OpenBytes checks the value that is stored under the key tuple and returns its
// body in the table's newest layout. The body is part of value, or of grown,
// which is buf or what buf has grown to. The error is a [CorruptError].
func OpenBytes(tb *schema.Table, tuple, value, buf []byte) (body, grown []byte, err error) {
	version, body, err := codec.Open(value, tb.ID, tuple)
	return newest(tb, tuple, version, body, buf, err)
}

// OpenSealed is [OpenBytes] of a value that is known to be as it was sealed, see
// [store.Sealer].
func OpenSealed(tb *schema.Table, tuple, value, buf []byte) (body, grown []byte, err error) {
	version, body, err := codec.OpenSealed(value)
	return newest(tb, tuple, version, body, buf, err)
}

// newest brings a body of a version into the newest layout, unless there is an
// error.
func newest(tb *schema.Table, tuple []byte, version uint32, body, buf []byte, err error) ([]byte, []byte, error) {
	if err == nil && version != tb.Version {
		var conv schema.Converter
		if conv, err = tb.Converter(version); err == nil {
			buf, err = conv.Convert(buf[:0], body)
			body = buf
		}
	}
	if err != nil {
		return nil, buf, Corrupt(tb, tuple, err)
	}
	return body, buf, nil
}

// OpenIndexed is [Open] for the body that the record's index entries are of. It
// differs where stale is true: the record is read through a function, and has
// not been written since. Of a value that has been opened already the checksum is not
// looked at again.
func OpenIndexed(tb *schema.Table, tuple, value, buf []byte, offs []uint32, opened bool) (b Body, grown []byte, stale bool, err error) {
	var version uint32
	if opened {
		version, b.Bytes, err = codec.OpenSealed(value)
	} else {
		version, b.Bytes, err = codec.Open(value, tb.ID, tuple)
	}
	if stale = err == nil && tb.Stale(version); stale {
		b.Bytes, buf, err = unmigrated(tb, version, b.Bytes, buf)
	} else {
		b.Bytes, buf, err = newest(tb, tuple, version, b.Bytes, buf, err)
	}
	if err == nil {
		b.Offs, err = codec.Split(b.Bytes, len(tb.Columns), offs[:0])
	}
	return b, buf, stale, Corrupt(tb, tuple, err)
}

// unmigrated brings a body of a stale version into the newest layout, without the
// functions of a migration.
func unmigrated(tb *schema.Table, version uint32, body, buf []byte) (converted, grown []byte, err error) {
	conv, err := tb.PlainConverter(version)
	if err == nil {
		buf, err = conv.Convert(buf[:0], body)
	}
	return buf, buf, err
}

// IsCurrent reports whether a stored value is of the table's newest version.
func IsCurrent(tb *schema.Table, tuple, value []byte) (bool, error) {
	version, _, err := codec.Open(value, tb.ID, tuple)
	return version == tb.Version, Corrupt(tb, tuple, err)
}

// IsStale reports whether a stored value is read through a function.
func IsStale(tb *schema.Table, tuple, value []byte) bool {
	version, _, err := codec.Open(value, tb.ID, tuple)
	return err == nil && tb.Stale(version)
}

// Open is [OpenBytes], and finds the columns too. The offsets are in the memory
// of offs, where that is large enough.
func Open(tb *schema.Table, tuple, value, buf []byte, offs []uint32) (b Body, grown []byte, err error) {
	b.Bytes, grown, err = OpenBytes(tb, tuple, value, buf)
	if err != nil {
		return b, grown, err
	}
	if b.Offs, err = codec.Split(b.Bytes, len(tb.Columns), offs[:0]); err != nil {
		return b, grown, Corrupt(tb, tuple, err)
	}
	return b, grown, nil
}

// Splice replaces the value of column i in the body that begins at start in dst
// and has the offsets offs, which it brings up to date. It returns dst, whose
// memory may have moved.
func Splice(dst []byte, start int, offs []uint32, i int, value []byte) []byte {
	from, to := start+int(offs[i]), start+int(offs[i+1])
	grow := len(value) - (to - from)
	end := len(dst)
	if grow > 0 {
		dst = append(dst, value[:grow]...) // any bytes: room, which the next line fills
	}
	copy(dst[to+grow:], dst[to:end])
	copy(dst[from:], value)
	for j := i + 1; j < len(offs); j++ {
		offs[j] += uint32(grow)
	}
	return dst[:end+grow]
}

// Struct returns the value of a nested struct whose fields have the values.
func Struct(values [][]byte) []byte {
	return append(msgpack.AppendArrayLen(nil, len(values)), bytes.Join(values, nil)...)
}

package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// ErrCorrupt is matched by every error about stored bytes that are not what an
// encoder of this package writes.
var ErrCorrupt = msgpack.ErrCorrupt

// maxDepth is how many structs may be inside each other, and how many arrays
// and maps inside a value of type any.
const maxDepth = 1000

// A value may be too deep when it is written, and bytes when they are read.
var (
	errCycle = fmt.Errorf("values inside each other more than %d deep: does a pointer lead back to where it is?", maxDepth)
	errDeep  = fmt.Errorf("%w: values inside each other more than %d deep", ErrCorrupt, maxDepth)
)

var errTrailing = fmt.Errorf("%w: bytes after the last field", ErrCorrupt)

// An Error is a value that cannot be encoded or decoded, or a type that cannot
// be compiled.
type Error struct {
	Op     string       // describe, compile, encode or decode
	Type   reflect.Type // the Go type of the record; nil where none takes part
	Path   string       // from the record to the value at fault: "Address.Lines[2]"
	Offset int          // into the body, where Op is decode
	Err    error
}

// Error names the value and says what is wrong with it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("codec: ")
	b.WriteString(e.Op)
	switch {
	case e.Type == nil:
	case e.Type.Name() == "":
		b.WriteString(" " + e.Type.String()) // it has no name to find it by but its fields
	default:
		b.WriteString(" " + reflectx.TypeName(e.Type))
	}
	if e.Path != "" {
		fmt.Fprintf(&b, ": %s", e.Path)
	}
	if e.Op == opDecode {
		fmt.Fprintf(&b, " at byte %d", e.Offset)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns what is wrong, without the place.
func (e *Error) Unwrap() error { return e.Err }

// The operations of an [Error].
const (
	opDescribe = "describe"
	opCompile  = "compile"
	opEncode   = "encode"
	opDecode   = "decode"
)

// A located is an error on its way up to the call that makes an [Error] of it:
// each level adds its step to the path.
type located struct {
	path string
	err  error
}

func (l *located) Error() string { return l.path + ": " + l.err.Error() }

func (l *located) Unwrap() error { return l.err }

// at returns err as one that happened inside step: a field name or an index in
// brackets.
func at(step string, err error) error {
	l, ok := err.(*located)
	if !ok {
		return &located{step, err}
	}
	l.path = joinPath(step, l.path)
	return l
}

func atIndex(i int, err error) error { return at(fmt.Sprintf("[%d]", i), err) }

func joinPath(outer, inner string) string {
	if outer == "" || inner == "" || inner[0] == '[' {
		return outer + inner
	}
	return outer + "." + inner
}

// errorOf makes the error that a caller gets from err.
func errorOf(op string, t reflect.Type, offset int, err error) error {
	e := &Error{Op: op, Type: t, Offset: offset, Err: err}
	if l, ok := err.(*located); ok {
		e.Path, e.Err = cutText(l.path, maxPath), l.err
	}
	if op == opEncode && errors.Is(e.Err, ErrCorrupt) {
		e.Err = errors.New(e.Err.Error()) // what cannot be written is not damaged, whatever a type's own method says
	}
	return e
}

// maxPath bounds the path in an [Error], in bytes. Values inside each other a
// thousand deep have long ones, and so have long keys of maps.
const maxPath = 200

// cutText returns s, or where it is longer than limit bytes its two ends.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	half := (limit - 3) / 2
	return strings.ToValidUTF8(s[:half], "") + "..." + strings.ToValidUTF8(s[len(s)-half:], "")
}

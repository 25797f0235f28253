package record

import (
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/schema"
)

// A Ref names one record: its table and its key tuple.
type Ref struct {
	Table *schema.Table
	Tuple []byte
}

// RefTo returns a Ref with a copy of the tuple.
func RefTo(tb *schema.Table, tuple []byte) *Ref {
	return &Ref{tb, append([]byte(nil), tuple...)}
}

// maxText bounds how much of a key its text shows, in bytes.
const maxText = 200

// String returns the key in the user's terms, cut where it is long.
func (r *Ref) String() string {
	if r == nil {
		return "?"
	}
	typ := &r.Table.Key.Tuple
	if len(typ.Parts) == 1 {
		typ = &typ.Parts[0]
	}
	text, _, err := typ.Format(r.Tuple)
	if err != nil {
		text = fmt.Sprintf("%x", r.Tuple)
	}
	if len(text) > maxText {
		text = fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(text[:maxText], ""), len(r.Tuple))
	}
	return text
}

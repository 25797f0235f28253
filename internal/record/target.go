package record

import "github.com/kivisdb/kivis/schema"

// Target appends the key tuple of the record that b refers to through r, and
// reports whether it refers to nothing instead; then dst comes back as it was.
func (b Body) Target(dst []byte, r *schema.Ref) (tuple []byte, null bool, err error) {
	return r.AppendTarget(dst, func(i int) ([]byte, error) { return b.Part(&r.Parts[i]) })
}

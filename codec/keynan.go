package codec

import "encoding/binary"

// RefuseNaN returns an error if there is a NaN in part, a part of type k: it
// has a place in the order of an index, but no place in a primary key, where
// it would not be found by comparing with ==. Types without floats cost a look
// at the kind.
func (k *KeyType) RefuseNaN(part []byte) error {
	if !k.hasFloats() {
		return nil
	}
	_, err := k.refuseNaN(part, k.mask())
	return err
}

// hasFloats reports whether a value of type k can have a NaN in it.
func (k *KeyType) hasFloats() bool {
	if k.Kind == Float {
		return true
	}
	for i := range k.Parts {
		if k.Parts[i].hasFloats() {
			return true
		}
	}
	return false
}

// refuseNaN looks at the part at the start of src, which is xored with mask,
// and returns what follows it.
func (k *KeyType) refuseNaN(src []byte, mask byte) (rest []byte, err error) {
	if k.Ptr {
		value, ok := readPtr(src, mask)
		if !ok {
			return nil, errBadKey
		}
		if src = src[1:]; !value {
			return src, nil
		}
	}
	if k.Kind == Struct {
		for i := range k.Parts {
			part := &k.Parts[i]
			if src, err = part.refuseNaN(src, mask^part.mask()); err != nil {
				return nil, err
			}
		}
		return src, nil
	}
	n := k.measureValue(src, mask)
	if n < 0 {
		return nil, errBadKey
	}
	if k.Kind == Float {
		bits := binary.BigEndian.Uint64(src)
		if mask != 0 {
			bits = ^bits
		}
		if bits == keyNaN {
			return nil, errNaN
		}
	}
	return src[n:], nil
}

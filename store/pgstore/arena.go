package pgstore

const (
	firstChunk = 4 << 10
	lastChunk  = 32 << 10

	// ownMemory is from which length on what is copied has memory of its own.
	ownMemory = 4 << 10
)

// arena has copies of many short slices in a few pieces of memory, which stay as long as
// one of the copies does. The zero value is ready.
type arena struct {
	free []byte
	next int // the size of the next piece
}

// copy returns a copy of b, which never changes; nil of nil.
func (a *arena) copy(b []byte) []byte {
	n := len(b)
	switch {
	case b == nil:
		return nil
	case n >= ownMemory:
		own := make([]byte, n)
		copy(own, b)
		return own
	case n > len(a.free) || a.free == nil:
		a.next = min(max(2*a.next, firstChunk), lastChunk)
		a.free = make([]byte, a.next)
	}
	c := a.free[:n:n]
	a.free = a.free[n:]
	copy(c, b)
	return c
}

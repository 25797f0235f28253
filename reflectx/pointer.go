package reflectx

import (
	"reflect"
	"unsafe"
)

// Pointer addresses one Go value in memory whose type the holder knows. It is
// how compiled plans reach struct fields without reflection. The zero Pointer
// is nil. It keeps the value it points into alive, as any Go pointer does.
type Pointer struct{ p unsafe.Pointer }

// To returns a Pointer to *v.
func To[T any](v *T) Pointer { return Pointer{unsafe.Pointer(v)} }

// Of returns a Pointer to what ptr, a value of pointer kind, points to.
func Of(ptr reflect.Value) Pointer { return Pointer{ptr.UnsafePointer()} }

// Ref returns p as a *T. The value at p must be a T, or of a type whose
// underlying type is T's.
func Ref[T any](p Pointer) *T { return (*T)(p.p) }

// IsNil reports whether p addresses nothing.
func (p Pointer) IsNil() bool { return p.p == nil }

// At returns a Pointer to off bytes beyond p, which must lie inside the same
// value: a field, or an element of an array or slice.
func (p Pointer) At(off uintptr) Pointer { return Pointer{unsafe.Add(p.p, off)} }

// Value returns the addressable value of type t at p.
func (p Pointer) Value(t reflect.Type) reflect.Value { return reflect.NewAt(t, p.p).Elem() }

// Elem returns what the pointer variable at p points to.
func (p Pointer) Elem() Pointer { return Pointer{*(*unsafe.Pointer)(p.p)} }

// SetElem points the pointer variable at p to q. The variable's element type
// must be that of the value at q.
func (p Pointer) SetElem(q Pointer) { *(*unsafe.Pointer)(p.p) = q.p }

// Bytes returns the n bytes of memory at p, aliased: for arrays of bytes.
func (p Pointer) Bytes(n int) []byte { return unsafe.Slice((*byte)(p.p), n) }

// Slice returns the first element and the length of the slice variable at p.
func (p Pointer) Slice() (Pointer, int) {
	s := (*[]struct{})(p.p)
	return Pointer{unsafe.Pointer(unsafe.SliceData(*s))}, len(*s)
}

// String returns b as a string that shares its memory: b must never change.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Offset returns how far field lies beyond base, and whether it lies in the
// size bytes that start there.
func Offset(base, field Pointer, size uintptr) (uintptr, bool) {
	b, f := uintptr(base.p), uintptr(field.p)
	return f - b, f >= b && f-b <= size
}

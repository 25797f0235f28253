package reflectx

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Types that marshal themselves, as a whole or by half.

type jsonOnly struct{ cents int64 }

func (m jsonOnly) MarshalJSON() ([]byte, error)  { return json.Marshal(m.cents) }
func (m *jsonOnly) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &m.cents) }

// A jsonOpen has exported fields, which are stored without its methods.
type jsonOpen struct{ Cents int64 }

func (m jsonOpen) MarshalJSON() ([]byte, error)  { return json.Marshal(m.Cents) }
func (m *jsonOpen) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &m.Cents) }

// A jsonFunc has an exported field that cannot be stored.
type jsonFunc struct{ F []func() }

func (m jsonFunc) MarshalJSON() ([]byte, error)  { return []byte("0"), nil }
func (m *jsonFunc) UnmarshalJSON(b []byte) error { return nil }

type halfOut struct{ s string }

func (o halfOut) MarshalText() ([]byte, error) { return []byte(o.s), nil }

type halfIn struct{ S string }

func (o *halfIn) UnmarshalBinary(b []byte) error { o.S = string(b); return nil }

// A laterHalf has a whole pair, and half of one that comes after it.
type laterHalf struct{ s string }

func (o laterHalf) MarshalText() ([]byte, error)  { return []byte(o.s), nil }
func (o *laterHalf) UnmarshalText(b []byte) error { o.s = string(b); return nil }
func (o laterHalf) MarshalJSON() ([]byte, error)  { return json.Marshal(o.s) }

// An earlierHalf has half of a pair that comes before the whole one.
type earlierHalf struct{ s string }

func (o earlierHalf) MarshalText() ([]byte, error)   { return []byte(o.s), nil }
func (o *earlierHalf) UnmarshalText(b []byte) error  { o.s = string(b); return nil }
func (o earlierHalf) MarshalBinary() ([]byte, error) { return []byte(o.s), nil }

type halfScalar string

func (halfScalar) MarshalText() ([]byte, error) { return nil, nil }

// Structs that embed a type which marshals itself.

type onlyTime struct{ time.Time }

type timeAndNote struct {
	time.Time
	Note string
}

type timeAndHidden struct {
	time.Time
	note string
}

type timeAndSkipped struct {
	time.Time
	Note  string `kivis:"-"`
	_     [4]byte
	Empty struct{}
}

type ownMethods struct {
	time.Time
	Note string
}

func (o ownMethods) MarshalBinary() ([]byte, error)  { return []byte(o.Note), nil }
func (o *ownMethods) UnmarshalBinary(b []byte) error { o.Note = string(b); return nil }

type ofAnything[T any] struct {
	time.Time
	Note T
}

func (o ofAnything[T]) MarshalBinary() ([]byte, error)  { return json.Marshal(o.Note) }
func (o *ofAnything[T]) UnmarshalBinary(b []byte) error { return json.Unmarshal(b, &o.Note) }

type ofAnythingElse[T any] struct {
	time.Time
	Note T
}

type pointerAndNote struct {
	*jsonOnly
	Note string
}

// Structs of hidden fields.

type option[T any] struct {
	ok bool
	v  T
}

type mixed struct {
	A int
	b int
}

type skipped struct {
	a int `kivis:"-"`
}

type inner struct{ A int }

type embedsOpen struct {
	inner
}

var _ = []any{mixed{}.b, skipped{}.a, timeAndHidden{}.note, option[int]{}.ok, option[int]{}.v}

func TestLoss(t *testing.T) {
	for _, test := range []struct {
		name string
		t    reflect.Type
		want Marshal
		err  string // part of it; none where nothing is lost
	}{
		{"a number", reflect.TypeFor[int](), MarshalNone, ""},
		{"a time", reflect.TypeFor[time.Time](), MarshalBinary, ""},
		{"named from a time", reflect.TypeFor[stamp](), MarshalNone, ""},
		{"nothing", reflect.TypeFor[struct{}](), MarshalNone, ""},
		{"padding", reflect.TypeFor[struct{ _ [4]byte }](), MarshalNone, ""},
		{"JSON only", reflect.TypeFor[jsonOnly](), MarshalJSON, ""},
		{"JSON beside exported fields", reflect.TypeFor[jsonOpen](), MarshalNone, ""},
		{"JSON in place of a function", reflect.TypeFor[jsonFunc](), MarshalJSON, ""},
		{"half a pair, out", reflect.TypeFor[halfOut](), MarshalNone, "reflectx.halfOut has the method MarshalText but not UnmarshalText"},
		{"half a pair, in", reflect.TypeFor[halfIn](), MarshalNone, "reflectx.halfIn has the method UnmarshalBinary but not MarshalBinary"},
		{"half a pair after a whole one", reflect.TypeFor[laterHalf](), MarshalText, ""},
		{"half a pair before a whole one", reflect.TypeFor[earlierHalf](), MarshalText, "MarshalBinary but not UnmarshalBinary"},
		{"half a pair of a scalar", reflect.TypeFor[halfScalar](), MarshalNone, ""},
		{"embedded alone", reflect.TypeFor[onlyTime](), MarshalBinary, ""},
		{"embedded beside a field", reflect.TypeFor[timeAndNote](), MarshalBinary, "reflectx.timeAndNote has the method MarshalBinary of its embedded Time alone, so its field Note would be lost"},
		{"embedded beside a hidden field", reflect.TypeFor[timeAndHidden](), MarshalBinary, "so its field note would be lost"},
		{"embedded beside nothing", reflect.TypeFor[timeAndSkipped](), MarshalBinary, ""},
		{"embedded pointer", reflect.TypeFor[pointerAndNote](), MarshalNone, "of its embedded jsonOnly alone"},
		{"embedded in a struct without a name", reflect.TypeFor[struct {
			jsonOpen
			N int
		}](), MarshalNone, "struct{...} has the method MarshalJSON of its embedded jsonOpen alone, so its field N would be lost"},
		{"methods of its own", reflect.TypeFor[ownMethods](), MarshalBinary, ""},
		{"generic, methods of its own", reflect.TypeFor[ofAnything[string]](), MarshalBinary, ""},
		{"generic, embedded", reflect.TypeFor[ofAnythingElse[mixed]](), MarshalBinary, "reflectx.ofAnythingElse[reflectx.mixed] has the method"},
		{"hidden", reflect.TypeFor[option[string]](), MarshalNone, "reflectx.option[string] has no exported field, so nothing of it would be stored"},
		{"hidden and exported", reflect.TypeFor[mixed](), MarshalNone, ""},
		{"hidden on purpose", reflect.TypeFor[skipped](), MarshalNone, ""},
		{"embedded fields", reflect.TypeFor[embedsOpen](), MarshalNone, ""},
		{"a buffer", reflect.TypeFor[bytes.Buffer](), MarshalNone, "bytes.Buffer has no exported field"},
		{"an atomic", reflect.TypeFor[atomic.Int64](), MarshalNone, "atomic.Int64 has no exported field"},
		{"a mutex", reflect.TypeFor[sync.Mutex](), MarshalNone, "sync.Mutex has no exported field"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := MarshalOf(test.t); got != test.want {
				t.Errorf("MarshalOf = %v, want %v", got, test.want)
			}
			got := ""
			if err := Loss(test.t); err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.err) || test.err == "" && got != "" {
				t.Errorf("Loss = %q, want %q", got, test.err)
			}
		})
	}
}

func TestTypeName(t *testing.T) {
	type local struct{}
	for _, test := range []struct {
		t    reflect.Type
		want string
	}{
		{nil, "nil"},
		{reflect.TypeFor[[]byte](), "[]byte"},
		{reflect.TypeFor[map[string]any](), "map[string]any"},
		{reflect.TypeFor[map[string]struct{}](), "map[string]struct{}"},
		{reflect.TypeFor[struct{ A int }](), "struct{...}"},
		{reflect.TypeFor[local](), "reflectx.local"},
		{reflect.TypeFor[option[option[*local]]](), "reflectx.option[reflectx.option[*reflectx.local]]"},
		{reflect.TypeFor[option[[4]byte]](), "reflectx.option[[4]byte]"},
	} {
		if got := TypeName(test.t); got != test.want {
			t.Errorf("TypeName(%v) = %s, want %s", test.t, got, test.want)
		}
	}
}

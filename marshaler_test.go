package kivis_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

// Types that marshal themselves: hexed and renamedHex as the same bytes, and
// plainly as others.
type (
	hexed      struct{ s string }
	renamedHex struct{ s string }
	plainly    struct{ s string }
)

func (h hexed) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString([]byte(h.s))), nil }
func (h *hexed) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	h.s = string(raw)
	return err
}
func (h renamedHex) MarshalText() ([]byte, error)  { return hexed(h).MarshalText() }
func (h *renamedHex) UnmarshalText(b []byte) error { return (*hexed)(h).UnmarshalText(b) }
func (p plainly) MarshalText() ([]byte, error)     { return []byte("plain:" + p.s), nil }
func (p *plainly) UnmarshalText(b []byte) error {
	p.s = strings.TrimPrefix(string(b), "plain:")
	return nil
}

// marshaled is a record of a T, whose table lost a field beside it.
type (
	marshaled0 struct {
		_  struct{} `kivis:"table=marshaled"`
		ID int      `kivis:"key"`
	}
	marshaled[T any] struct {
		_  struct{} `kivis:"table=marshaled"`
		ID int      `kivis:"key"`
		V  T
		L  []T
	}
)

// TestMarshalerSwapped puts another Go type in the place of one that marshals
// itself by methods of the same kind: that is allowed where each stored value
// comes back the same.
func TestMarshalerSwapped(t *testing.T) {
	for _, test := range []struct {
		name    string
		put     func(db *kivis.DB) error
		then    any
		refused bool
	}{
		{"renamed type", putMarshaled(hexed{"a"}), &marshaled[renamedHex]{}, false},
		{"other form", putMarshaled(hexed{"a"}), &marshaled[plainly]{}, true},
		{"other form, no records of it", func(*kivis.DB) error { return nil }, &marshaled[plainly]{}, false},
		{"other methods", putMarshaled(hexed{"a"}), &marshaled[url.URL]{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := kept{stores[0].open(t)}
			db := openAs(t, st, nil, &marshaled0{})
			must(kivis.TableBy[marshaled0, int](db).Insert(bg, &marshaled0{ID: 7}))(t) // has no V
			check(t, db.Close())
			db = openAs(t, st, nil, &marshaled[hexed]{})
			check(t, test.put(db))
			check(t, db.Close())

			db, err := kivis.Open(st, nil)
			check(t, err)
			diff := must(db.Diff(bg, test.then))(t)
			err = db.Register(test.then)
			var change *kivis.SchemaChangeError
			if test.refused != errors.As(err, &change) || !test.refused && err != nil {
				t.Errorf("Register = %v, want it refused: %t", err, test.refused)
			}
			if diff.Empty() {
				t.Error("Diff is empty")
			}
			again := test.then
			if test.refused {
				again = &marshaled[hexed]{}
			}
			check(t, db.Register(again))
			if diff := must(db.Diff(bg, again))(t); !diff.Empty() {
				t.Errorf("Diff after Register = %v", diff)
			}
			if rep := must(db.Check(bg, nil))(t); len(rep.Faults) > 0 {
				t.Errorf("faults: %v", rep.Faults)
			}
			check(t, db.Close())
		})
	}
}

func putMarshaled(v hexed) func(db *kivis.DB) error {
	return func(db *kivis.DB) error {
		_, err := kivis.TableBy[marshaled[hexed], int](db).Insert(bg, &marshaled[hexed]{ID: 1, V: v, L: []hexed{v, v}})
		if err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		return nil
	}
}

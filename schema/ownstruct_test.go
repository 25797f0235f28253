package schema

import (
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// ShortVersion and LongVersion are what a struct in its own order holds before and
// after a change.
type ShortVersion struct{ Major, Minor uint16 }

func (v ShortVersion) AppendKey(dst []byte) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(dst, v.Major), v.Minor)
}

func (v *ShortVersion) ParseKey(b []byte) error {
	if len(b) != 4 {
		return errors.New("not 4 bytes")
	}
	*v = ShortVersion{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])}
	return nil
}

type LongVersion struct {
	Major, Minor uint16
	Patch        uint16
}

func (v LongVersion) AppendKey(dst []byte) []byte {
	return binary.BigEndian.AppendUint16(ShortVersion{v.Major, v.Minor}.AppendKey(dst), v.Patch)
}

func (v *LongVersion) ParseKey(b []byte) error { return errors.New("not needed here") }

// Both are of one name, as in two releases of a program.
var (
	versionBefore = func() reflect.Type {
		type version struct{ ShortVersion }
		type release struct {
			_  struct{} `kivis:"table=releases"`
			ID int      `kivis:"key"`
			V  version  `kivis:"index"`
		}
		return reflect.TypeFor[release]()
	}()
	versionAfter = func() reflect.Type {
		type version struct{ LongVersion }
		type release struct {
			_  struct{} `kivis:"table=releases"`
			ID int      `kivis:"key"`
			V  version  `kivis:"index"`
		}
		return reflect.TypeFor[release]()
	}()
)

// TestOwnStructs has a struct in its own order in an index: it is of the fields that
// it had, so another release has it built anew, and the one before cannot order.
func TestOwnStructs(t *testing.T) {
	before, after := compileTypes(t, []reflect.Type{versionBefore}), compileTypes(t, []reflect.Type{versionAfter})
	c := planAll(t, NewCatalog(), before, PlanOptions{}).Catalog
	if c.Format != 3 {
		t.Errorf("format %d, want 3", c.Format)
	}
	table := bindAll(t, c, before).ByName("releases")
	part := &table.Indexes[0].Parts[0]
	if part.Key.Kind != codec.Own || part.Key.String() != "schema.version" {
		t.Fatalf("the part is %v", part.Key)
	}
	rec := reflect.New(versionBefore)
	rec.Elem().Field(2).Field(0).Set(reflect.ValueOf(ShortVersion{1, 2}))
	body, offs, err := table.Encoder().Encode(nil, reflectx.Of(rec), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := part.Key.Transcode(nil, body[offs[1]:offs[2]])
	want := codec.AppendString(nil, "\x00\x01\x00\x02")
	if err != nil || string(got) != string(want) {
		t.Errorf("the entry is %x, %v; want %x", got, err, want)
	}
	if k, err := table.KeyTypeAt(1, nil, false, table.Columns[1].Type); err != nil || !k.Equal(part.Key) {
		t.Errorf("KeyTypeAt = %v, %v", k, err)
	}

	change := planAll(t, c, after, PlanOptions{})
	if text := change.Diff.String(); !strings.Contains(text, "index V") {
		t.Errorf("with one more field the index is not built anew:\n%s", text)
	}
	older := bindAll(t, change.Catalog, before).ByName("releases")
	if _, err := older.KeyTypeAt(1, nil, false, older.Columns[1].Type); err == nil || !strings.Contains(err.Error(), "schema.version has other fields than are stored") {
		t.Errorf("KeyTypeAt of the older program: %v", err)
	}
}

// TestOwnStructKey changes the struct that a primary key is: that is refused.
func TestOwnStructKey(t *testing.T) {
	keyed := func(v any) []*Model {
		typ := reflect.StructOf([]reflect.StructField{
			{Name: "_", PkgPath: "schema", Type: reflect.TypeFor[struct{}](), Tag: `kivis:"table=keyed"`},
			{Name: "V", Type: reflect.TypeOf(v), Tag: `kivis:"key"`},
		})
		return compileTypes(t, []reflect.Type{typ})
	}
	before := keyed(reflect.New(versionBefore).Elem().Field(2).Interface())
	after := keyed(reflect.New(versionAfter).Elem().Field(2).Interface())
	c := planAll(t, NewCatalog(), before, PlanOptions{}).Catalog
	change, err := Plan(c, after, PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := "changed key: plain (V schema.version) to plain (V schema.version) of other fields (refused)"
	if text := change.Diff.String(); !strings.Contains(text, want) {
		t.Errorf("with a key of other fields:\n%s\nwant %s", text, want)
	}
}

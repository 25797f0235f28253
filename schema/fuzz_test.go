package schema

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/codec"
)

// canonical returns a tag as text that parses to the same.
func (t *fieldTag) canonical() string {
	var list []string
	for _, f := range fieldOptions {
		if !t.is(f.bit) {
			continue
		}
		value := map[optionSet]string{optIndex: t.index, optUnique: t.index, optRef: t.target, optName: t.name, optWas: strings.Join(t.was, "|")}[f.bit]
		if f.bit == optOnDelete {
			value = t.onDelete.String()
		}
		if value != "" {
			value = "=" + value
		}
		list = append(list, f.name+value)
	}
	return strings.Join(list, ",")
}

func (t *blankTag) canonical() string {
	var list []string
	if t.table != "" {
		list = append(list, "table="+t.table)
	}
	if len(t.removed) > 0 {
		list = append(list, "removed="+strings.Join(t.removed, "|"))
	}
	for _, l := range t.lists {
		var parts []string
		for _, p := range l.parts {
			parts = append(parts, listed(p.has, p.path))
		}
		text := optionNames(l.kind)[0] + "=" + l.name + "(" + strings.Join(parts, ",") + ")"
		if l.has&optOptional != 0 {
			text += ":optional"
		}
		if l.has&optOnDelete != 0 {
			text += ":ondelete=" + l.onDelete.String()
		}
		list = append(list, text)
	}
	return strings.Join(list, ",")
}

// addTags adds tags to begin with.
func addTags(f *testing.F) {
	for _, tag := range []string{
		"", "-", "key", "key,auto", "key,content", "index", "unique=mail,fold", "index,each,desc", "ref=users,optional,ondelete=setnull",
		" name = town , was = city | place ", "new", "removed=A|B.C, table=x", "table=users", "index=route(Origin,Destination,-Departs)", "unique=slug(Tenant,Slug:fold),index=t(Tags:each)",
		"ref=customers(Tenant,Address.CustomerID):optional:ondelete=cascade", "index=(", "a=b=c", "index=x()", "unique,unique", "ключ", "key\x00",
	} {
		f.Add(tag)
	}
}

// FuzzTag parses any text as a tag: nothing panics, and what is without fault
// comes back the same from its canonical form.
func FuzzTag(f *testing.F) {
	addTags(f)
	f.Fuzz(func(t *testing.T, text string) {
		if tag, errs := parseFieldTag(text); len(errs) == 0 {
			again, errs := parseFieldTag(tag.canonical())
			again.text = tag.text
			if len(errs) > 0 || !reflect.DeepEqual(again, tag) {
				t.Errorf("%q is %+v, and its canonical form %q is %+v, %v", text, tag, tag.canonical(), again, errs)
			}
		}
		if tag, errs := parseBlankTag(text); len(errs) == 0 {
			again, errs := parseBlankTag(tag.canonical())
			again.text = tag.text
			if len(errs) > 0 || !reflect.DeepEqual(again, tag) {
				t.Errorf("%q is %+v, and its canonical form %q is %+v, %v", text, tag, tag.canonical(), again, errs)
			}
		}
	})
}

// FuzzStruct compiles a struct with any text as the tag of fields of several
// types: nothing panics, and each fault names the type.
func FuzzStruct(f *testing.F) {
	addTags(f)
	f.Fuzz(fuzzStruct)
}

func fuzzStruct(t *testing.T, text string) {
	tag := reflect.StructTag("kivis:" + quoteTag(text))
	r := reflect.StructOf([]reflect.StructField{
		{Name: "_", PkgPath: "x", Type: reflect.TypeFor[struct{}](), Tag: `kivis:"table=fuzz"`},
		{Name: "_", PkgPath: "x", Type: reflect.TypeFor[struct{}](), Tag: tag},
		{Name: "Code", Type: reflect.TypeFor[IATA](), Tag: `kivis:"key"`},
		{Name: "A", Type: reflect.TypeFor[string](), Tag: tag},
		{Name: "Tags", Type: reflect.TypeFor[[]string](), Tag: tag},
		{Name: "Home", Type: reflect.TypeFor[Home](), Tag: tag},
		{Name: "N", Type: reflect.TypeFor[*ID[User]](), Tag: tag},
	})
	models, err := Compile(r, reflect.TypeFor[User]())
	if err != nil {
		for _, err := range split(err) {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Type == nil || e.Error() == "" {
				t.Errorf("%q: %v is not an *Error", text, err)
			}
		}
		return
	}
	change, err := Plan(NewCatalog(), models, PlanOptions{})
	if err != nil {
		return // a reference to a table that is not there
	}
	if _, err := Bind(change.Catalog, models); err != nil {
		t.Errorf("%q: %v", text, err)
	}
}

// quoteTag quotes text as struct tags do.
func quoteTag(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		if c := text[i]; c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	b.WriteByte('"')
	return b.String()
}

// FuzzDecodeEntry decodes any bytes as an entry of the catalog: nothing
// panics, errors match [codec.ErrCorrupt], and an entry that is whole can be
// bound and comes back the same.
func FuzzDecodeEntry(f *testing.F) {
	for _, set := range good {
		models, err := Compile(types(set.values...)...)
		if err != nil {
			f.Fatal(err)
		}
		change, err := Plan(NewCatalog(), models, PlanOptions{})
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range change.Catalog.sorted() {
			b, _ := unseal(e.Encode())
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			if !errors.Is(err, codec.ErrCorrupt) {
				t.Errorf("%v does not match ErrCorrupt", err)
			}
			return
		}
		again, err := DecodeEntry(e.Encode())
		if err != nil || !bytes.Equal(again.Encode(), e.Encode()) {
			t.Errorf("%+v comes back as %+v, %v", e, again, err)
		}
		c := NewCatalog()
		c.Entries[e.ID] = e
		if set, err := Bind(c, nil); err == nil {
			for _, table := range set.Tables() {
				_ = table.String()
				for _, v := range e.Versions {
					table.Converter(v.Number)
				}
			}
		}
	})
}

// FuzzDecodeHeader decodes any bytes as the header of the catalog.
func FuzzDecodeHeader(f *testing.F) {
	f.Add(EncodeHeader(NewCatalog()))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, seal(bytes.Clone(b))} {
			c, err := DecodeHeader(b)
			if err == nil && c.Format == Format && !bytes.Equal(EncodeHeader(c), b) {
				again, err := DecodeHeader(EncodeHeader(c))
				if err != nil || again.Version != c.Version || again.NextTable != c.NextTable {
					t.Errorf("%+v comes back as %+v, %v", c, again, err)
				}
			}
			if err != nil && !errors.Is(err, codec.ErrCorrupt) && !errors.Is(err, ErrNewerFormat) {
				t.Errorf("%v matches neither ErrCorrupt nor ErrNewerFormat", err)
			}
		}
	})
}

// TestDamagedCatalog damages entries in every byte, with and without a
// checksum that fits.
func TestDamagedCatalog(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	models := compileAll(t, Invoice{}, Customer{}, Tenant{})
	for _, e := range planAll(t, NewCatalog(), models, PlanOptions{}).Catalog.sorted() {
		whole := e.Encode()
		for i := range whole {
			b := bytes.Clone(whole)
			b[i] ^= byte(1 + rng.IntN(255))
			if _, err := DecodeEntry(b); !errors.Is(err, codec.ErrCorrupt) {
				t.Errorf("byte %d of %s damaged: %v", i, e.Name, err)
			}
			if _, err := DecodeEntry(whole[:i]); !errors.Is(err, codec.ErrCorrupt) {
				t.Errorf("%s cut at %d: %v", e.Name, i, err)
			}
			if _, err := decodeEntry(b[:len(b)-sumSize]); err != nil && !errors.Is(err, codec.ErrCorrupt) {
				t.Errorf("byte %d of %s damaged: %v", i, e.Name, err)
			}
		}
	}
}

func TestNewerFormat(t *testing.T) {
	c := NewCatalog()
	c.Format = Format + 1
	_, err := DecodeHeader(EncodeHeader(c))
	want := fmt.Sprintf("schema: the database has a newer format than this release of Kivis knows: format %d, and this one knows up to %d", Format+1, Format)
	if !errors.Is(err, ErrNewerFormat) || err.Error() != want {
		t.Errorf("a newer format: %v, want %s", err, want)
	}
}

// TestFormatOfRules: a database gets the oldest format in which its catalog can be
// said, and keeps it.
func TestFormatOfRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		models []any
		want   uint32
	}{
		{"nothing new", []any{Airport{}}, 1},
		{"a deferred reference", []any{Airport{}, Berth{}}, 2},
		{"a validated record", []any{Airport{}, Gate{}}, 2},
		{"a field of elements", []any{Cart{}}, 3},
	} {
		catalog := planAll(t, NewCatalog(), compileAll(t, c.models...), PlanOptions{}).Catalog
		if catalog.Format != c.want {
			t.Errorf("%s: format %d, want %d", c.name, catalog.Format, c.want)
		}
		for _, e := range catalog.Entries {
			got, err := DecodeEntry(e.Encode())
			if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", e) {
				t.Errorf("%s: entry %s came back as %+v, %v; want %+v", c.name, e.Name, got, err, e)
			}
		}
		if c.want == 2 {
			again := planAll(t, catalog, compileAll(t, Airport{}, BerthOnly{}, GateOnly{}), PlanOptions{}).Catalog
			if again.Format != 2 {
				t.Errorf("%s, and then not: format %d, want 2", c.name, again.Format)
			}
		}
	}
}

// A Berth refers to an airport that may come later in its transaction.
type Berth struct {
	ID      ID[Berth]
	Airport IATA `kivis:"ref,deferred"`
}

// BerthOnly is a Berth without what is new.
type BerthOnly struct {
	ID      int64    `kivis:"key,auto"`
	Airport IATA     `kivis:"ref"`
	_       struct{} `kivis:"table=Berth"`
}

// A Gate has a rule.
type Gate struct{ ID ID[Gate] }

func (Gate) Validate() error { return nil }

// GateOnly is a Gate without the rule.
type GateOnly struct {
	ID int64    `kivis:"key,auto"`
	_  struct{} `kivis:"table=Gate"`
}

// TestCatalogBytes pins what is stored.
func TestCatalogBytes(t *testing.T) {
	models := compileAll(t, Invoice{}, Customer{}, Tenant{}, Leg{}, Stop{}, Company{}, Airport{})
	c := planAll(t, NewCatalog(), models, PlanOptions{}).Catalog
	var b strings.Builder
	dump := func(what string, value []byte) {
		b.WriteString(what + "\n" + hexLines(value))
	}
	dump("header", EncodeHeader(c))
	for _, e := range c.sorted() {
		dump(e.Name, e.Encode())
	}
	golden(t, "catalog.txt", b.String())
}

// hexLines shows bytes, 32 to a line.
func hexLines(value []byte) string {
	var b strings.Builder
	for part := range slices.Chunk(value, 32) {
		b.WriteString(hexLine(part))
	}
	return b.String()
}

// hexLine shows bytes in hexadecimal, and as text where they are.
func hexLine(b []byte) string {
	const digits = "0123456789abcdef"
	var hex, text strings.Builder
	for _, c := range b {
		hex.WriteByte(digits[c>>4])
		hex.WriteByte(digits[c&15])
		if c < 32 || c > 126 {
			c = '.'
		}
		text.WriteByte(c)
	}
	return "\t" + hex.String() + strings.Repeat("  ", 32-len(b)) + "  " + text.String() + "\n"
}

package kivis_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// semver is stored field by field, and orders a release behind what came before it.
type semver struct {
	Major, Minor uint16
	Pre          string
}

func (v semver) AppendKey(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(dst, v.Major), v.Minor)
	if v.Pre == "" {
		return append(dst, 1)
	}
	return append(append(dst, 0), v.Pre...)
}

func (v *semver) ParseKey(b []byte) error {
	if len(b) < 5 {
		return errors.New("too short")
	}
	*v = semver{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), string(b[5:])}
	return nil
}

func TestStructsInTheirOwnOrder(t *testing.T) {
	p := positions[semver]{exact: true, shaped: true, values: []semver{
		{}, {0, 0, ""}, {1, 0, "a\x00"}, {1, 0, "b"}, {1, 0, ""}, {1, 1, "a"}, {1, 1, ""}, {2, 0, "rc"}, {300, 0, ""},
	}[1:]}
	p.run(t)
	runKeys(t, p)
}

// TestStructsInTheirOwnOrderByName sets and asks by name, with and without the type.
func TestStructsInTheirOwnOrderByName(t *testing.T) {
	type release struct {
		kivis.Auto[release]
		V semver `kivis:"index"`
	}
	st := stores[0].open(t)
	db := openDB(t, st, &release{})
	named := kivis.TableNamed(db, "release")
	for _, v := range []map[string]any{{"Major": 2, "Minor": 1}, {"Major": 2, "Minor": 1, "Pre": "a"}, {"Major": 1}} {
		rec := named.New()
		check(t, rec.Set("V", v))
		must(named.Insert(bg, rec))(t)
	}
	first := must(named.Query().OrderBy("V").First(bg))(t)
	if got, _ := first.Get("V.Major"); got != uint64(1) {
		t.Errorf("the first is %s", first)
	}
	for text, want := range map[string]int{"V >= 0x0002000100": 2, "V = ?": 1, "V.Major = 2": 2, "V < ?": 1} {
		q := named.Where(text)
		if text[len(text)-1] == '?' {
			q = named.Where(text, semver{2, 1, "a"})
		}
		if n, err := q.Count(bg); n != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", text, n, err, want)
		}
	}
	_, err := named.Where("V = (1, 2, '')").Count(bg)
	wantText(t, err, "it wants the bytes of AppendKey such as 0x0a0b, not (1, 2, '')")
}

// TestPromotedOrder refuses a struct whose order is that of an embedded field.
func TestPromotedOrder(t *testing.T) {
	type tagged struct {
		semver
		Name string
	}
	type r struct {
		kivis.Auto[r]
		V tagged `kivis:"index"`
	}
	db := kivistest.New(t)
	wantText(t, db.Register(&r{}), "has the method AppendKey of its embedded semver alone, so its field Name would not count")
}

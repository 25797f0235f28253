package kivis_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// bundle has ids and a digest in every place that has a form of its own.
type bundle struct {
	ID     kivis.ID[bundle] `json:"id"`
	Next   *kivis.ID[bundle]
	All    []kivis.ID[bundle]
	Named  map[kivis.ID[bundle]]string
	Digest kivis.Digest
	Of     map[kivis.Digest]kivis.ID[bundle]
}

func TestIDs(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       kivis.ID[bundle]
		ok         bool
	}{
		{"a number", "7", 7, true},
		{"zero", "0", 0, true},
		{"leading zeros", "007", 7, true},
		{"the largest", "18446744073709551615", 1<<64 - 1, true},
		{"too large", "18446744073709551616", 0, false},
		{"negative", "-1", 0, false},
		{"empty", "", 0, false},
		{"a space", " 7", 0, false},
		{"hexadecimal", "0x7", 0, false},
		{"a fraction", "7.0", 0, false},
		{"long", strings.Repeat("x", 10_000), 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := kivis.ParseID[bundle](tt.text)
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("ParseID(%.20q) = %d, %v; want %d", tt.text, got, err, tt.want)
			}
			if err != nil && (!strings.Contains(err.Error(), "bundle") || len(err.Error()) > 150) {
				t.Errorf("the error is %v", err)
			}
			into := kivis.ID[bundle](5)
			if err := into.UnmarshalText([]byte(tt.text)); (err == nil) != tt.ok || tt.ok && into != tt.want || !tt.ok && into != 5 {
				t.Errorf("UnmarshalText(%.20q) = %v, %d", tt.text, err, into)
			}
		})
	}
}

func TestIDsInJSON(t *testing.T) {
	next := kivis.ID[bundle](9)
	d, err := kivis.ParseDigest(strings.Repeat("0f", 32))
	if err != nil {
		t.Fatal(err)
	}
	v := bundle{
		1<<64 - 1, &next, []kivis.ID[bundle]{1, 2}, map[kivis.ID[bundle]]string{3: "c"}, d, map[kivis.Digest]kivis.ID[bundle]{d: 4},
	}
	text, err := json.Marshal(v)
	hex := `"` + strings.Repeat("0f", 32) + `"`
	want := `{"id":18446744073709551615,"Next":9,"All":[1,2],"Named":{"3":"c"},"Digest":` + hex + `,"Of":{` + hex + `:4}}`
	if err != nil || string(text) != want {
		t.Fatalf("Marshal = %s, %v; want %s", text, err, want)
	}
	var back bundle
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, v) {
		t.Errorf("Unmarshal = %+v, %v", back, err)
	}
	for _, bad := range []string{`{"id":""}`, `{"id":"x"}`, `{"id":7.5}`, `{"id":-1}`, `{"id":true}`, `{"Digest":"0f"}`, `{"Digest":7}`, `{"Digest":"` + strings.Repeat("0f", 33) + `"}`} {
		into := bundle{ID: 5, Digest: d}
		if err := json.Unmarshal([]byte(bad), &into); err == nil || into.ID != 5 || into.Digest != d {
			t.Errorf("%s: %v, %+v", bad, err, into)
		}
	}
	into := bundle{ID: 5}
	if err := json.Unmarshal([]byte(`{"id":null}`), &into); err != nil || into.ID != 5 {
		t.Errorf("null: %v, %d", err, into.ID)
	}
}

func TestDigestText(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 4)
	d, err := kivis.ParseDigest(text)
	if err != nil || d.String() != text || d.IsZero() || !(kivis.Digest{}).IsZero() {
		t.Errorf("ParseDigest = %v, %v", d, err)
	}
	if upper, err := kivis.ParseDigest(strings.ToUpper(text)); upper != d || err != nil {
		t.Errorf("upper case: %v, %v", upper, err)
	}
	for _, bad := range []string{"", "00", text[1:], text + "0", text + "00", text[:62] + "0g", "0x" + text[2:], strings.Repeat("z", 1000)} {
		if d, err := kivis.ParseDigest(bad); err == nil || !d.IsZero() || len(err.Error()) > 150 {
			t.Errorf("ParseDigest(%.20q) = %v, %v", bad, d, err)
		}
	}
}

// scroll is stored by its content.
type scroll struct {
	Hash kivis.Digest `kivis:"key,content"`
	Text string
	Of   *kivis.Digest `kivis:"index"`
	Any  any
}

func TestDigestAsKey(t *testing.T) {
	ctx := t.Context()
	db := kivistest.New(t, &scroll{})
	scrolls := kivis.TableBy[scroll, kivis.Digest](db)
	first := scroll{Text: "a"}
	key, err := scrolls.Insert(ctx, &first)
	if err != nil || first.Hash != key || key.IsZero() {
		t.Fatalf("Insert = %v, %v", key, err)
	}
	type inside struct{ ID kivis.ID[bundle] }
	second := scroll{Text: "b", Of: &key, Any: map[string]any{"id": kivis.ID[bundle](7), "digest": key, "in": inside{8}}}
	if _, err = scrolls.Insert(ctx, &second); err != nil {
		t.Fatal(err)
	}
	of := kivis.FieldOf(func(s *scroll) **kivis.Digest { return &s.Of })
	got, err := scrolls.Where(kivis.Deref(of).Eq(key)).One(ctx)
	want := map[string]any{"id": int64(7), "digest": key[:], "in": map[string]any{"ID": int64(8)}}
	if err != nil || !reflect.DeepEqual(got.Any, any(want)) {
		t.Errorf("One = %+v, %v; want %v", got, err, want)
	}
	named := kivis.TableNamed(db, "scroll")
	for _, text := range []string{key.String(), "0x" + key.String(), "'" + key.String() + "'"} {
		if rec, err := scrolls.WhereText("Hash = " + text).One(ctx); err != nil || rec.Text != "a" {
			t.Errorf("WhereText(%s) = %+v, %v", text, rec, err)
		}
		if k, err := named.Key(text); err != nil {
			t.Errorf("Key(%s): %v", text, err)
		} else if rec, err := named.Get(ctx, k); err != nil || !slicesEqualText(rec, "a") {
			t.Errorf("Get(%s) = %v, %v", text, rec, err)
		}
	}
}

func slicesEqualText(rec kivis.Record, want string) bool {
	return maps.Collect(rec.All())["Text"] == want
}

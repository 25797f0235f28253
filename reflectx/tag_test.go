package reflectx

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// show prints options as text: key=value@position.
func show(opts []Option) string {
	var parts []string
	for _, o := range opts {
		s := o.Key
		if o.HasValue {
			s += "=" + o.Value
		}
		parts = append(parts, fmt.Sprintf("%s@%d", s, o.Pos))
	}
	return strings.Join(parts, " ")
}

func TestParseTag(t *testing.T) {
	for _, test := range []struct {
		tag, want, err string
	}{
		{tag: "", want: ""},
		{tag: "  ", want: ""},
		{tag: "key", want: "key@0"},
		{tag: "key,auto", want: "key@0 auto@4"},
		{tag: " key ,  name = a b ", want: "key@1 name=a b@8"},
		{tag: "-", want: "-@0"},
		{tag: "table=flights,index=route(Origin,Destination,-Departs)", want: "table=flights@0 index=route(Origin,Destination,-Departs)@14"},
		{tag: "ref=c(A,B):ondelete=cascade", want: "ref=c(A,B):ondelete=cascade@0"},
		{tag: "index=a(X),index=b(X)", want: "index=a(X)@0 index=b(X)@11"},
		{tag: "index=a(X(Y,Z),(W)),key", want: "index=a(X(Y,Z),(W))@0 key@20"},
		{tag: "name==", want: "name==@0"},
		{tag: "größe=ä", want: "größe=ä@0"},

		{tag: ",", err: `empty option at 0 (tag ","); empty option at 1 (tag ",")`},
		{tag: "key, ,auto", err: `empty option at 5 (tag "key, ,auto")`},
		{tag: "key,", err: `empty option at 4 (tag "key,")`},
		{tag: "=x", err: `no option before = at 0 (tag "=x")`},
		{tag: "name=", err: `no value after name= at 0 (tag "name=")`},
		{tag: "key, name= ", err: `no value after name= at 5 (tag "key, name= ")`},
		{tag: "key,key", err: `repeated option "key" at 4 (tag "key,key")`},
		{tag: "index=a,index=b", err: `repeated option "index" at 8 (tag "index=a,index=b")`},
		{tag: "index=a(X),index", err: `repeated option "index" at 11 (tag "index=a(X),index")`},
		{tag: "index=a(X),index=a(X)", err: `repeated option "index" at 11 (tag "index=a(X),index=a(X)")`},
		{tag: "index=a(X", err: `unmatched ( at 7 (tag "index=a(X")`},
		{tag: "index=a(X(Y)", err: `unmatched ( at 7 (tag "index=a(X(Y)")`},
		{tag: "index=a)X(", err: `unmatched ) at 7 (tag "index=a)X(")`},
		{tag: "key,,index=a)", err: `empty option at 4 (tag "key,,index=a)"); unmatched ) at 12 (tag "key,,index=a)")`},
	} {
		opts, err := ParseTag(test.tag)
		if got := show(opts); got != test.want {
			t.Errorf("ParseTag(%q) = %s, want %s", test.tag, got, test.want)
		}
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		if got != test.err {
			t.Errorf("ParseTag(%q) = error %s, want %s", test.tag, got, test.err)
		}
		var e *TagError
		if err != nil && (!errors.As(err, &e) || e.Tag != test.tag) {
			t.Errorf("ParseTag(%q) = %T, want a *TagError", test.tag, err)
		}
	}
}

func TestLookupTag(t *testing.T) {
	for _, test := range []struct {
		tag, want string
		ok        bool
		err       string
	}{
		{tag: ""},
		{tag: `json:"a"`},
		{tag: `kivis:""`, ok: true},
		{tag: `json:"a" kivis:"key"`, ok: true, want: "key"},
		{tag: `kivis:"key"  json:"a"`, ok: true, want: "key"},
		{tag: `kivis:"k\"ey"`, ok: true, want: `k"ey`},
		{tag: `json:whatever`},
		{tag: `kivis:"key" json:`, ok: true, want: "key"},
		{tag: `json:"kivis:x"`},
		{tag: `Kivis:"key"`, err: `struct tag Kivis:"key": did you mean kivis:"key"?`},
		{tag: `kivis:"key" kivis:"index"`, err: `two kivis struct tags: join them with a comma`},
		{tag: `json:"b" kivis:key`, err: `malformed struct tag "kivis:key": want kivis:"..."`},
		{tag: `kivis"key"`, err: `malformed struct tag "kivis\"key\"": want kivis:"..."`},
		{tag: `kivis: "key"`, err: `malformed struct tag "kivis: \"key\"": want kivis:"..."`},
		{tag: `kivis:"key`, err: `malformed struct tag "kivis:\"key": want kivis:"..."`},
		{tag: "kivis:`key`", err: "malformed struct tag \"kivis:`key`\": want kivis:\"...\""},
		{tag: `KIVIS`, err: `malformed struct tag "KIVIS": want kivis:"..."`},
	} {
		got, ok, err := lookupTag(test.tag)
		if msg := fmt.Sprint(err); err != nil && msg != test.err || err == nil && test.err != "" {
			t.Errorf("lookupTag(%s) = error %v, want %s", test.tag, err, test.err)
		}
		if err == nil && (got != test.want || ok != test.ok) {
			t.Errorf("lookupTag(%s) = %q, %t, want %q, %t", test.tag, got, ok, test.want, test.ok)
		}
	}
}

func FuzzParseTag(f *testing.F) {
	for _, s := range []string{"key", " key , name = x", "index=a(X,Y:fold)", "a)(", ",,", "ref=t(A):ondelete=cascade", "=", "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		opts, err := ParseTag(tag)
		if err != nil {
			if opts != nil {
				t.Fatalf("ParseTag(%q) = %v and an error", tag, opts)
			}
			return
		}
		var parts []string
		for _, o := range opts {
			if !strings.HasPrefix(tag[o.Pos:], o.Key) {
				t.Fatalf("ParseTag(%q): %q is not at %d", tag, o.Key, o.Pos)
			}
			if o.HasValue {
				o.Key += "=" + o.Value
			}
			parts = append(parts, o.Key)
		}
		// Written without spaces, the options say the same.
		plain := strings.Join(parts, ",")
		again, err := ParseTag(plain)
		if err != nil || len(again) != len(opts) {
			t.Fatalf("ParseTag(%q) = %v, %v; want %v", plain, again, err, opts)
		}
		for i, o := range again {
			if o.Key != opts[i].Key || o.Value != opts[i].Value || o.HasValue != opts[i].HasValue {
				t.Fatalf("ParseTag(%q)[%d] = %v, want %v", plain, i, o, opts[i])
			}
		}
	})
}

func TestNearest(t *testing.T) {
	words := []string{"key", "auto", "content", "index", "unique", "desc", "fold", "ref", "optional", "ondelete", "name", "was", "each"}
	for _, test := range []struct{ word, want string }{
		{"uniqe", "unique"},
		{"uniq", "unique"},
		{"Key", "key"},
		{"INDEX", "index"},
		{"idnex", "index"},
		{"kye", "key"},
		{"ky", "key"},
		{"of", ""},
		{"xyz", ""},
		{"fodl", "fold"},
		{"onDelte", "ondelete"},
		{"references", ""},
		{"", ""},
		{"key", "key"},
	} {
		got, ok := Nearest(test.word, words)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("Nearest(%q) = %q, %t, want %q", test.word, got, ok, test.want)
		}
	}
}

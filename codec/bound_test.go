package codec

import (
	"bytes"
	"testing"
)

func TestPrefixEnd(t *testing.T) {
	for _, test := range []struct{ prefix, want string }{
		{"", ""},
		{"a", "b"},
		{"a\x00", "a\x01"},
		{"a\xFF", "b"},
		{"a\xFF\xFF", "b"},
		{"\xFF\xFE", "\xFF\xFF"},
		{"\xFF\xFF", ""},
	} {
		prefix := []byte(test.prefix)
		got := PrefixEnd(prefix)
		if string(got) != test.want || (got == nil) != (test.want == "") {
			t.Errorf("PrefixEnd(%q) = %q, want %q", test.prefix, got, test.want)
		}
		if string(prefix) != test.prefix {
			t.Errorf("PrefixEnd(%q) changed it to %q", test.prefix, prefix)
		}
		if got := AppendPrefixEnd([]byte("x"), prefix); string(got) != "x"+test.want {
			t.Errorf("AppendPrefixEnd(%q) = %q, want %q", test.prefix, got, "x"+test.want)
		}
	}
}

func TestNext(t *testing.T) {
	key := make([]byte, 1, 8)
	next := Next(key)
	if !bytes.Equal(next, []byte{0, 0}) {
		t.Errorf("Next(00) = %x, want 0000", next)
	}
	next[0] = 9
	if key[0] != 0 {
		t.Error("Next shares memory with its key")
	}
}

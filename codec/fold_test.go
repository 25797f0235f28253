package codec

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func checkFold(t *testing.T, a, b string) {
	t.Helper()
	fa, fb := string(Fold(nil, a)), string(Fold(nil, b))
	if got, want := fa == fb, strings.EqualFold(a, b); got != want {
		t.Errorf("Fold(%+q) = %+q, Fold(%+q) = %+q: equal is %t, EqualFold %t", a, fa, b, fb, got, want)
	}
}

// TestFold compares with strings.EqualFold over all pairs of the strings of
// up to two of some runes and bytes.
func TestFold(t *testing.T) {
	pieces := []string{
		"", "a", "A", "k", "K", "\u212A", "s", "S", "\u017F", "ß", "\u1E9E", "i", "I", "\u0130", "\u0131", "\u00B5", "\u03BC", "\u039C",
		"\u03C3", "\u03C2", "\u03A3", "\u01C4", "\u01C5", "\u01C6", "\u00E4", "\u00C4", "[", "{", "@", "`", "\x00", "\uFFFD",
		"\xFF", "\xFE", "\xC3", "\xA4", "\xE2", "\x84", "\xAA", "\U00010400", "\U00010428", "日",
	}
	var all []string
	for _, a := range pieces {
		for _, b := range pieces {
			all = append(all, a+b)
		}
	}
	for _, a := range all {
		for _, b := range all {
			checkFold(t, a, b)
		}
	}
}

// TestFoldRunes folds every rune: an orbit has one fold, and it is the
// smallest rune of it.
func TestFoldRunes(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		got := foldRune(r)
		if got > r || foldRune(unicode.SimpleFold(r)) != got || foldRune(got) != got {
			t.Fatalf("foldRune(%U) = %U", r, got)
		}
		if s := string(Fold(nil, string(r))); s != string(got) {
			t.Fatalf("Fold(%U) = %+q, want %U", r, s, got)
		}
	}
}

func TestFoldRandom(t *testing.T) {
	seed := rand.Uint64()
	rng := newRand(seed)
	random := func() string {
		var b []byte
		for range rng.IntN(4) {
			switch rng.IntN(3) {
			case 0:
				b = append(b, byte(rng.IntN(256)))
			case 1:
				b = append(b, byte('A'+rng.IntN(64)))
			default:
				b = utf8.AppendRune(b, rune(rng.IntN(0x600)))
			}
		}
		return string(b)
	}
	// change returns s with another case here and there.
	change := func(s string) string {
		return strings.Map(func(r rune) rune {
			for range rng.IntN(3) {
				r = unicode.SimpleFold(r)
			}
			return r
		}, s)
	}
	for range 200_000 {
		a := random()
		checkFold(t, a, random())
		checkFold(t, a, change(a))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// checkFoldPrefix checks the folded part of s against those of all its prefixes, and
// of what its part has in common with those of others.
func checkFoldPrefix(t *testing.T, s string) {
	t.Helper()
	exact, folded := AppendString(nil, s), appendFolded(nil, s)
	for i := range exact {
		if head := FoldPrefix([]byte("x"), exact[:i]); !bytes.HasPrefix(folded, head[1:]) {
			t.Errorf("Fold(%+q) is the part %x, which does not begin with FoldPrefix(%x) = %x", s, folded, exact[:i], head[1:])
		}
	}
	for i := range len(s) + 1 {
		// All of a prefix is used but a rune that may be cut in two, which is
		// shorter than a rune.
		text := AppendString(nil, s[:i])
		head := FoldPrefix(nil, text[:len(text)-2])
		for n := i; ; n-- {
			if whole := appendFolded(nil, s[:n]); bytes.HasPrefix(head, whole[:len(whole)-2]) {
				break
			}
			if n == 0 || i-n >= utf8.UTFMax-1 {
				t.Errorf("FoldPrefix of %+q is %x: it leaves out more than a piece of a rune", s[:i], head)
				break
			}
		}
	}
}

// TestFoldPrefix: the fold of a prefix begins the fold of what begins with it, for
// strings of up to three of some runes and bytes.
func TestFoldPrefix(t *testing.T) {
	pieces := []string{"", "a", "A", "K", "\u212A", "ß", "\u0130", "\u0131", "\u03C2", "\x00", "\u00FF", "\uFFFD", "\xFF", "\x80", "\xC3", "\xA4", "\xE2", "\x84", "\xF0\x90", "\U00010428"}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				checkFoldPrefix(t, a+b+c)
			}
		}
	}
	for _, test := range []struct{ head, want string }{
		{"san ", "SAN "}, {"\u212A", "K"}, {"\u00E4\xC3", "\u00C4"}, {"\xC3", ""}, {"a\xE2\x84", "A"}, {"a\xFF", "A\uFFFD"},
		{"a\x00\xFF", "A\x00\xFF"}, {"a\x00", "A"}, {"a\x00\x01", "A"},
	} {
		if got := FoldPrefix(nil, []byte(test.head)); string(got) != test.want {
			t.Errorf("FoldPrefix(%+q) = %+q, want %+q", test.head, got, test.want)
		}
	}
}

func FuzzFoldPrefix(f *testing.F) {
	f.Add("Stra\xC3\x9Fe")
	f.Add("\xE2\x84\xAAelvin\x00\xE2\x84")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 200 {
			checkFoldPrefix(t, s)
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add("Straße", "STRASSE")
	f.Add("k\xFF", "\u212A\uFFFD")
	f.Fuzz(func(t *testing.T, a, b string) {
		checkFold(t, a, b)
		checkFold(t, a, strings.ToUpper(a))
		if again := string(Fold(nil, string(Fold(nil, a)))); again != string(Fold(nil, a)) {
			t.Errorf("Fold of Fold(%+q) = %+q", a, again)
		}
	})
}

package codec

import (
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

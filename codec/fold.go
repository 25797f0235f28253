package codec

import (
	"unicode"
	"unicode/utf8"

	"github.com/kivisdb/kivis/reflectx"
)

// Fold appends s to dst, case-folded: two strings are equal after it if and
// only if [strings.EqualFold] says that they are equal. Each rune becomes the
// smallest of those that are equal to it but for case, so folding goes rune by
// rune, and the fold of a prefix is a prefix of the fold. A byte that is not
// UTF-8 becomes U+FFFD, as EqualFold takes it.
func Fold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		dst = utf8.AppendRune(dst, foldRune(r))
		i += size
	}
	return dst
}

// foldRune returns the smallest rune in r's orbit of simple case folding.
func foldRune(r rune) rune {
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	return least
}

// appendFolded appends the ordered form of s, folded.
func appendFolded(dst []byte, s string) []byte {
	start := len(dst)
	dst = Fold(dst, s)
	return append(escape(dst, start), strZero, strEnd)
}

// appendFoldedBytes is appendFolded for bytes, which it does not keep.
func appendFoldedBytes(dst, s []byte) []byte { return appendFolded(dst, reflectx.String(s)) }

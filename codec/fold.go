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

// FoldPrefix appends to dst what the folded parts of strings begin with, where
// their exact parts begin with head: the escaped text of a prefix, or what two
// parts have in common. It may be empty.
//
// Invariant: if the exact part of s begins with head, the folded part of s begins
// with FoldPrefix(nil, head). Fold goes rune by rune, and which rune comes next is
// decided by bytes that are there: so as far as runes of the prefix are full, they
// are those of s. At its end a prefix may cut a rune in two. By itself such a piece
// folds to U+FFFD, with what follows it to something else; nor does a zero byte say
// without the next one whether it is escaped or the end. So both are left out.
func FoldPrefix(dst, head []byte) []byte {
	text := make([]byte, 0, len(head))
	for i := 0; i < len(head); i++ {
		if head[i] == strZero {
			if i++; i == len(head) || head[i] != strEscape {
				break
			}
			text = append(text, strZero)
			continue
		}
		text = append(text, head[i])
	}
	full := 0
	for full < len(text) && utf8.FullRune(text[full:]) {
		_, size := utf8.DecodeRune(text[full:])
		full += size
	}
	start := len(dst)
	return escape(Fold(dst, reflectx.String(text[:full])), start)
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

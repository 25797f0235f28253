package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A token is one word or sign of a text.
type token struct {
	kind tokenKind
	text string // of a name or string, without quotes
	pos  int    // where it begins
	end  int
}

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenName             // origin, address.city, `in`
	tokenWord             // a keyword
	tokenString           // 'x' or "x"
	tokenSign             // = != < <= > >= ( ) [ ] , ?
	tokenBare             // 60, 1h30m, 2006-01-02
	tokenBad              // text says what is wrong
)

// keywords are the words that name no field, unless in backquotes.
var keywords = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "between": true, "prefix": true, "contains": true,
	"is": true, "nil": true, "null": true, "true": true, "false": true,
}

// show returns the token for a message.
func (t token) show() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenString:
		return quote(shorten(t.text))
	}
	return shorten(t.text)
}

// is reports whether the token is the sign or keyword s.
func (t token) is(s string) bool {
	return (t.kind == tokenSign || t.kind == tokenWord) && t.text == s
}

// lex returns the token that begins at or after at. Where a value is expected,
// numbers, times and the like are one token.
func lex(src string, at int, value bool) token {
	at += len(src[at:]) - len(strings.TrimLeftFunc(src[at:], unicode.IsSpace))
	t := token{pos: at, end: at}
	if at == len(src) {
		return t
	}
	r, size := utf8.DecodeRuneInString(src[at:])
	switch {
	case r == '\'' || r == '"' || r == '`':
		return lexQuoted(src, t, r)
	case value && isBare(r):
		t.kind, t.end = tokenBare, at+run(src[at:], isBare)
		t.text = src[at:t.end]
	case r == '_' || unicode.IsLetter(r):
		t.end = at + run(src[at:], isName)
		t.kind, t.text = tokenName, src[at:t.end]
		if word := strings.ToLower(t.text); keywords[word] {
			t.kind, t.text = tokenWord, word
		}
	case isBare(r):
		t.kind, t.end = tokenBare, at+run(src[at:], isBare)
		t.text = src[at:t.end]
	default:
		return lexSign(src, t, size)
	}
	return t
}

// run returns how long the text is that src begins with.
func run(src string, ok func(rune) bool) int {
	if i := strings.IndexFunc(src, func(r rune) bool { return !ok(r) }); i >= 0 {
		return i
	}
	return len(src)
}

func isName(r rune) bool {
	return r == '_' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func isBare(r rune) bool { return isName(r) || r == ':' || r == '+' || r == '-' }

func lexSign(src string, t token, size int) token {
	t.kind, t.end = tokenSign, t.pos+size
	two := src[t.pos:min(t.pos+2, len(src))]
	switch two {
	case "==", "<>":
		t.text, t.end = map[string]string{"==": "=", "<>": "!="}[two], t.pos+2
		return t
	case "!=", "<=", ">=":
		t.text, t.end = two, t.pos+2
		return t
	case "&&", "||":
		t.kind, t.text = tokenBad, fmt.Sprintf("%s: write %s", two, map[string]string{"&&": "and", "||": "or"}[two])
		return t
	}
	t.text = src[t.pos:t.end]
	switch {
	case t.text == "!":
		t.kind, t.text = tokenBad, "!: write not"
	case !strings.Contains("=<>()[],?", t.text):
		t.kind, t.text = tokenBad, fmt.Sprintf("%q is not expected", t.text)
	}
	return t
}

// lexQuoted returns a string, or a name in backquotes. In single quotes two of
// them stand for one; in double quotes a string is as in Go.
func lexQuoted(src string, t token, q rune) token {
	t.kind = tokenString
	if q == '"' {
		s, err := strconv.QuotedPrefix(src[t.pos:])
		if err != nil {
			return token{kind: tokenBad, pos: t.pos, end: len(src), text: "the string does not end, or has a bad escape"}
		}
		t.text, _ = strconv.Unquote(s)
		t.end = t.pos + len(s)
		return t
	}
	if q == '`' {
		t.kind = tokenName
	}
	var b strings.Builder
	mark := string(q)
	for i := t.pos + 1; ; {
		n := strings.IndexRune(src[i:], q)
		if n < 0 {
			return token{kind: tokenBad, pos: t.pos, end: len(src), text: "the quote does not end"}
		}
		b.WriteString(src[i : i+n])
		i += n + 1
		if !strings.HasPrefix(src[i:], mark) {
			t.text, t.end = b.String(), i
			return t
		}
		b.WriteString(mark)
		i++
	}
}

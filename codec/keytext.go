package codec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Parse returns the values of the parts that text stands for, to be given to
// [KeyType.AppendValue]: what [KeyType.Format] prints of a tuple of type k, and
// also a text as a person writes it:
//
//	8                      one part
//	ORD, 'ORD', "ORD"      one string: as it is, in quotes as WhereText has it, or as in Go
//	8,'a', (8, 'a')        several parts; strings without a comma may go without quotes
//	(8, (1, 'a'))          a tuple inside another
//	[8, "a"]               several parts as JSON
//
// Numbers are decimal, or hexadecimal after 0x; bytes are hexadecimal after 0x,
// or a UUID; times are as in RFC 3339, or as they are in WhereText; durations are
// as in Go; nil is a pointer's. What is not quoted is not changed, but for spaces
// around a part of several.
func (k *KeyType) Parse(text string) ([]any, error) {
	parts := []KeyType{*k}
	if k.Kind == Struct && !k.Ptr {
		parts = k.Parts
	}
	if len(parts) == 1 {
		v, err := parseOnePart(&parts[0], text)
		return []any{v}, err
	}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return parseKeyJSON(k, text)
	}
	p := keyParser{text: text}
	open := p.sign('(')
	list, err := p.parts(parts)
	if err == nil && open && !p.sign(')') {
		err = fmt.Errorf("a ) is missing in the key %s", showKey(text))
	}
	if err == nil && !p.end() {
		err = fmt.Errorf("the key %s has more than the %d parts of %s", showKey(text), len(parts), *k)
	}
	return list, err
}

func showKey(text string) string { return cutText(text, maxShown) }

// parseOnePart reads the text of a key with one part, which need not be in
// quotes, but may be in parentheses.
func parseOnePart(k *KeyType, text string) (any, error) {
	trimmed := strings.TrimSpace(text)
	if k.Kind == String && (trimmed == "" || !strings.ContainsRune(`('"`, rune(trimmed[0]))) {
		if k.Ptr && trimmed == "nil" {
			return nil, nil
		}
		return text, nil
	}
	// As it is first: a tuple stands in parentheses by itself.
	for _, wrapped := range []bool{false, true} {
		p := keyParser{text: text}
		if wrapped && !p.sign('(') {
			break
		}
		v, err := p.part(k)
		if err == nil && (!wrapped || p.sign(')')) && p.end() {
			return v, nil
		}
	}
	p := keyParser{text: text}
	v, err := p.part(k)
	if err == nil {
		err = fmt.Errorf("the key %s has more than one part", showKey(text))
	}
	return v, err
}

// parseKeyJSON reads a key of several parts that is a JSON array.
func parseKeyJSON(k *KeyType, text string) ([]any, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var list []any
	err := dec.Decode(&list)
	if _, after := dec.Token(); err == nil && after != io.EOF {
		err = errors.New("something follows it")
	}
	if err != nil {
		return nil, fmt.Errorf("the key %s is no array of JSON: %w", showKey(text), err)
	}
	if len(list) != len(k.Parts) {
		return nil, fmt.Errorf("it wants %d values for %s, not %d", len(k.Parts), *k, len(list))
	}
	return list, nil
}

// A keyParser reads the text of a key.
type keyParser struct {
	text string
	at   int
}

func (p *keyParser) space() {
	p.at = len(p.text) - len(strings.TrimLeft(p.text[p.at:], " \t\r\n"))
}

// sign takes c, and reports whether it was there.
func (p *keyParser) sign(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// end reports whether nothing is left.
func (p *keyParser) end() bool {
	p.space()
	return p.at == len(p.text)
}

func (p *keyParser) parts(parts []KeyType) ([]any, error) {
	list := make([]any, len(parts))
	for i := range parts {
		if i > 0 && !p.sign(',') {
			return nil, fmt.Errorf("the key %s has %d parts, want %d", showKey(p.text), i, len(parts))
		}
		var err error
		if list[i], err = p.part(&parts[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// part takes one part.
func (p *keyParser) part(k *KeyType) (any, error) {
	if k.Kind == Struct && p.sign('(') {
		list, err := p.parts(k.Parts)
		if err == nil && !p.sign(')') {
			err = fmt.Errorf("a ) is missing in the key %s", showKey(p.text))
		}
		return list, err
	}
	word, quoted, err := p.word()
	switch {
	case err != nil:
		return nil, err
	case k.Ptr && !quoted && word == "nil":
		return nil, nil
	case quoted && k.Kind != String && k.Kind != Bytes && k.Kind != ByteArray && k.Kind != Time && !k.Kind.isOwn(),
		!quoted && word == "":
		return nil, wantKey(k, word, quoted)
	}
	v, ok := parseKeyWord(k, word, quoted)
	if !ok {
		return nil, wantKey(k, word, quoted)
	}
	return v, nil
}

// word takes what is in quotes, or else goes on to the next comma or ).
func (p *keyParser) word() (word string, quoted bool, err error) {
	p.space()
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, `"`):
		q, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return "", true, fmt.Errorf("a string in the key %s does not end, or has a bad escape", showKey(p.text))
		}
		p.at += len(q)
		word, err = strconv.Unquote(q)
		return word, true, err
	case strings.HasPrefix(rest, "'"):
		word, err = p.singleQuoted()
		return word, true, err
	}
	n := strings.IndexAny(rest, ",)")
	if n < 0 {
		n = len(rest)
	}
	p.at += n
	return strings.TrimSpace(rest[:n]), false, nil
}

// singleQuoted takes a string in single quotes, in which two stand for one.
func (p *keyParser) singleQuoted() (string, error) {
	var b strings.Builder
	for p.at++; ; p.at++ {
		n := strings.IndexByte(p.text[p.at:], '\'')
		if n < 0 {
			return "", fmt.Errorf("a string in the key %s does not end", showKey(p.text))
		}
		b.WriteString(p.text[p.at : p.at+n])
		p.at += n + 1
		if p.at == len(p.text) || p.text[p.at] != '\'' {
			return b.String(), nil
		}
		b.WriteByte('\'')
	}
}

// parseKeyWord returns the value of a part that is no tuple.
func parseKeyWord(k *KeyType, word string, quoted bool) (v any, ok bool) {
	var err error
	switch k.Kind {
	case Bool:
		return word == "true", word == "true" || word == "false"
	case Int, Uint:
		return parseKeyInt(word)
	case Float:
		v, err = strconv.ParseFloat(word, 64)
	case String:
		return word, true
	case Bytes:
		digits, isHex := strings.CutPrefix(word, "0x")
		if quoted && !isHex {
			return []byte(word), true
		}
		v, err = hex.DecodeString(digits)
		return v, isHex && err == nil
	case ByteArray:
		return parseByteArray(word, k.Len)
	case Time:
		return parseKeyTime(word)
	case Duration:
		d, ok := durationOf(word)
		return d, ok
	case Own, OwnBinary, OwnText:
		b, err := k.bytesOfText(word)
		return ownBytes(append([]byte{}, b...)), err == nil
	default:
		return nil, false
	}
	return v, err == nil
}

// parseKeyInt reads an integer: decimal, or hexadecimal after 0x.
func parseKeyInt(word string) (v any, ok bool) {
	digits, base := word, 10
	if sign, after, ok := strings.Cut(word, "0x"); ok && (sign == "" || sign == "-") && !strings.ContainsAny(after, "+-") {
		digits, base = sign+after, 16
	}
	if i, err := strconv.ParseInt(digits, base, 64); err == nil {
		return i, true
	}
	u, err := strconv.ParseUint(digits, base, 64)
	return u, err == nil
}

// parseKeyTime reads a time; without a zone it is in UTC.
func parseKeyTime(word string) (v any, ok bool) {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, word); err == nil {
			return t, !finerThanNano(word)
		}
	}
	return nil, false
}

// wantKey returns the error of a word that is no part of type k.
func wantKey(k *KeyType, word string, quoted bool) error {
	want := map[Kind]string{
		Bool: "true or false", Float: "a number", Duration: "a duration such as 1h30m", Int: "an integer", Uint: "an integer",
		Struct: "a tuple such as (1, 'a')", Time: "a time such as 2006-01-02T15:04:05Z or 2006-01-02",
		Bytes: "bytes such as 0x0a0b", ByteArray: fmt.Sprintf("%d bytes such as 0x0a0b", k.Len), String: "a string, in quotes where it is empty",
	}[k.Kind]
	if k.Kind.isOwn() {
		want = "a " + k.String()
	}
	if quoted || word == "" {
		word = strconv.Quote(word)
	}
	return fmt.Errorf("the key wants %s, not %s", want, showKey(word))
}

package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A jsonScanner takes what b, which is JSON, consists of from where at is.
type jsonScanner struct {
	b  []byte
	at int
}

// scanJSON returns a scanner of text, or an error where text is no JSON.
func scanJSON(text []byte) (*jsonScanner, error) {
	switch {
	case !json.Valid(text):
		return nil, noJSON(text)
	case !utf8.Valid(text):
		return nil, errors.New("it is no JSON: it is not UTF-8")
	}
	return &jsonScanner{b: text}, nil
}

// noJSON says why text is no JSON.
func noJSON(text []byte) error {
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is no JSON: %w, at byte %d", err, syntax.Offset)
	}
	return fmt.Errorf("it is no JSON: %w", err)
}

// peek returns the first byte of the next value or sign.
func (s *jsonScanner) peek() byte {
	for strings.IndexByte(" \t\r\n", s.b[s.at]) >= 0 {
		s.at++
	}
	return s.b[s.at]
}

// raw takes the next value whole.
func (s *jsonScanner) raw() []byte {
	s.peek()
	start := s.at
	for depth := 0; ; {
		switch s.b[s.at] {
		case '"':
			s.skipString()
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		default:
			s.at++
		}
		if depth == 0 && (s.at == len(s.b) || strings.IndexByte(",]}: \t\r\n", s.b[s.at]) >= 0) {
			return s.b[start:s.at:s.at]
		}
	}
}

func (s *jsonScanner) skipString() {
	for s.at++; s.b[s.at] != '"'; s.at++ {
		if s.b[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// text takes a string.
func (s *jsonScanner) text() (string, error) {
	raw := s.raw()
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil // of UTF-8, as scanJSON has seen
	}
	if i := halfSurrogate(raw); i >= 0 {
		return "", fmt.Errorf("the string %s has half a surrogate pair, %s", cutText(string(raw), maxShown), raw[i:i+6])
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err
}

// halfSurrogate returns where in raw, a JSON string, half of a surrogate pair is
// escaped without the other half, which package json would replace; or -1.
func halfSurrogate(raw []byte) int {
	for i := 0; i < len(raw)-1; i++ {
		if raw[i] != '\\' {
			continue
		}
		if i++; raw[i] != 'u' {
			continue
		}
		switch first := hexUnit(raw[i-1:]); {
		case first&^0x7FF != 0xD800:
		case first < 0xDC00 && hexUnit(raw[i+5:])&^0x3FF == 0xDC00:
			i += 6
		default:
			return i - 1
		}
	}
	return -1
}

// hexUnit returns the UTF-16 unit that starts b as \u and four digits, or 0.
func hexUnit(b []byte) uint64 {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0
	}
	u, _ := strconv.ParseUint(string(b[2:6]), 16, 16)
	return u
}

// members takes an object, and calls value for each name to take what follows.
func (s *jsonScanner) members(value func(name string) error) error {
	return s.each('}', func(int) error {
		s.peek()
		name, err := s.text()
		if err != nil {
			return err
		}
		s.peek()
		s.at++ // the colon
		return value(name)
	})
}

// elements takes an array, and calls value to take each of its values. Errors
// have the place.
func (s *jsonScanner) elements(value func(i int) error) error {
	return s.each(']', func(i int) error {
		if err := value(i); err != nil {
			return atIndex(i, err)
		}
		return nil
	})
}

// each takes a sign, what take takes with commas between, and the sign end.
func (s *jsonScanner) each(end byte, take func(i int) error) error {
	s.peek()
	s.at++
	for i := 0; s.peek() != end; i++ {
		if err := take(i); err != nil {
			return err
		}
		if s.peek() == ',' {
			s.at++
		}
	}
	s.at++
	return nil
}

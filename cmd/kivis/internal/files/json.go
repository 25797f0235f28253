package files

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonReader reads records from JSON: one object after the other, as JSON Lines
// has them, or, over several lines, as programs print them; or an array of objects.
type jsonReader struct {
	buf   *bufio.Reader
	lined bool          // each object has a line, whatever the first line holds
	array *json.Decoder // of an array, or of objects over several lines; nil for lines
	loose bool          // there is no array around the objects
	begun bool
	n     int
	lines int
	end   int64
}

// newJSONReader returns a reader of JSON, or of JSON Lines.
func newJSONReader(f io.Reader, lined bool) *jsonReader {
	return &jsonReader{buf: bufio.NewReaderSize(f, 1<<16), lined: lined}
}

func (r *jsonReader) Columns() []string { return nil }

func (r *jsonReader) Next() (Item, error) {
	if !r.begun {
		r.begun = true
		if err := r.begin(); err != nil {
			return Item{}, err
		}
	}
	if r.array != nil {
		return r.element()
	}
	return r.line()
}

// begin looks whether the file is an array, or has objects of several lines: in the
// first line one begins then, and does not end.
func (r *jsonReader) begin() error {
	head, err := r.buf.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		n, err := r.buf.Discard(3)
		if err != nil {
			return err
		}
		r.end, head = int64(n), head[n:]
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	first, _, more := bytes.Cut(head, []byte("\n"))
	switch {
	case len(head) > 0 && head[0] == '[':
		r.array = json.NewDecoder(r.buf)
		_, err = r.array.Token()
		return err
	case !r.lined && more && errors.Is(json.NewDecoder(bytes.NewReader(first)).Decode(new(json.RawMessage)), io.ErrUnexpectedEOF):
		r.array, r.loose = json.NewDecoder(r.buf), true
	}
	return nil
}

var errCutArray = errors.New("the file ends before the array does")

// element reads a record of an array, or of several lines. Behind a mistake nothing
// more can be read.
func (r *jsonReader) element() (Item, error) {
	if !r.loose && !r.array.More() {
		if err := r.ends(); err != nil {
			return Item{}, fmt.Errorf("behind record %d: %w", r.n, err)
		}
		return Item{}, io.EOF
	}
	var text json.RawMessage
	if err := r.array.Decode(&text); r.loose && errors.Is(err, io.EOF) {
		return Item{}, io.EOF
	} else if errors.Is(err, io.EOF) {
		return Item{}, fmt.Errorf("behind record %d: %w", r.n, errCutArray)
	} else if err != nil {
		return Item{}, fmt.Errorf("record %d, behind byte %d: %w", r.n+1, r.array.InputOffset(), err)
	}
	r.n++
	return Item{Number: r.n, End: r.array.InputOffset(), JSON: text}, nil
}

// ends returns an error where the array does not end, or something follows it.
func (r *jsonReader) ends() error {
	if _, err := r.array.Token(); errors.Is(err, io.EOF) {
		return errCutArray
	} else if err != nil {
		return err
	}
	if _, err := r.array.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the array")
	}
	return nil
}

// line reads a record that has a line of its own. Empty lines are passed over.
func (r *jsonReader) line() (Item, error) {
	for {
		line, err := r.buf.ReadBytes('\n')
		r.end += int64(len(line))
		r.lines++
		text := bytes.TrimSpace(line)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return Item{}, err
		case len(text) == 0 && err != nil:
			return Item{}, io.EOF
		case len(text) == 0:
			continue
		}
		r.n++
		return Item{Number: r.n, Line: r.lines, End: r.end, JSON: text}, nil
	}
}

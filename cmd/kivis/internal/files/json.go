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
// has them, or an array of objects.
type jsonReader struct {
	buf   *bufio.Reader
	array *json.Decoder // of an array; nil for lines
	begun bool
	n     int
	lines int
	end   int64
}

func newJSONReader(f io.Reader) *jsonReader {
	return &jsonReader{buf: bufio.NewReaderSize(f, 1<<16)}
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

// begin looks whether the file is an array.
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
	if len(head) == 0 || head[0] != '[' {
		return nil
	}
	r.array = json.NewDecoder(r.buf)
	_, err = r.array.Token()
	return err
}

// element reads a record of an array. Behind a mistake nothing more can be read.
func (r *jsonReader) element() (Item, error) {
	if !r.array.More() {
		if _, err := r.array.Token(); err != nil {
			return Item{}, fmt.Errorf("behind record %d: %w", r.n, err)
		}
		return Item{}, io.EOF
	}
	var text json.RawMessage
	if err := r.array.Decode(&text); err != nil {
		return Item{}, fmt.Errorf("record %d, behind byte %d: %w", r.n+1, r.array.InputOffset(), err)
	}
	r.n++
	return Item{Number: r.n, End: r.array.InputOffset(), JSON: text}, nil
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

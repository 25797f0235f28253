package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// rejects is a file of records that could not be imported. A nil *rejects takes
// none.
type rejects struct {
	f    *os.File
	name string
	end  int64 // of what is there for good; -1 where the file has no places, as a pipe
}

// openRejects opens the file with the name, to be written behind what is in it,
// as by the run of the same import that was stopped; nil where there is no name.
func openRejects(name string) (*rejects, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	r := &rejects{f: f, end: -1}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		r.end = info.Size()
		r.name, err = filepath.Abs(name)
	}
	return r, err
}

// reject is one line of the file.
type reject struct {
	Line   int             `json:"line,omitempty"`
	Number int             `json:"record"`
	Error  string          `json:"error"`
	Text   string          `json:"text,omitempty"`  // as it is in a file of texts
	Bytes  []byte          `json:"bytes,omitempty"` // the same where that is no UTF-8
	Value  json.RawMessage `json:"value,omitempty"` // of a JSON file
}

// rejectOf returns the line for a record.
func rejectOf(p *parsed, err error) reject {
	line := reject{Line: p.Line, Number: p.Number, Error: plain(err)}
	switch raw := p.Raw; {
	case raw == nil && json.Valid(p.JSON):
		line.Value = p.JSON
	case raw == nil:
		raw = p.JSON
		fallthrough
	default:
		if line.Text = string(raw); !utf8.Valid(raw) {
			line.Text, line.Bytes = "", raw
		}
	}
	return line
}

// add writes the records of a chunk that have errors, and returns where the file
// ends then. They are on the disk when it returns, before the chunk's transaction
// says so; until keep is called, another add writes over them.
func (r *rejects) add(items []parsed, errs []error) (end int64, err error) {
	if r == nil {
		return 0, nil
	}
	var all []byte
	for i := range items {
		if errs[i] == nil {
			continue
		}
		b, err := json.Marshal(rejectOf(&items[i], errs[i]))
		if err != nil {
			return 0, err
		}
		all = append(append(all, b...), '\n')
	}
	if r.end < 0 {
		_, err = r.f.Write(all)
		return -1, err
	}
	end = r.end + int64(len(all))
	if err := r.cut(end); err != nil || len(all) == 0 {
		return end, err
	}
	if _, err := r.f.WriteAt(all, r.end); err != nil {
		return 0, err
	}
	return end, r.f.Sync()
}

// cut takes away what is behind a place.
func (r *rejects) cut(end int64) error {
	info, err := r.f.Stat()
	if err == nil && info.Size() > end {
		err = r.f.Truncate(end)
	}
	return err
}

// keep has the file stay as it is up to a place.
func (r *rejects) keep(end int64) {
	if r != nil {
		r.end = end
	}
}

// resume takes away what an earlier run, which was killed, has written behind a
// place, up to which its last transaction had come: the records behind that one,
// which are now tried again. What looks otherwise is left, and written behind.
func (r *rejects) resume(end int64, records int) error {
	if r.end < end {
		return nil
	}
	in := bufio.NewReader(io.NewSectionReader(r.f, end, r.end-end))
	for last := records; ; {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil { // the end, or a line that was being written
			if len(line) == 0 || line[0] == '{' {
				r.end = end
			}
			return nil
		}
		var j reject
		if json.Unmarshal(line, &j) != nil || j.Number <= last || j.Number > records+chunkRecords {
			return nil
		}
		last = j.Number
	}
}

func (r *rejects) close() error {
	if r == nil {
		return nil
	}
	if r.end < 0 {
		return r.f.Close()
	}
	return errors.Join(r.f.Sync(), r.f.Close())
}

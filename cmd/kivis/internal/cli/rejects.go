package cli

import (
	"encoding/json"
	"errors"
	"os"
	"unicode/utf8"
)

// rejects is a file of records that could not be imported. A nil *rejects takes
// none.
type rejects struct{ f *os.File }

// openRejects opens the file with the name, to be written behind what is in it,
// as by the run of the same import that was stopped; nil where there is no name.
func openRejects(name string) (*rejects, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &rejects{f}, nil
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

// add writes the records that have errors.
func (r *rejects) add(items []parsed, errs []error) error {
	if r == nil {
		return nil
	}
	var all []byte
	for i := range items {
		if errs[i] == nil {
			continue
		}
		line := reject{Line: items[i].Line, Number: items[i].Number, Error: plain(errs[i])}
		switch raw := items[i].Raw; {
		case raw == nil && json.Valid(items[i].JSON):
			line.Value = items[i].JSON
		case raw == nil:
			raw = items[i].JSON
			fallthrough
		default:
			if line.Text = string(raw); !utf8.Valid(raw) {
				line.Text, line.Bytes = "", raw
			}
		}
		b, err := json.Marshal(line)
		if err != nil {
			return err
		}
		all = append(append(all, b...), '\n')
	}
	_, err := r.f.Write(all)
	return err
}

func (r *rejects) close() error {
	if r == nil {
		return nil
	}
	return errors.Join(r.f.Sync(), r.f.Close())
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// A child is this program run again, once for each contender, so that their
// heaps, caches and goroutines do not mix. It gets its settings and then one
// request after another as JSON, and answers each.

// childEnv is set in the environment of a child.
const childEnv = "KIVIS_BENCH_CHILD"

// request is what a child is to do next.
type request struct {
	Do       string // one of the constants below
	Workload string // of doRun
	Round    int    // of doRun: which measurement of the workload it is
}

// What a child can do.
const (
	doConduct = "conduct" // answer how the contender behaves
	doAnswer  = "answer"  // answer what the table holds
	doRun     = "run"     // measure a workload
	doStop    = "stop"    // close the table and end
)

// reply is what a child answers.
type reply struct {
	Error   string   `json:",omitempty"`
	Skipped bool     `json:",omitempty"` // the workload is not for this contender
	Answers Answers  `json:",omitempty"`
	Measure *Measure `json:",omitempty"`
}

// runChild serves requests from in until one says to stop.
func runChild(in io.Reader, out io.Writer) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	var settings Settings
	if err := dec.Decode(&settings); err != nil {
		return err
	}
	s, err := newSession(settings)
	if err != nil {
		return err
	}
	for {
		var req request
		switch err := dec.Decode(&req); {
		case errors.Is(err, io.EOF):
			return nil // the parent is gone
		case err != nil:
			return err
		}
		if err := enc.Encode(s.serve(req)); err != nil || req.Do == doStop {
			return err
		}
	}
}

// serve carries out a request.
func (s *session) serve(req request) reply {
	var rep reply
	var err error
	switch req.Do {
	case doConduct:
		rep.Answers, err = s.conduct()
	case doAnswer:
		rep.Answers, err = s.ask(s.db)
	case doRun:
		rep.Measure, err = s.run(req)
	case doStop:
		err = s.close()
	default:
		err = fmt.Errorf("unknown request %q", req.Do)
	}
	if errors.Is(err, errSkip) {
		return reply{Skipped: true}
	}
	if err != nil {
		return reply{Error: err.Error()}
	}
	return rep
}

// run measures a workload.
func (s *session) run(req request) (*Measure, error) {
	w, ok := workloadOf(req.Workload)
	if !ok {
		return nil, fmt.Errorf("unknown workload %q", req.Workload)
	}
	s.round = req.Round
	var m Measure
	err := s.profiled(w.Name, func() (err error) {
		m, err = w.Run(s)
		return err
	})
	return &m, err
}

// childMain is the main function of a child. What contenders print goes where
// errors go, since standard output is the parent's.
func childMain() int {
	out := os.Stdout
	os.Stdout = os.Stderr
	if err := runChild(os.Stdin, out); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

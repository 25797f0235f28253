package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// harness runs contenders against each other. In a round each has a new
// process; there one measures at a time, and they alternate, so that a ratio
// between two of them is of measurements a moment apart.
type harness struct {
	opts     *Options
	progress io.Writer
	results  *Results
}

// timeout is how long a child may take for one request, loads apart.
const timeout = 5 * time.Minute

// run measures everything that the options name.
func (h *harness) run() error {
	for _, n := range h.opts.Records {
		for round := range h.opts.Rounds {
			if err := h.round(n, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// say reports progress.
func (h *harness) say(format string, args ...any) {
	fmt.Fprintf(h.progress, format+"\n", args...)
}

// round measures every contender at every workload.
func (h *harness) round(n, round int) (err error) {
	dir, err := os.MkdirTemp(h.opts.Dir, "kivis-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	workers, err := h.start(dir, n, round)
	defer func() { err = errors.Join(err, h.stop(workers, n)) }()
	if err != nil {
		return err
	}
	if err := h.verify(workers, doConduct); err != nil {
		return err
	}
	h.say("%d records, round %d of %d: %d contenders behave alike", n, round+1, h.opts.Rounds, len(workers))
	for i, w := range h.opts.workloads() {
		h.workload(w, workers, n, round)
		if i > 0 {
			continue
		}
		if err := h.verify(workers, doAnswer); err != nil {
			return err
		}
		h.say("  the loaded tables give the same answers")
	}
	return nil
}

// start starts a child for each contender. Who comes first differs from round
// to round.
func (h *harness) start(dir string, n, round int) ([]*worker, error) {
	var workers []*worker
	for _, e := range rotated(h.opts.entries(), round) {
		w, err := startWorker(e, h.opts.settings(dir, n))
		if err != nil {
			return workers, err
		}
		workers = append(workers, w)
	}
	return workers, nil
}

// rotated returns s with its first n elements at the end.
func rotated[E any](s []E, n int) []E {
	if len(s) == 0 {
		return s
	}
	n %= len(s)
	return slices.Concat(s[n:], s[:n])
}

// stop ends the children. An error of one that has gone well until then is one
// of the run: its table was not as it should be.
func (h *harness) stop(workers []*worker, n int) error {
	var faults []error
	for _, w := range workers {
		if w.broken != nil {
			h.results.note(fmt.Sprintf("%d records: %v", n, w.broken))
		}
		faults = append(faults, w.stop())
	}
	return errors.Join(faults...)
}

// verify asks all contenders the same and compares their answers.
func (h *harness) verify(workers []*worker, what string) error {
	answers := map[string]Answers{}
	for _, w := range workers {
		if w.broken != nil {
			continue
		}
		rep, err := w.call(request{Do: what}, timeout)
		switch {
		case errors.Is(err, errSlow):
			h.say("  %v", err)
		case err != nil:
			return err
		default:
			answers[w.entry.Name] = rep.Answers
		}
	}
	return compare(workers, answers)
}

// compare returns which contenders answer otherwise than the limit by hand
// of their field, or where that did not answer than the first that did.
func compare(workers []*worker, answers map[string]Answers) error {
	var reference string
	for _, name := range []string{onDisk.Baseline, inRAM.Baseline, firstOf(workers, answers)} {
		if answers[name] != nil {
			reference = name
			break
		}
	}
	var faults []error
	for name, got := range answers {
		if topics := differing(got, answers[reference]); len(topics) > 0 {
			faults = append(faults, fmt.Errorf("%s answers otherwise than %s: %s", name, reference, strings.Join(topics, ", ")))
		}
	}
	return errors.Join(faults...)
}

func firstOf(workers []*worker, answers map[string]Answers) string {
	for _, w := range workers {
		if answers[w.entry.Name] != nil {
			return w.entry.Name
		}
	}
	return ""
}

// differing returns the topics of both on which they differ, in order.
func differing(a, b Answers) []string {
	var topics []string
	for topic, x := range a {
		if y, ok := b[topic]; ok && x != y {
			topics = append(topics, fmt.Sprintf("%s (%s, not %s)", topic, x, y))
		}
	}
	slices.Sort(topics)
	return topics
}

// workload measures all contenders at a workload, alternating.
func (h *harness) workload(w Workload, workers []*worker, n, round int) {
	times := h.opts.Slices
	if w.Once {
		times = 1
	}
	limit := timeout
	if w.Once {
		limit += h.opts.LoadCap
	}
	for slice := range times {
		for _, worker := range rotated(workers, slice) {
			if worker.broken != nil {
				continue
			}
			rep, err := worker.call(request{Do: doRun, Workload: w.Name, Round: slice}, limit)
			switch {
			case err != nil:
				h.say("  %v", err)
			case !rep.Skipped:
				h.results.add(Sample{n, worker.entry.Name, w.Name, round, slice, *rep.Measure})
			}
		}
	}
	h.say("  %s", w.Title)
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// worker is a child as its parent sees it.
type worker struct {
	entry   Entry
	dir     string
	cmd     *exec.Cmd
	in      io.WriteCloser
	enc     *json.Encoder
	replies chan reply
	broken  error // why it is no longer asked
}

// startWorker starts a child with a directory of its own under settings.Dir.
func startWorker(e Entry, settings Settings) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	settings.Contender = e.Name
	if settings.Dir, err = os.MkdirTemp(settings.Dir, e.Name+"-"); err != nil {
		return nil, err
	}
	w := &worker{entry: e, dir: settings.Dir, cmd: exec.Command(self), replies: make(chan reply, 1)}
	w.cmd.Env = append(os.Environ(), childEnv+"=1")
	w.cmd.Stderr = os.Stderr
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	w.enc = json.NewEncoder(w.in)
	go w.read(out)
	return w, w.enc.Encode(settings)
}

// read passes on the child's replies until it ends.
func (w *worker) read(out io.Reader) {
	defer close(w.replies)
	for dec := json.NewDecoder(out); ; {
		var rep reply
		if dec.Decode(&rep) != nil {
			return
		}
		w.replies <- rep
	}
}

// errSlow is why a worker is not asked any more that took too long.
var errSlow = errors.New("took too long")

// call has the child do something. After an error it is not asked any more.
func (w *worker) call(req request, timeout time.Duration) (reply, error) {
	if w.broken != nil {
		return reply{}, w.broken
	}
	rep, err := w.exchange(req, timeout)
	if err == nil && rep.Error != "" {
		err = errors.New(rep.Error)
	}
	if err != nil {
		w.broken = fmt.Errorf("%s: %s %s: %w", w.entry.Name, req.Do, req.Workload, err)
	}
	return rep, w.broken
}

func (w *worker) exchange(req request, timeout time.Duration) (reply, error) {
	if err := w.enc.Encode(req); err != nil {
		return reply{}, err
	}
	select {
	case rep, ok := <-w.replies:
		if !ok {
			return reply{}, errors.New("the process ended")
		}
		return rep, nil
	case <-time.After(timeout):
		return reply{}, fmt.Errorf("%w: more than %v", errSlow, timeout)
	}
}

// stop ends the child and removes its directory.
func (w *worker) stop() error {
	var err error
	if w.broken == nil {
		_, err = w.call(request{Do: doStop}, time.Minute)
	}
	if w.broken != nil {
		_ = w.cmd.Process.Kill() // it may have ended
	}
	_ = w.in.Close()
	for range w.replies { // until it has ended
	}
	if e := w.cmd.Wait(); w.broken == nil {
		err = errors.Join(err, e)
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

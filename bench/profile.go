package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profiled runs fn and writes a profile of where it spent processor time, if
// the options name a directory for that. A profile is of all that a workload
// does, also of what is not timed.
func (s *session) profiled(workload string, fn func() error) (err error) {
	if s.Profile == "" {
		return fn()
	}
	name := fmt.Sprintf("%s.%s.%d.pprof", s.entry.Name, workload, s.round)
	file, err := os.Create(filepath.Join(s.Profile, name))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = fn()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}

//go:build !unix

package main

import (
	"io/fs"
	"path/filepath"
	"time"
)

// cpuTime is not known on this system.
func cpuTime() time.Duration { return 0 }

// diskUsage returns the sizes of the files under dir.
func diskUsage(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

//go:build !linux

package badgerstore

import "time"

// dirWatch watches nothing: the path is looked at each time.
type dirWatch struct{}

func (dirWatch) open(string) {}

func (dirWatch) unchanged(time.Time) bool { return false }

func (dirWatch) close() {}

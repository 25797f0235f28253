package cache

import "bytes"

// FillBlindly has the nearest layer keep what was read, whatever has been committed
// since: as a layer would that does not ask. It is for tests of tests.
func FillBlindly(s *Store, key, value []byte) {
	l := s.layers[0]
	l.mu.Lock()
	defer l.mu.Unlock()
	f := single(bytes.Clone(key), value, moment{})
	if err := l.fillLocked(f, 0); err != nil {
		panic(err)
	}
}

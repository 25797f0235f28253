package cache

import (
	"bytes"
	"sort"
	"sync"

	"github.com/kivisdb/kivis/store"
)

// stash has the values of what was committed in this process since the layers
// have last followed, so that they need not be read again.
type stash struct {
	mu      sync.Mutex
	commits map[uint64]values
	bytes   int
}

// values is what one version has written, in key order.
type values []store.Change

// maxStash is how many bytes of values wait to be taken. A stack that nobody uses
// follows no more, so there may be any number.
const maxStash = 1 << 20

// put is a commit hook of the origin.
func (s *stash) put(version uint64, changes []store.Change) {
	size := 0
	for _, c := range changes {
		size += len(c.Key) + len(c.Value) + itemCost
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+size > maxStash || s.commits == nil {
		s.commits, s.bytes = make(map[uint64]values), 0
	}
	if size > maxStash {
		return
	}
	s.commits[version] = values(append([]store.Change(nil), changes...))
	s.bytes += size
}

// take returns what a version has written, where that is known, and forgets it.
func (s *stash) take(version uint64) values {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.commits[version]
	if ok {
		delete(s.commits, version)
		if len(s.commits) == 0 {
			s.bytes = 0
		}
	}
	return v
}

// of returns the value of a key, nil where it is not known.
func (v values) of(key []byte) []byte {
	i := sort.Search(len(v), func(i int) bool { return bytes.Compare(v[i].Key, key) >= 0 })
	if i < len(v) && bytes.Equal(v[i].Key, key) {
		return v[i].Value
	}
	return nil
}

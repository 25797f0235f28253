package check

// targets remembers keys of records that are known to be there, so that a
// record that many refer to is looked up once. It forgets all of them when they
// take too much memory.
type targets struct {
	known map[string]struct{}
	size  int
}

// maxTargets bounds the bytes of the keys that targets remembers.
const maxTargets = 8 << 20

// keyOverhead is about how many bytes a key takes in a map beside its own.
const keyOverhead = 32

func (t *targets) has(key []byte) bool {
	_, ok := t.known[string(key)]
	return ok
}

func (t *targets) add(key []byte) {
	if t.size > maxTargets || t.known == nil {
		t.known, t.size = map[string]struct{}{}, 0
	}
	t.known[string(key)] = struct{}{}
	t.size += len(key) + keyOverhead
}

package occ

import "sync"

// Queue has transactions that commit at the same time committed together. The
// first to come leads: it takes everybody who waits, commits the group, and
// wakes them; those who have come meanwhile are led by the first of them. Set
// Lead and Aborted before use.
type Queue struct {
	// Lead commits a group, and sets Version and Err of each member. There is
	// one call at a time.
	Lead func(group []*Member)

	// Fits, if set, is asked of one member after another whether its writes
	// have room in the group, and ends that if not. The first always has.
	Fits func(i int, writes *Overlay) bool

	// Aborted is what the members get should Lead panic, as a commit hook may.
	Aborted error

	// Committing is held while a group is taken and committed. Whoever else
	// holds it keeps commits away.
	Committing sync.Mutex

	group []*Member // under Committing

	mu      sync.Mutex
	waiting []*Member
	led     bool // somebody leads, or has been told to
}

// Member is a transaction in the queue, and what has become of it.
type Member struct {
	Tx      *Tx
	Version uint64
	Err     error
	wake    chan bool // whether to lead; nil for one that need not wait
}

// A channel belongs to the test bubble that it was made in (package synctest),
// so none goes into the pool.
var members = sync.Pool{New: func() any { return new(Member) }}

// Commit has tx committed, alone or with others, and returns its version.
func (q *Queue) Commit(tx *Tx) (uint64, error) {
	m := members.Get().(*Member)
	m.Tx, m.Version, m.Err = tx, 0, nil
	if q.join(m) || <-m.wake {
		q.lead(m)
	}
	version, err := m.Version, m.Err
	*m = Member{}
	members.Put(m)
	return version, err
}

// Waiting returns how many wait for a leader, for tests that fill the queue.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// join enqueues m and says whether it leads.
func (q *Queue) join(m *Member) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, m)
	if q.led {
		m.wake = make(chan bool, 1)
		return false
	}
	q.led = true
	return true
}

// lead commits the group that m is the first of.
func (q *Queue) lead(m *Member) {
	// A panic is the fault of a hook, but must not leave the others waiting
	// for ever.
	defer q.pass()
	q.Committing.Lock()
	defer q.Committing.Unlock()
	q.take()
	defer q.dismiss(m)
	for _, other := range q.group {
		other.Err = q.Aborted
	}
	q.Lead(q.group)
}

// take moves the members of the next group from the queue.
func (q *Queue) take() {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.waiting) && (q.Fits == nil || q.Fits(n, q.waiting[n].Tx.Overlay()) || n == 0) {
		n++
	}
	q.group = append(q.group[:0], q.waiting[:n]...)
	left := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[left:])
	q.waiting = q.waiting[:left]
}

// dismiss wakes the members of the group that m leads.
func (q *Queue) dismiss(m *Member) {
	for _, other := range q.group {
		if other != m {
			other.wake <- false
		}
	}
	clear(q.group)
}

// pass has the first in the queue lead, if there is one.
func (q *Queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.led = false
		return
	}
	q.waiting[0].wake <- true
}

package pgstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// replicas are servers that follow the one that commits, and what is read there.
type replicas struct {
	primary *backend
	list    []*replica
	turn    atomic.Uint32 // whose it is
	known   times
}

// openReplicas returns those of some URLs, or nil. It connects to none.
func openReplicas(ctx context.Context, b *backend, urls []string) (*replicas, error) {
	if len(urls) == 0 {
		return nil, nil
	}
	r := &replicas{primary: b}
	for _, url := range urls {
		config, err := replicaOf(url)
		if err != nil {
			r.close()
			return nil, err
		}
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			r.close()
			return nil, fmt.Errorf("pgstore: Options.Replicas: %w", err)
		}
		r.list = append(r.list, &replica{server: server{pool: pool, sql: b.sql}, start: time.Now()})
	}
	return r, nil
}

func (r *replicas) close() {
	if r == nil {
		return
	}
	for _, one := range r.list {
		one.pool.Close()
	}
}

// learn notes when the newest version was made.
func (r *replicas) learn(version uint64, at time.Time) {
	if r != nil {
		r.known.set(version, at)
	}
}

// Read implements remote.Reads.
func (r *replicas) Read(ctx context.Context, version uint64, keys [][]byte) (values [][]byte, err error) {
	if r.ask(ctx, version, func(ctx context.Context, s *server) (st state, err error) {
		values, st, err = s.read(ctx, version, keys)
		return st, err
	}) {
		return values, nil
	}
	return r.primary.Read(ctx, version, keys)
}

// Scan implements remote.Reads.
func (r *replicas) Scan(ctx context.Context, version uint64, rg store.Range, limit int) (entries []remote.Entry, more bool, err error) {
	if !isEmpty(rg) && r.ask(ctx, version, func(ctx context.Context, s *server) (st state, err error) {
		entries, more, st, err = s.scan(ctx, version, rg, limit)
		return st, err
	}) {
		return entries, more, nil
	}
	return r.primary.Scan(ctx, version, rg, limit)
}

// ask has a replica read a version, and says whether it has done so. One that has
// another version by that number, as after the server has been replaced by a
// replica that was behind, is told by the time at which it was made.
func (r *replicas) ask(ctx context.Context, version uint64, read func(ctx context.Context, s *server) (state, error)) bool {
	at, ok := r.known.get(version)
	if !ok {
		return false
	}
	one := r.choose(version)
	if one == nil {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	st, err := read(bounded, &one.server)
	switch {
	case ctx.Err() != nil || err == nil && st.version >= version && st.at == nil:
		return false // which says nothing of the replica
	case err != nil || st.version >= version && !st.at.Equal(at):
		one.rest(0, restFailed, lastRestFailed)
		return false
	case st.version < version:
		one.rest(st.version, restBehind, lastRestBehind)
		return false
	}
	one.works(st.version)
	return true
}

// choose returns a replica that has a version, or may have it, or nil.
func (r *replicas) choose(version uint64) *replica {
	turn := int(r.turn.Add(1))
	var maybe *replica
	for i := range r.list {
		one := r.list[(turn+i)%len(r.list)]
		if one.reached.Load() >= version {
			return one
		}
		if maybe == nil && one.rested() {
			maybe = one
		}
	}
	return maybe
}

const (
	// replicaTimeout is how long is waited for a replica, before the server is asked.
	replicaTimeout = 2 * time.Second

	// How long a replica is not asked for versions that it is not known to have: at first,
	// and at most, if it was behind, and if it has failed.
	restBehind     = 5 * time.Millisecond
	lastRestBehind = time.Second
	restFailed     = time.Second
	lastRestFailed = 30 * time.Second
)

// replica is one of them.
type replica struct {
	server
	start   time.Time
	reached atomic.Uint64 // its newest version, as far as is known
	pause   atomic.Int64  // how long it rests; 0 if it has what it was last asked for
	until   atomic.Int64  // then, since start
	served  atomic.Uint64 // how many requests it has answered
}

// works notes that it has answered.
func (r *replica) works(version uint64) {
	r.reached.Store(version)
	r.pause.Store(0)
	r.served.Add(1)
}

// rest has it not be asked for a while, for twice as long each time, but for what it has.
func (r *replica) rest(reached uint64, first, last time.Duration) {
	pause := min(max(2*r.pause.Load(), int64(first)), int64(last))
	r.reached.Store(reached)
	r.pause.Store(pause)
	r.until.Store(int64(time.Since(r.start)) + pause)
}

// rested says whether it may be asked again. After a rest one request does so, and
// others only once that has been answered.
func (r *replica) rested() bool {
	now, until := int64(time.Since(r.start)), r.until.Load()
	return now >= until && (r.pause.Load() == 0 || r.until.CompareAndSwap(until, now+int64(replicaTimeout)))
}

// times has when the newest versions were made, by the server's clock.
type times struct {
	mu   sync.Mutex
	ring [1024]struct {
		version uint64
		at      time.Time
	}
}

func (t *times) set(version uint64, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := &t.ring[version%uint64(len(t.ring))]
	slot.version, slot.at = version, at
}

func (t *times) get(version uint64) (at time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := &t.ring[version%uint64(len(t.ring))]
	return slot.at, slot.version == version
}

// Package slowstore makes a store behave as one that is far away: its requests take
// time, fail, lose their replies, or cannot be sent at all, on command. It is for
// tests and demonstrations.
//
// What is a request, is what it would be if the store's data were elsewhere: Begin,
// each read of a key or of a batch, each piece of a scan, a commit, each question
// about the feed. Writes wait for the commit.
package slowstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Store   = (*Store)(nil)
	_ store.Feeder  = (*Store)(nil)
	_ store.Watcher = (*Store)(nil)
	_ store.Leaser  = (*Store)(nil)
)

// Kind is a kind of request.
type Kind uint8

// The kinds of requests.
const (
	Begin   Kind = iota // a transaction's snapshot
	Get                 // a key
	GetMany             // a batch of keys
	Scan                // a piece of a scan: up to 256 entries
	Count               // a count
	Commit              // a commit, or a lease
	Head                // the newest version
	Changes             // what was committed since
	Wait                // the newest version, once it is another
	kinds
)

var kindNames = [...]string{"Begin", "Get", "GetMany", "Scan", "Count", "Commit", "Head", "Changes", "Wait"}

// String returns the name of the kind.
func (k Kind) String() string { return kindNames[k] }

// Reads says whether a request of the kind reads keys or values.
func (k Kind) Reads() bool { return k >= Get && k <= Count }

// Options say how a store is at first. The zero value is one without delay.
type Options struct {
	Latency   time.Duration // from a request to its reply
	Jitter    time.Duration // at most so much more, at random, so that replies overtake each other
	Bandwidth int64         // bytes in a second; 0 is any number
	Twice     float64       // the part of reads that arrive twice; the second reply is ignored
}

// Store is a store that is far away.
type Store struct {
	inner  store.Store
	feeder store.Feeder

	mu      sync.Mutex
	options Options
	cut     chan struct{} // closed while the store is cut off
	inject  func(Kind) error
	lose    int // how many replies of commits are to be lost

	counts [kinds]atomic.Int64
	bytes  atomic.Int64
}

// Wrap returns s as a store that is far away, and owns it. It panics if s is no
// [store.Feeder]: such a store cannot be an origin.
func Wrap(s store.Store, options Options) *Store {
	return &Store{inner: s, feeder: s.(store.Feeder), options: options, cut: make(chan struct{})}
}

// Unwrap returns the store that s wraps.
func (s *Store) Unwrap() store.Store { return s.inner }

// Set changes the options.
func (s *Store) Set(options Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options = options
}

// Cut cuts the store off: every request fails at once with [store.ErrUnreachable],
// and those under way lose their reply.
func (s *Store) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isCut() {
		close(s.cut)
	}
}

// Mend ends what Cut has begun.
func (s *Store) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isCut() {
		s.cut = make(chan struct{})
	}
}

func (s *Store) isCut() bool {
	select {
	case <-s.cut:
		return true
	default:
		return false
	}
}

// Inject has every request fail for which inject returns an error, before it is
// sent. A nil inject ends that.
func (s *Store) Inject(inject func(Kind) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inject = inject
}

// LoseReplies has the next n commits return [store.ErrCommitUnknown], though they
// were made.
func (s *Store) LoseReplies(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = n
}

// Requests returns how many requests of the given kinds there were, or of all.
func (s *Store) Requests(of ...Kind) int {
	n := int64(0)
	for k := range s.counts {
		if len(of) == 0 {
			n += s.counts[k].Load()
		}
	}
	for _, k := range of {
		n += s.counts[k].Load()
	}
	return int(n)
}

// Reads returns how many requests have read keys or values.
func (s *Store) Reads() int { return s.Requests(Get, GetMany, Scan, Count) }

// Bytes returns how many bytes the replies had.
func (s *Store) Bytes() int64 { return s.bytes.Load() }

// call is a request: do has it done, and returns how many bytes its reply has.
func (s *Store) call(ctx context.Context, k Kind, do func() (int, error)) error {
	s.counts[k].Add(1)
	o, cut, err := s.state(k)
	if err != nil {
		return err
	}
	if err := sleep(ctx, cut, delay(o)/2); err != nil {
		return err
	}
	n, err := do()
	if k.Reads() && o.Twice > 0 && rand.Float64() < o.Twice {
		do()
	}
	s.bytes.Add(int64(n))
	d := delay(o) / 2
	if o.Bandwidth > 0 {
		d += time.Duration(float64(n) / float64(o.Bandwidth) * float64(time.Second))
	}
	if lost := sleep(ctx, cut, d); lost != nil {
		return errors.Join(lost, errReply)
	}
	return err
}

// errReply marks the error of a request that was done, but whose reply was lost.
var errReply = errors.New("slowstore: the reply was lost")

func delay(o Options) time.Duration {
	if o.Jitter <= 0 {
		return o.Latency
	}
	return o.Latency + rand.N(o.Jitter)
}

// state returns how requests go now, or why one fails.
func (s *Store) state(k Kind) (Options, chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isCut() {
		return s.options, s.cut, errCut
	}
	if s.inject != nil {
		if err := s.inject(k); err != nil {
			return s.options, s.cut, err
		}
	}
	return s.options, s.cut, nil
}

var errCut = fmt.Errorf("slowstore: %w: cut off", store.ErrUnreachable)

// sleep waits, unless the store is cut off or ctx ends.
func sleep(ctx context.Context, cut chan struct{}, d time.Duration) error {
	if d <= 0 {
		select {
		case <-cut:
			return errCut
		default:
			return nil
		}
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-cut:
		return errCut
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Begin implements [store.Store].
func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
	t := &tx{s: s, ctx: ctx}
	err := s.call(ctx, Begin, func() (n int, err error) {
		t.Tx, err = s.inner.Begin(ctx, write)
		return 0, err
	})
	if err != nil {
		if t.Tx != nil {
			t.Tx.Discard()
		}
		return nil, err
	}
	return t, nil
}

// Close implements [store.Store].
func (s *Store) Close() error { return s.inner.Close() }

// Lease implements [store.Leaser].
func (s *Store) Lease(ctx context.Context, key []byte, update func(old []byte) ([]byte, error)) error {
	return s.commit(ctx, func() error { return store.Lease(ctx, s.inner, key, update) })
}

// commit is a request that commits something. If its reply is lost, nobody knows.
func (s *Store) commit(ctx context.Context, do func() error) error {
	err := s.call(ctx, Commit, func() (int, error) { return 0, do() })
	if errors.Is(err, errReply) || err == nil && s.loses() {
		return fmt.Errorf("slowstore: %w: %w", store.ErrCommitUnknown, errReply)
	}
	return err
}

// loses says whether the reply of a commit is to be lost.
func (s *Store) loses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lose == 0 {
		return false
	}
	s.lose--
	return true
}

// Head implements [store.Feeder].
func (s *Store) Head(ctx context.Context) (version uint64, err error) {
	err = s.call(ctx, Head, func() (int, error) {
		version, err = s.feeder.Head(ctx)
		return 0, err
	})
	return version, err
}

// Wait implements [store.Feeder].
func (s *Store) Wait(ctx context.Context, after uint64) (version uint64, err error) {
	err = s.call(ctx, Wait, func() (int, error) {
		version, err = s.waitUncut(ctx, after)
		return 0, err
	})
	return version, err
}

// waitUncut waits until something is committed, or the store is cut off.
func (s *Store) waitUncut(ctx context.Context, after uint64) (uint64, error) {
	s.mu.Lock()
	cut := s.cut
	s.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-cut:
			cancel(errCut)
		case <-ctx.Done():
		}
	}()
	version, err := s.feeder.Wait(ctx, after)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return version, err
}

// Changes implements [store.Feeder].
func (s *Store) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	var commits []store.Commit
	err := s.call(ctx, Changes, func() (n int, err error) {
		err = s.feeder.Changes(ctx, after, func(c store.Commit) bool {
			commits = append(commits, c)
			for _, w := range c.Writes {
				n += len(w.Key)
			}
			return true
		})
		return n, err
	})
	for _, c := range commits {
		if err != nil && !errors.Is(err, store.ErrGap) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !yield(c) {
			return nil
		}
	}
	return err
}

// Written implements [store.Watcher].
func (s *Store) Written(ranges []store.Range, version uint64) (bool, error) {
	if w, ok := s.inner.(store.Watcher); ok {
		return w.Written(ranges, version)
	}
	return false, store.ErrGap
}

// Watch implements [store.Watcher]: without a delay, so as not to need a request.
func (s *Store) Watch(ranges []store.Range, version uint64) (written <-chan struct{}, stop func()) {
	if w, ok := s.inner.(store.Watcher); ok {
		return w.Watch(ranges, version)
	}
	done := make(chan struct{})
	close(done)
	return done, func() {}
}

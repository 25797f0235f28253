package remote

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// A group, and a proposal's footprint, are at most about so large.
const (
	maxGroupKeys  = 1 << 16
	maxGroupBytes = 16 << 20

	maxFootprint      = 2048
	maxFootprintBytes = 256 << 10
)

// maxProposals is how often what is left of a group is proposed anew, because
// others have committed, before its members are left to begin again.
const maxProposals = 8

// lastAttempts is how often a proposal, of which it is not known what has become, is
// made again while the store is being closed.
const lastAttempts = 4

// Commit implements [occ.Engine].
func (s *Store) Commit(tx *occ.Tx) (uint64, error) { return s.queue.Commit(tx) }

// fits says whether a group has room for the writes of its i-th member.
func (s *Store) fits(i int, o *occ.Overlay) bool {
	if i == 0 {
		s.room = maxGroupBytes
	}
	s.room -= o.Size() + o.Len()*(maxGroupBytes/maxGroupKeys)
	return s.room >= 0
}

// batch is what is left of a group, and what it proposes.
type batch struct {
	Proposal
	members []*occ.Member
	writes  *occ.Overlay
}

// commitGroup commits those of a group that do not conflict as one version.
func (s *Store) commitGroup(group []*occ.Member) {
	for i := 1; ; i++ {
		b := s.admit(group)
		if len(b.members) == 0 {
			return
		}
		version, err := s.propose(&b.Proposal)
		if errors.Is(err, store.ErrConflict) && i < maxProposals && s.learn(b.Base) {
			continue
		}
		if err == nil {
			err = s.committed(b, version)
		}
		settle(b.members, version, err)
		return
	}
}

// settle gives members their result.
func settle(members []*occ.Member, version uint64, err error) {
	if err != nil {
		version = 0
	}
	for _, m := range members {
		m.Version, m.Err = version, err
	}
}

// admit makes a proposal of the members of a group that do not conflict with
// what is published, nor with those before them.
func (s *Store) admit(group []*occ.Member) *batch {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	b := &batch{Proposal: Proposal{Base: s.core.Version()}}
	rand.Read(b.ID[:])
	var before occ.Tracker // what earlier members have written
	var read occ.Footprint
	for _, m := range group {
		if s.core.Conflicts(m.Tx) || before.Conflicts(m.Tx.Reads(), 0) {
			m.Err = store.ErrConflict
			continue
		}
		m.Err = nil
		b.members = append(b.members, m)
		if len(group) > 1 {
			before.Record(1, m.Tx.Overlay())
		}
		for lo, hi := range m.Tx.Reads().All() {
			read.AddRange(lo, hi)
		}
	}
	b.Footprint = read.Ranges(maxFootprint, maxFootprintBytes)
	b.writes = merge(b.members)
	for e := range b.writes.All() {
		b.Changes = append(b.Changes, Change{Key: e.Key(), Value: e.Value(), Created: e.Created()})
	}
	return b
}

// merge returns the writes of all members, of each key the last.
func merge(members []*occ.Member) *occ.Overlay {
	if len(members) == 1 {
		return members[0].Tx.Overlay()
	}
	all := new(occ.Overlay)
	for _, m := range members {
		for e := range m.Tx.Overlay().All() {
			old, had := all.Get(e.Key())
			if had && !e.Deleted() && e.Created() != old.Created() {
				all.Set(e.Key(), e.Value()) // new, if the first of them said so
				continue
			}
			all.Put(e)
		}
	}
	return all
}

// propose has the engine decide, as often as it takes to learn how.
func (s *Store) propose(p *Proposal) (version uint64, err error) {
	until, open, last := s.deadline(), false, lastAttempts
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.attempt(s.ctx, func(ctx context.Context) (err error) {
			version, err = s.log.Commit(ctx, p)
			return err
		})
		switch {
		case err == nil:
			s.down.Store(false)
			return version, nil
		case definite(err):
			if open {
				err = s.doubt(p, err)
			}
			return 0, err
		case !errors.Is(err, store.ErrUnreachable):
			open = true
		}
		if s.pause(s.ctx, pause, until) {
			continue
		}
		if open && s.isClosing() && last > 0 { // Close lets it finish
			last--
			time.Sleep(firstPause)
			continue
		}
		s.down.Store(true)
		if open {
			return 0, fmt.Errorf("remote: %w: %w", store.ErrCommitUnknown, err)
		}
		return 0, err
	}
}

// doubt returns what a refusal of p says, of which an earlier attempt is open. The
// engine has it as a conflict if it no longer knows what came after the base, and then
// it no longer knows whether p did. A Local never forgets an id that way.
func (s *Store) doubt(p *Proposal, refusal error) error {
	if s.local != nil || !errors.Is(refusal, store.ErrConflict) {
		return refusal
	}
	err := s.try(s.ctx, func(ctx context.Context) error {
		return s.log.Changes(ctx, p.Base, func(store.Commit) bool { return false })
	})
	if err == nil {
		return refusal
	}
	return fmt.Errorf("remote: %w: an attempt got no reply, and the engine no longer knows its outcome: %w", store.ErrCommitUnknown, err)
}

// learn pulls, and says whether anything has come since base.
func (s *Store) learn(base uint64) bool {
	return s.pull(s.ctx) == nil && s.core.Version() > base
}

// committed publishes what has become a version.
func (s *Store) committed(b *batch, version uint64) error {
	if version == b.Base+1 {
		s.publish(version, time.Now(), b.writes)
		return nil
	}
	// Others came between, and must be known before this one is shown.
	if err := s.pull(s.ctx); err != nil {
		s.publishing.Lock()
		defer s.publishing.Unlock()
		if s.core.Version() < version {
			s.jump(version)
		}
	}
	return nil
}

package objectstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// rounds is how often others may be faster before a proposal is handed back.
const rounds = 8

// trial is what is known of the proposal that was made last, which may be made
// again: an object may be on its way whose name has the version behind checked.
type trial struct {
	id      [16]byte
	checked uint64 // its footprint was checked against what came up to here
	open    bool   // it is not known what has become of the object
}

// Commit implements [remote.Log].
//
// An error of a conflict is one for good, also where an earlier call has left open
// what has become of its object. That can only have the name of the version behind
// trial.checked; and a conflict is only found once that version is known, or is
// known to lie below the boundary.
func (b *backend) Commit(ctx context.Context, p *remote.Proposal) (version uint64, err error) {
	b.committing.Lock()
	defer b.committing.Unlock()
	if b.trial.id != p.ID {
		b.trial = trial{id: p.ID, checked: p.Base}
	}
	for range rounds {
		if own := b.window.mine(); own.id == p.ID {
			return own.version, nil
		}
		head, ok := b.admit(p)
		if !ok {
			return 0, store.ErrConflict
		}
		version, err = b.append(ctx, p, head)
		switch {
		case errors.Is(err, errBusy):
			err = unsure(err)
			if !sleep(ctx, time.Millisecond+rand.N(10*time.Millisecond)) {
				return 0, err
			}
		case errors.Is(err, errTaken):
			if err = b.learn(ctx); errors.Is(err, store.ErrGap) {
				return b.lookUp(ctx, p)
			}
			if err != nil {
				return 0, unsure(err)
			}
			b.trial.open = false
		default:
			return version, err
		}
	}
	if own := b.window.mine(); own.id == p.ID {
		return own.version, nil
	}
	if err == nil {
		err = store.ErrConflict
	}
	return 0, err
}

// admit checks a proposal against what is known, and returns the head.
func (b *backend) admit(p *remote.Proposal) (head point, ok bool) {
	list, head, ok := b.window.since(b.trial.checked)
	if !ok {
		return head, false
	}
	for _, c := range list {
		if c.wrote(p.Footprint) {
			return head, false
		}
	}
	b.trial.checked = head.version
	return head, true
}

// append makes the object of the version behind head, if nobody has.
func (b *backend) append(ctx context.Context, p *remote.Proposal, head point) (uint64, error) {
	c := &commit{point: point{head.version + 1, p.ID, max(time.Now().UnixNano(), head.time)}, previous: head.id, writer: b.writer, changes: p.Changes}
	data := c.encode(b.db)
	c.size = int64(len(data))
	if err := b.create(ctx, nameOf(logFolder, c.version), data); err != nil {
		return 0, err
	}
	// Between what was known and the object there may have been a long time.
	at, err := b.checkBoundary(ctx)
	switch {
	case errors.Is(err, store.ErrIncarnation):
		return 0, remote.Refused(err)
	case err != nil:
		return 0, unsure(err)
	case at.version >= c.version:
		return b.lookUp(ctx, p)
	}
	return c.version, b.taken(c)
}

// create makes an object of the log. It notes what is not known of it afterwards, and
// says of no refusal that nothing was done where another request may have done it.
func (b *backend) create(ctx context.Context, name string, data []byte) error {
	open := b.trial.open
	b.trial.open = true
	err := b.bucket.create(ctx, name, data)
	switch {
	case errors.Is(err, errRefused) && open:
		return unsure(err)
	case errors.Is(err, errRefused):
		b.trial.open = false
		return remote.Refused(err)
	case errors.Is(err, errBusy) || errors.Is(err, store.ErrUnreachable):
		b.trial.open = open
	}
	return err
}

// taken takes in a commit of our own, unless who follows the log has seen it first.
func (b *backend) taken(c *commit) error {
	if err := b.lock(b.ctx); err != nil {
		return nil // it is in the log all the same
	}
	defer b.unlock()
	if b.window.newest().version >= c.version {
		return nil
	}
	if err := b.take(c); err != nil {
		return unsure(err)
	}
	return nil
}

// learn follows the log at least up to the version that somebody has taken.
func (b *backend) learn(ctx context.Context) error {
	if _, err := b.follow(ctx); err != nil {
		return err
	}
	if taken := b.trial.checked + 1; b.window.newest().version < taken {
		return fmt.Errorf("objectstore: %s is there, and not listed", nameOf(logFolder, taken))
	}
	return nil
}

// lookUp says what has become of a proposal whose object had a name at or below the
// boundary: it was made long ago, and a checkpoint knows of it, or it never was one
// of the log, however many of that name are made.
func (b *backend) lookUp(ctx context.Context, p *remote.Proposal) (uint64, error) {
	for range followAttempts {
		at, err := b.checkBoundary(ctx)
		if err != nil {
			return 0, unsure(err)
		}
		last, err := b.bucket.writers(ctx, b.db, at.checkpoint.version)
		switch {
		case errors.Is(err, errMissing): // a newer one has taken its place
			continue
		case err != nil:
			return 0, unsure(err)
		case last[b.writer].id == p.ID:
			return last[b.writer].version, nil
		}
		// The collector would find it, too.
		_ = b.bucket.remove(ctx, []string{nameOf(logFolder, b.trial.checked+1)})
		return 0, fmt.Errorf("objectstore: this process stood still while the log went on, and version %d was collected: %w", b.trial.checked+1, store.ErrConflict)
	}
	return 0, unsure(damaged(writersFolder, "what belongs to the newest checkpoint is missing"))
}

// sleep waits, and says whether ctx has not ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

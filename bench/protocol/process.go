package main

import "slices"

// process is what package remote is in one.
type process struct {
	*origin
	known uint64 // the newest version known

	asking bool     // a request for what is new is under way
	next   []func() // who wait for the one after it

	queue   []*txn // that are to be committed
	leading bool
	alone   *txn     // has lost so often that no other of this process commits
	turns   []func() // who wait to be alone

	commits int
}

// pull learns what has been committed up to now. Who comes while a request is under
// way waits for the next.
func (p *process) pull(done func()) {
	p.next = append(p.next, done)
	if !p.asking {
		p.ask()
	}
}

func (p *process) ask() {
	waiting := p.next
	p.next, p.asking = nil, true
	end := func(head uint64) {
		p.known = max(p.known, head)
		p.asking = false
		for _, done := range waiting {
			done()
		}
		if len(p.next) > 0 && !p.asking {
			p.ask()
		}
	}
	p.askHead(func(head uint64) {
		if p.c.bucket && head > p.known { // what the objects say
			p.whole(func() { end(head) })
			return
		}
		end(head)
	})
}

// commit has t committed, alone or with others.
func (p *process) commit(t *txn) {
	p.queue = append(p.queue, t)
	p.lead()
}

// lead commits who wait as one group, unless one is under way.
func (p *process) lead() {
	if p.leading {
		return
	}
	var group, rest []*txn
	for _, t := range p.queue {
		if p.alone == nil || p.alone == t {
			group = append(group, t)
		} else {
			rest = append(rest, t)
		}
	}
	if len(group) > 0 {
		p.queue, p.leading = rest, true
		p.proposeGroup(group, 1)
	}
}

// proposeGroup proposes those of a group that do not conflict with what is known, for
// the nth time.
func (p *process) proposeGroup(group []*txn, n int) {
	var admitted, refused []*txn
	written := map[int]bool{}
	for _, t := range group {
		if !p.c.careless && slices.ContainsFunc(t.reads, func(key int) bool { return written[key] || p.wrote(key, t.snapshot, p.known) }) {
			refused = append(refused, t)
			continue
		}
		admitted = append(admitted, t)
		for _, key := range t.reads[:p.c.writes] {
			written[key] = true
		}
	}
	if len(admitted) == 0 {
		p.end(nil, refused)
		return
	}
	base := p.known
	p.propose(proposal{base, admitted}, func(version uint64) {
		switch {
		case version == 0 && n < maxProposals:
			p.pull(func() { p.proposeGroup(group, n+1) })
		case version == 0:
			p.end(nil, group)
		case p.c.bucket: // the boundary is looked at
			p.whole(func() { p.known = max(p.known, version); p.end(admitted, refused) })
		case version == base+1:
			p.known = max(p.known, version)
			p.end(admitted, refused)
		default:
			p.pull(func() { p.end(admitted, refused) })
		}
	})
}

// end tells a group what has become of it.
func (p *process) end(committed, refused []*txn) {
	p.leading = false
	p.commits += len(committed)
	for _, t := range committed {
		t.done(true)
	}
	for _, t := range refused {
		t.done(false)
	}
	p.lead()
}

// enter has t be alone, as soon as no other is.
func (p *process) enter(t *txn, run func()) {
	if p.alone != nil {
		p.turns = append(p.turns, func() { p.enter(t, run) })
		return
	}
	p.alone = t
	run()
}

// leave ends that.
func (p *process) leave() {
	p.alone = nil
	if len(p.turns) > 0 {
		next := p.turns[0]
		p.turns = p.turns[1:]
		next()
	}
	p.lead()
}

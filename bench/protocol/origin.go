package main

import (
	"math"
	"slices"
	"time"
)

// origin is the engine.
type origin struct {
	*sim
	c        *config
	head     uint64
	versions map[int][]uint64 // of a key, those that wrote it; ascending
	waiting  []func()         // proposals that wait for the one that is carried out
	busy     bool

	proposals, violations int
}

// proposal is what a process wants to be a version.
type proposal struct {
	base    uint64
	members []*txn
}

// wrote says whether a key was written after a version, and up to another.
func (o *origin) wrote(key int, after, upTo uint64) bool {
	list := o.versions[key]
	i, _ := slices.BinarySearch(list, after+1)
	return i < len(list) && list[i] <= upTo
}

// trip makes a request: there is carried out at the engine, and back has its answer.
func (o *origin) trip(there func(back func(do func()))) {
	o.after(o.half(), func() { there(func(do func()) { o.after(o.half(), do) }) })
}

// whole has do happen after a request that only takes its time.
func (o *origin) whole(do func()) { o.after(o.half()+o.half(), do) }

// half draws how long one way takes.
func (o *origin) half() time.Duration {
	return time.Duration(float64(o.c.roundTrip/2) * math.Exp(o.c.spread*o.rng.NormFloat64()))
}

// askHead learns the newest version.
func (o *origin) askHead(got func(head uint64)) {
	o.trip(func(back func(do func())) {
		head := o.head
		back(func() { got(head) })
	})
}

// propose has the engine decide. A version of 0 is a conflict.
func (o *origin) propose(p proposal, got func(version uint64)) {
	o.proposals++
	o.trip(func(back func(do func())) {
		reply := func(version uint64) { back(func() { got(version) }) }
		if o.c.bucket {
			reply(o.take(p))
			return
		}
		o.waiting = append(o.waiting, func() { o.decide(p, reply) })
		o.next()
	})
}

// take is a bucket's decision: it knows nothing of what was read.
func (o *origin) take(p proposal) uint64 {
	if p.base != o.head {
		return 0
	}
	return o.commit(p)
}

// next carries out the next proposal, unless one is.
func (o *origin) next() {
	if o.busy || len(o.waiting) == 0 {
		return
	}
	o.busy = true
	do := o.waiting[0]
	o.waiting = o.waiting[1:]
	do()
}

// decide is a server's: a refusal takes no time, and a commit that of a flush.
func (o *origin) decide(p proposal, reply func(version uint64)) {
	for _, m := range p.members {
		if !o.c.careless && slices.ContainsFunc(m.reads, func(key int) bool { return o.wrote(key, p.base, o.head) }) {
			o.busy = false
			reply(0)
			o.next()
			return
		}
	}
	o.after(o.c.flush, func() {
		version := o.commit(p)
		o.busy = false
		reply(version)
		o.next()
	})
}

// commit makes p a version. It looks whether each member may be in it: that is the law.
func (o *origin) commit(p proposal) uint64 {
	o.head++
	for _, m := range p.members {
		for _, key := range m.reads {
			if o.wrote(key, m.snapshot, o.head) {
				o.violations++
			}
		}
	}
	for _, m := range p.members {
		for _, key := range m.reads[:o.c.writes] {
			if list := o.versions[key]; len(list) == 0 || list[len(list)-1] < o.head {
				o.versions[key] = append(list, o.head)
			}
		}
	}
	return o.head
}

package objectstore

import (
	"math/rand/v2"
	"sync"
)

// checkpointCommits is how many commits bring on a checkpoint, however small they are.
const checkpointCommits = 10_000

// growth is how the log has grown since the newest checkpoint that is known.
type growth struct {
	mu     sync.Mutex
	sizes  []int64 // of the objects of the log, up to the newest one
	bytes  int64   // of all of them
	newest uint64
	last   int64   // bytes of the checkpoint
	late   float64 // how much later than others this process makes one: from 1 to 1.5
}

// add notes the next object of the log.
func (g *growth) add(version uint64, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if version != g.newest+1 {
		g.sizes, g.bytes = nil, 0
	}
	g.newest = version
	g.sizes = append(g.sizes, size)
	g.bytes += size
}

// checkpointed notes which checkpoint is the newest.
func (g *growth) checkpointed(version uint64, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = size
	for len(g.sizes) > 0 && g.newest-uint64(len(g.sizes)) < version {
		g.bytes -= g.sizes[0]
		g.sizes = g.sizes[1:]
	}
}

// due says whether a checkpoint is due, which so many bytes of log bring on, or as many
// as the last one has. Not all processes say so at once: who is later finds one there.
func (g *growth) due(least int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.late == 0 {
		g.late = 1 + rand.Float64()/2
	}
	return g.bytes >= int64(float64(max(least, g.last))*g.late) || len(g.sizes) >= int(checkpointCommits*g.late)
}

// expected is about how many bytes the next checkpoint has, at most.
func (g *growth) expected() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last + g.bytes
}

// grown notes that the log has got longer.
func (b *backend) grown(c *commit) {
	b.growth.add(c.version, c.size)
	if b.due() {
		select {
		case b.full <- struct{}{}:
		default:
		}
	}
}

// due says whether a checkpoint is due, as far as is known.
func (b *backend) due() bool { return b.growth.due(b.opts.Checkpoint) }

// noteCheckpoint takes note of the newest checkpoint.
func (b *backend) noteCheckpoint(at boundary) {
	b.growth.checkpointed(at.checkpoint.version, at.size)
}

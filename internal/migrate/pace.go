package migrate

import (
	"context"
	"time"

	"github.com/kivisdb/kivis/internal/tables"
)

// chunkSize is how many records or entries the first transaction of a change
// takes in hand, and how many are read between two looks at a context.
const chunkSize = 1000

// A chunk aims to take chunkTime, so that writers who conflict with it, and all
// who wait for the store, do not wait for long.
const (
	chunkTime = 20 * time.Millisecond
	maxChunk  = 16 * chunkSize
)

// A pacer says how much the next chunk takes in hand: more after quick ones, less
// after slow ones and after conflicts. Where others write too it leaves them as
// much time as the chunk has taken.
type pacer struct {
	db      *tables.DB
	size    int
	tries   int // of the chunk at hand
	began   time.Time
	commits uint64 // of the database when the chunk began
}

// begin returns the size of the chunk at hand: half as much at each attempt.
func (p *pacer) begin() int {
	if p.size == 0 {
		p.size = chunkSize
	}
	if p.tries > 0 {
		p.size = max(p.size/2, 1)
	} else if p.db != nil {
		p.began, p.commits = time.Now(), p.db.Stats().Commits
	}
	p.tries++
	return p.size
}

// end follows the commit of a chunk: it sets the size of the next one, and waits
// where others have committed meanwhile. The error is the context's.
func (p *pacer) end(ctx context.Context) error {
	took := time.Since(p.began)
	switch {
	case p.tries > 1:
	case took > 2*chunkTime:
		p.size = max(p.size/2, 1)
	case took < chunkTime/2:
		p.size = min(p.size+p.size/2+1, maxChunk)
	}
	p.tries = 0
	if p.db.Stats().Commits-p.commits <= 1 {
		return ctx.Err()
	}
	timer := time.NewTimer(min(took, chunkTime))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

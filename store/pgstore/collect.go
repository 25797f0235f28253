package pgstore

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// collectAtOnce is how many commits' remains one transaction of the collector drops.
	collectAtOnce = 200

	longestPause = time.Minute
)

// collecting drops by and by what is older than keep. Every process that has the
// store open does so; the server lets one at a time.
func (b *backend) collecting(keep time.Duration) {
	b.work.Go(func() {
		for {
			pause := min(keep/8, longestPause)
			timer := time.NewTimer(pause + rand.N(pause))
			select {
			case <-timer.C:
				// An error is one that the next call meets as well.
				_ = b.collect(b.ctx, keep)
			case <-b.ctx.Done():
				timer.Stop()
				return
			}
		}
	})
}

// collect drops what is older than keep.
func (b *backend) collect(ctx context.Context, keep time.Duration) error {
	for {
		var n int64
		if err := b.pool.QueryRow(ctx, b.sql.collect, keep, collectAtOnce).Scan(&n); err != nil || n < collectAtOnce {
			return outcome(err)
		}
	}
}

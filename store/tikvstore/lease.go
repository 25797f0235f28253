package tikvstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/tikv/client-go/v2/oracle"
)

const (
	// leaseTTL is how long PD keeps what this process needs, unless it is told again.
	leaseTTL = 10 * time.Minute

	// leaseMargin is how long before that it counts as gone, for clocks that run
	// at different speeds.
	leaseMargin = time.Minute
)

// lease holds back the garbage collection of the cluster: PD lets nobody who heeds it,
// as TiDB does, move the safe point past what this process still reads.
type lease struct {
	id   string
	keep time.Duration

	mu    sync.Mutex // held while it is renewed
	floor uint64     // no older time may be read
	until time.Time  // as this process counts time
}

func newLease(name string, keep time.Duration) lease {
	var id [8]byte
	rand.Read(id[:])
	return lease{id: "kivis/" + name + "/" + hex.EncodeToString(id[:]), keep: keep}
}

// kept returns the oldest time that may be read, which holds at the moment.
func (b *backend) kept(ctx context.Context) (uint64, error) {
	l := &b.lease
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.until) {
		return l.floor, nil
	}
	return b.renewLocked(ctx)
}

// renew has the lease go on from now.
func (b *backend) renew(ctx context.Context) error {
	b.lease.mu.Lock()
	defer b.lease.mu.Unlock()
	_, err := b.renewLocked(ctx)
	return err
}

func (b *backend) renewLocked(ctx context.Context) (uint64, error) {
	l := &b.lease
	asked := time.Now()
	now, err := b.now(ctx)
	if err != nil {
		return 0, err
	}
	pd, seconds := b.client.GetPDClient(), int64(leaseTTL/time.Second)
	floor := max(earlier(now, l.keep), l.floor)
	least, err := pd.UpdateServiceGCSafePoint(ctx, l.id, seconds, floor)
	if err == nil && least > floor { // it was too late for that
		floor = least
		_, err = pd.UpdateServiceGCSafePoint(ctx, l.id, seconds, floor)
	}
	if err != nil {
		return 0, outcome(err)
	}
	// Nobody need heed the leases.
	collected, err := pd.UpdateGCSafePoint(ctx, 0)
	if err != nil {
		return 0, outcome(err)
	}
	l.floor, l.until = max(floor, collected), asked.Add(leaseTTL-leaseMargin)
	return l.floor, nil
}

// earlier returns a time so long before another.
func earlier(ts uint64, d time.Duration) uint64 {
	return oracle.ComposeTS(max(oracle.ExtractPhysical(ts)-d.Milliseconds(), 0), 0)
}

// release ends the lease, as far as PD can be reached.
func (b *backend) release() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	b.lease.mu.Lock()
	defer b.lease.mu.Unlock()
	if !b.lease.until.IsZero() {
		_, _ = b.client.GetPDClient().UpdateServiceGCSafePoint(ctx, b.lease.id, 0, 0)
	}
}

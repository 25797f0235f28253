package tikvstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tikv/client-go/v2/config"
	"github.com/tikv/client-go/v2/tikv"
	pd "github.com/tikv/pd/client"

	"github.com/kivisdb/kivis/store"
)

const (
	// These are package remote's.
	defaultPatience = 5 * time.Second
	defaultTimeout  = 10 * time.Second

	// leastPatience is how long it may take to find PD where there is no patience.
	leastPatience = time.Second
)

// connect returns a client of the cluster of a place. The client itself would look for PD
// for minutes.
func connect(ctx context.Context, p *place, patience time.Duration) (*tikv.KVStore, error) {
	if patience == 0 {
		patience = defaultPatience
	}
	// The client ends with the context that it is made with.
	life, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, cancel)
	limit := time.AfterFunc(max(patience, leastPatience), cancel)
	client, err := dial(life, p)
	inTime := limit.Stop()
	if stop() && inTime && err == nil {
		return client, nil
	}
	cancel()
	if client != nil {
		client.Close()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("tikvstore: PD at %v: %w: %w", p.pd, store.ErrUnreachable, err)
}

func dial(ctx context.Context, p *place) (*tikv.KVStore, error) {
	security := config.NewSecurity(p.ca, p.cert, p.key, nil)
	tls, err := security.ToTLSConfig()
	if err != nil {
		return nil, err
	}
	pdc, err := pd.NewClientWithContext(ctx, p.pd, pd.SecurityOption{CAPath: p.ca, CertPath: p.cert, KeyPath: p.key})
	if err != nil {
		return nil, err
	}
	coded := tikv.NewCodecPDClient(tikv.ModeTxn, pdc)
	safePoint, err := tikv.NewEtcdSafePointKV(p.pd, tls)
	if err != nil {
		pdc.Close()
		return nil, err
	}
	rpc := tikv.NewRPCClient(tikv.WithSecurity(security), tikv.WithCodec(coded.GetCodec()))
	client, err := tikv.NewKVStore(fmt.Sprintf("tikv-%d", coded.GetClusterID(ctx)), coded, safePoint, rpc)
	if err != nil {
		pdc.Close()
		return nil, err
	}
	return client, nil
}

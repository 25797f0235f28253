// Package tikvtest has clusters for tests of tikvstore, and of what is built on it: one
// in this process, which is there at once, and one of processes of their own.
//
// The servers are PD itself and unistore, which TiDB's own tests use for TiKV: it
// answers the same requests with the same transactions, in one copy.
package tikvtest

import (
	"errors"

	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/pingcap/tidb/pkg/store/mockstore/unistore"
	"github.com/pingcap/tidb/pkg/util/codec"
	"github.com/tikv/client-go/v2/tikv"
)

// Local is a cluster in this process.
type Local struct {
	client  *tikv.KVStore
	cluster *unistore.Cluster
	traffic *traffic
}

// NewLocal returns a cluster with one region.
func NewLocal() (*Local, error) {
	rpc, pd, cluster, err := unistore.New("", nil)
	if err != nil {
		return nil, err
	}
	unistore.BootstrapWithSingleStore(cluster)
	t := new(traffic)
	client, err := tikv.NewTestTiKVStore(way{rpc, t, newKeys()}, pd, nil, nil, 0)
	if err != nil {
		return nil, errors.Join(err, rpc.Close())
	}
	client.SetOracle(clock{client.GetOracle(), t})
	return &Local{client, cluster, t}, nil
}

// Client returns the client that all stores in the cluster share.
func (l *Local) Client() *tikv.KVStore { return l.client }

// Split has regions end before keys, which may be while requests are under way:
// unistore's SplitArbitrary takes no lock.
func (l *Local) Split(keys ...[]byte) {
	for _, key := range keys {
		region, peer, _, _ := l.cluster.GetRegionByKey(codec.EncodeBytes(nil, key))
		l.cluster.SplitRegion(&kvrpcpb.SplitRegionRequest{
			Context:   &kvrpcpb.Context{RegionId: region.GetId(), RegionEpoch: region.GetRegionEpoch(), Peer: peer},
			SplitKeys: [][]byte{key},
		})
	}
}

// Close ends the cluster.
func (l *Local) Close() error { return l.client.Close() }

package tikvtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/google/btree"
	"github.com/pingcap/kvproto/pkg/kvrpcpb"
)

// keys are all that were ever written. Scans go by them, and get each key: of unistore's own
// scans those in reverse show the newest entries, whatever they were asked for, and those
// forward miss, for a moment, keys to which a newer version was written.
type keys struct {
	mu   sync.RWMutex
	tree *btree.BTreeG[[]byte]
	file *os.File // where they are kept; nil for nowhere
}

func newKeys() *keys {
	return &keys{tree: btree.NewG(32, func(a, b []byte) bool { return bytes.Compare(a, b) < 0 })}
}

// openKeys returns the keys that a file has, to which others are added.
func openKeys(name string) (*keys, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	k := newKeys()
	all, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for len(all) >= 4 {
		n := int(binary.BigEndian.Uint32(all))
		if n > len(all)-4 {
			break
		}
		k.tree.ReplaceOrInsert(all[4 : 4+n])
		all = all[4+n:]
	}
	k.file = f
	return k, nil
}

// add adds the keys of a write, before it is made.
func (k *keys) add(list []*kvrpcpb.Mutation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var buf []byte
	for _, m := range list {
		if _, had := k.tree.ReplaceOrInsert(m.Key); !had {
			buf = append(binary.BigEndian.AppendUint32(buf, uint32(len(m.Key))), m.Key...)
		}
	}
	if k.file == nil || len(buf) == 0 {
		return nil
	}
	_, err := k.file.Write(buf)
	return err
}

// from returns the next keys of a scan.
func (k *keys) from(req *kvrpcpb.ScanRequest, n int) (list [][]byte) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	take := func(key []byte) bool {
		list = append(list, key)
		return len(list) < n
	}
	switch {
	case !req.Reverse && len(req.EndKey) == 0:
		k.tree.AscendGreaterOrEqual(req.StartKey, take)
	case !req.Reverse:
		k.tree.AscendRange(req.StartKey, req.EndKey, take)
	default: // its start is where it begins, above its end
		down := func(key []byte) bool { return bytes.Compare(key, req.EndKey) >= 0 && take(key) }
		if len(req.StartKey) == 0 {
			k.tree.Descend(down)
			break
		}
		k.tree.DescendLessOrEqual(req.StartKey, func(key []byte) bool { return bytes.Equal(key, req.StartKey) || down(key) })
	}
	return list
}

// keysAtOnce is how many keys are got at once.
const keysAtOnce = 256

// scan answers a scan.
func (k *keys) scan(req *kvrpcpb.ScanRequest, get func(*kvrpcpb.BatchGetRequest) (*kvrpcpb.BatchGetResponse, error)) (*kvrpcpb.ScanResponse, error) {
	resp, rest := new(kvrpcpb.ScanResponse), *req
	for {
		list := k.from(&rest, keysAtOnce)
		if len(list) == 0 {
			return resp, nil
		}
		found, err := get(&kvrpcpb.BatchGetRequest{Context: req.Context, Keys: list, Version: req.Version})
		if err != nil {
			return nil, err
		}
		if found.RegionError != nil || found.Error != nil {
			return &kvrpcpb.ScanResponse{RegionError: found.RegionError, Error: found.Error}, nil
		}
		pairs := map[string]*kvrpcpb.KvPair{}
		for _, p := range found.Pairs {
			pairs[string(p.Key)] = p
		}
		for _, key := range list {
			if p := pairs[string(key)]; p != nil && (p.Error != nil || len(p.Value) > 0) {
				resp.Pairs = append(resp.Pairs, p)
			}
			if len(resp.Pairs) == int(req.Limit) {
				return resp, nil
			}
		}
		last := list[len(list)-1]
		rest.StartKey = last
		if !req.Reverse {
			rest.StartKey = append(bytes.Clone(last), 0)
		}
	}
}

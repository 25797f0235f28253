package tikvtest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/tikv/client-go/v2/oracle"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/tikvrpc"
)

// Send carries a request out.
type Send func() (*tikvrpc.Response, error)

// Intercept has each request to the servers go through f, which may lose it, or its
// reply; nil for none.
func (l *Local) Intercept(f func(ctx context.Context, req *tikvrpc.Request, send Send) (*tikvrpc.Response, error)) {
	l.traffic.intercept.Store(&f)
}

// Requests returns how many requests there were to the servers, by kind, and to PD
// for a time, since the last time.
func (l *Local) Requests() (servers map[string]int, times int) {
	return l.traffic.take()
}

// traffic is what goes to the servers and to PD.
type traffic struct {
	intercept atomic.Pointer[func(context.Context, *tikvrpc.Request, Send) (*tikvrpc.Response, error)]

	mu    sync.Mutex
	kinds map[string]int
	times int
}

func (t *traffic) take() (kinds map[string]int, times int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kinds, times = t.kinds, t.times
	t.kinds, t.times = nil, 0
	return kinds, times
}

func (t *traffic) send(ctx context.Context, req *tikvrpc.Request, send Send) (*tikvrpc.Response, error) {
	if req.Type == tikvrpc.CmdStoreSafeTS { // the client's own, now and then
		return send()
	}
	t.mu.Lock()
	if t.kinds == nil {
		t.kinds = map[string]int{}
	}
	t.kinds[req.Type.String()]++
	t.mu.Unlock()
	if f := t.intercept.Load(); f != nil && *f != nil {
		return (*f)(ctx, req, send)
	}
	return send()
}

// clock is PD's, of which the use is counted.
type clock struct {
	oracle.Oracle
	traffic *traffic
}

// GetTimestamp implements oracle.Oracle.
func (c clock) GetTimestamp(ctx context.Context, o *oracle.Option) (uint64, error) {
	c.traffic.mu.Lock()
	c.traffic.times++
	c.traffic.mu.Unlock()
	return c.Oracle.GetTimestamp(ctx, o)
}

// way is a client's way to the servers.
type way struct {
	tikv.Client
	traffic *traffic
	keys    *keys
}

// SendRequest implements tikv.Client.
func (w way) SendRequest(ctx context.Context, addr string, req *tikvrpc.Request, timeout time.Duration) (*tikvrpc.Response, error) {
	resp, err := w.traffic.send(ctx, req, func() (*tikvrpc.Response, error) { return w.answer(ctx, addr, req, timeout) })
	if err != nil && ctx.Err() != nil {
		// A client whose request ends late has it tried whether the server is alive, at an
		// address where there is none.
		err = context.Canceled
	}
	return resp, err
}

// answer has a request be carried out.
func (w way) answer(ctx context.Context, addr string, req *tikvrpc.Request, timeout time.Duration) (*tikvrpc.Response, error) {
	switch req.Type {
	case tikvrpc.CmdPrewrite:
		if err := w.keys.add(req.Prewrite().Mutations); err != nil {
			return nil, err
		}
	case tikvrpc.CmdScan:
		resp, err := w.keys.scan(req.Scan(), func(r *kvrpcpb.BatchGetRequest) (*kvrpcpb.BatchGetResponse, error) {
			get := *req
			get.Type, get.Req = tikvrpc.CmdBatchGet, r
			resp, err := w.Client.SendRequest(ctx, addr, &get, timeout)
			if err != nil {
				return nil, err
			}
			return resp.Resp.(*kvrpcpb.BatchGetResponse), nil
		})
		return &tikvrpc.Response{Resp: resp}, err
	}
	return w.Client.SendRequest(ctx, addr, req, timeout)
}

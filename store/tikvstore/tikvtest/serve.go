package tikvtest

import (
	"context"
	"fmt"
	"sync"

	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/pingcap/kvproto/pkg/tikvpb"
)

// Server returns a server of unistore's for transactions, whose scans are right. It keeps
// the keys that it needs for that in a file.
func Server(s tikvpb.TikvServer, file string) (tikvpb.TikvServer, error) {
	k, err := openKeys(file)
	if err != nil {
		return nil, err
	}
	return &scanning{s, k}, nil
}

type scanning struct {
	tikvpb.TikvServer
	keys *keys
}

// KvScan implements tikvpb.TikvServer.
func (s *scanning) KvScan(ctx context.Context, req *kvrpcpb.ScanRequest) (*kvrpcpb.ScanResponse, error) {
	return s.keys.scan(req, func(r *kvrpcpb.BatchGetRequest) (*kvrpcpb.BatchGetResponse, error) { return s.KvBatchGet(ctx, r) })
}

// KvPrewrite implements tikvpb.TikvServer.
func (s *scanning) KvPrewrite(ctx context.Context, req *kvrpcpb.PrewriteRequest) (*kvrpcpb.PrewriteResponse, error) {
	if err := s.keys.add(req.Mutations); err != nil {
		return nil, err
	}
	return s.TikvServer.KvPrewrite(ctx, req)
}

// BatchCommands implements tikvpb.TikvServer: all that a client of transactions asks for
// comes over one stream.
func (s *scanning) BatchCommands(stream tikvpb.Tikv_BatchCommandsServer) error {
	var sending sync.Mutex
	for {
		batch, err := stream.Recv()
		if err != nil {
			return err
		}
		for i, req := range batch.Requests {
			go func() {
				resp, err := s.answer(stream.Context(), req)
				if err != nil {
					return // the client asks again, in time
				}
				sending.Lock()
				defer sending.Unlock()
				_ = stream.Send(&tikvpb.BatchCommandsResponse{
					RequestIds: []uint64{batch.RequestIds[i]},
					Responses:  []*tikvpb.BatchCommandsResponse_Response{resp},
				})
			}()
		}
	}
}

type (
	request  = tikvpb.BatchCommandsRequest_Request
	response = tikvpb.BatchCommandsResponse_Response
)

// answer carries a request out.
func (s *scanning) answer(ctx context.Context, req *request) (*response, error) {
	switch r := req.Cmd.(type) {
	case *tikvpb.BatchCommandsRequest_Request_Scan:
		resp, err := s.KvScan(ctx, r.Scan)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_Scan{Scan: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_Get:
		resp, err := s.KvGet(ctx, r.Get)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_Get{Get: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_BatchGet:
		resp, err := s.KvBatchGet(ctx, r.BatchGet)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_BatchGet{BatchGet: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_Prewrite:
		resp, err := s.KvPrewrite(ctx, r.Prewrite)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_Prewrite{Prewrite: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_Commit:
		resp, err := s.KvCommit(ctx, r.Commit)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_Commit{Commit: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_BatchRollback:
		resp, err := s.KvBatchRollback(ctx, r.BatchRollback)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_BatchRollback{BatchRollback: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_ResolveLock:
		resp, err := s.KvResolveLock(ctx, r.ResolveLock)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_ResolveLock{ResolveLock: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_CheckTxnStatus:
		resp, err := s.KvCheckTxnStatus(ctx, r.CheckTxnStatus)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_CheckTxnStatus{CheckTxnStatus: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_TxnHeartBeat:
		resp, err := s.KvTxnHeartBeat(ctx, r.TxnHeartBeat)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_TxnHeartBeat{TxnHeartBeat: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_ScanLock:
		resp, err := s.KvScanLock(ctx, r.ScanLock)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_ScanLock{ScanLock: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_DeleteRange:
		resp, err := s.KvDeleteRange(ctx, r.DeleteRange)
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_DeleteRange{DeleteRange: resp}}, err
	case *tikvpb.BatchCommandsRequest_Request_Empty:
		return &response{Cmd: &tikvpb.BatchCommandsResponse_Response_Empty{Empty: &tikvpb.BatchCommandsEmptyResponse{TestId: r.Empty.TestId}}}, nil
	}
	return nil, fmt.Errorf("a request %T is not one of transactions", req.Cmd)
}

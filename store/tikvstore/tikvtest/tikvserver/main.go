// Command tikvserver is unistore as a process: it answers TiKV's requests, and keeps what
// it has in a directory.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/pingcap/kvproto/pkg/tikvpb"
	"github.com/pingcap/tidb/pkg/store/mockstore/unistore/config"
	"github.com/pingcap/tidb/pkg/store/mockstore/unistore/pd"
	"github.com/pingcap/tidb/pkg/store/mockstore/unistore/server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/kivisdb/kivis/store/tikvstore/tikvtest"
)

var (
	pdAddr   = flag.String("pd", "127.0.0.1:2379", "`address` of PD")
	addr     = flag.String("addr", "127.0.0.1:20160", "`address` to listen at")
	dir      = flag.String("dir", "", "`directory` of what is kept")
	regionMB = flag.Int64("region-mb", 1, "`size` from which on a region is split")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tikvserver:", err)
		os.Exit(1)
	}
}

func run() error {
	conf := config.DefaultConf
	conf.Server.Raft = false
	conf.Server.PDAddr, conf.Server.StoreAddr = *pdAddr, *addr
	conf.Server.RegionSize = *regionMB << 20
	conf.Engine.DBPath, conf.Engine.SyncWrite = *dir, true
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return err
	}
	client, err := pd.NewClient([]string{"http://" + *pdAddr}, "")
	if err != nil {
		return err
	}
	srv, err := server.New(&conf, client)
	if err != nil {
		return err
	}
	scanning, err := tikvtest.Server(srv, filepath.Join(*dir, "keys"))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	g := grpc.NewServer(grpc.MaxRecvMsgSize(256 << 20))
	tikvpb.RegisterTikvServer(g, scanning)
	healthpb.RegisterHealthServer(g, health.NewServer()) // by which clients see that it is back
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-stop
		g.Stop()
	}()
	fmt.Println("ready")
	err = g.Serve(l)
	srv.Stop()
	client.Close()
	return err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/studio"
)

type studioCmd struct {
	DB    string `arg:"" name:"database" help:"The database."`
	Addr  string `default:"127.0.0.1:0" help:"Where to listen: a loopback address; port 0 is any that is free."`
	Write bool   `help:"Allow edits."`
}

// Help says how to get in.
func (*studioCmd) Help() string {
	return `Serves pages that show the database, until it is interrupted. The URL that it prints lets one browser in; without --write nothing can be changed.`
}

// Run serves the studio until the end of the context.
func (cmd *studioCmd) Run(c *call) error {
	host, port, err := net.SplitHostPort(cmd.Addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usageError{fmt.Errorf("--addr %s: want a loopback address with a port, such as 127.0.0.1:8080", cmd.Addr)}
	}
	return c.on(cmd.DB, cmd.Write, func(db *kivis.DB) error { return cmd.serve(c, db) })
}

func (cmd *studioCmd) serve(c *call, db *kivis.DB) error {
	l, err := net.Listen("tcp", cmd.Addr)
	if err != nil {
		return err
	}
	token := studio.NewToken()
	srv := &http.Server{
		Handler:           studio.Handler(db, &studio.Options{Write: cmd.Write, Token: token}),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return c.ctx }, // which ends the pages that are live
	}
	fmt.Fprintf(c.out, "http://%s/?token=%s\n", l.Addr(), token)
	if err := c.out.Flush(); err != nil {
		return errors.Join(err, l.Close())
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err = <-ended:
		return err
	case <-c.ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		return errors.Join(err, srv.Close())
	}
	return nil
}

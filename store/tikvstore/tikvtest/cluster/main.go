// Command cluster builds the servers of a cluster for tests, starts them, prints the URL
// of a store in it, and goes on until it is interrupted. It is run in the folder of
// package tikvtest:
//
//	go run ./cluster
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/kivisdb/kivis/store/tikvstore/tikvtest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run() error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	programs, err := tikvtest.Build(".")
	if err != nil {
		return err
	}
	c, err := tikvtest.Start(programs)
	if err != nil {
		return err
	}
	_, err = fmt.Println(c.URL("main"))
	if err == nil {
		<-stop
	}
	return errors.Join(err, c.Stop())
}

// Command kivis looks into databases of Kivis and works on them, without the Go
// types of their records: what is in the catalog is enough.
//
//	kivis COMMAND DATABASE ...
//
// kivis --help lists the commands. The guide is docs/cli.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/kivisdb/kivis/cmd/kivis/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.Standard())
	stop()
	os.Exit(code)
}

// Command kivis looks into databases of Kivis and works on them, without the Go
// types of their records: what is in the catalog is enough.
//
//	kivis COMMAND DATABASE ...
//
// kivis --help lists the commands. The guide is docs/cli.md.
package main

import (
	"os"

	"github.com/kivisdb/kivis/cmd/kivis/internal/cli"
)

func main() { os.Exit(cli.Process()) }

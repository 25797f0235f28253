// Command bench measures Kivis beside the same work done by hand on the same
// stores, and beside the other record libraries for Go.
//
//	go run .                       all of it, with 100,000 records
//	go run . -quick                only show that it works
//	go run . -records 10000,1000000 -contenders raw-badger,kivis-badger
//	go run . -from run.json -svg chart.svg
//
// See README.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

func main() {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run does what the command line says.
func run(args []string, out, progress io.Writer) error {
	opts, err := parseOptions(args, progress)
	if err != nil {
		return err
	}
	if opts.List {
		return listAll(out)
	}
	res, err := results(opts, progress)
	if err != nil {
		return err
	}
	if opts.Markdown {
		writeMarkdown(out, res)
	} else {
		writeReport(out, res)
	}
	if opts.JSON != "" {
		err = res.write(opts.JSON)
	}
	if opts.SVG != "" {
		err = errors.Join(err, writeChart(opts.SVG, res))
	}
	return err
}

// results measures, or reads what was measured.
func results(opts *Options, progress io.Writer) (*Results, error) {
	if len(opts.From) > 0 {
		return readResults(opts.From)
	}
	h := &harness{opts: opts, progress: progress, results: newResults()}
	return h.results, h.run()
}

// listAll writes the contenders and workloads.
func listAll(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range entries() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", e.Name, e.Title, e.Field.Title)
	}
	fmt.Fprintln(w)
	for _, wl := range workloads() {
		fmt.Fprintf(w, "%s\t%s\n", wl.Name, wl.Title)
	}
	return w.Flush()
}

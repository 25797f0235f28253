package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/kivisdb/kivis"
)

// reads is a tracer that notes what each query has read. Plans are those that
// Explain shows.
type reads struct {
	list []read
}

// read is a query, or several of one plan in a row.
type read struct {
	plan          string
	entries, rows int
	times         int
}

// Start implements kivis.Tracer.
func (*reads) Start(ctx context.Context, _ kivis.Op) context.Context { return ctx }

// End implements kivis.Tracer.
func (r *reads) End(_ context.Context, res kivis.Outcome) {
	if res.Plan == "" || res.Err != nil {
		return
	}
	if n := len(r.list); n == 0 || r.list[n-1].plan != res.Plan {
		r.list = append(r.list, read{plan: res.Plan})
	}
	last := &r.list[len(r.list)-1]
	last.entries += res.Entries
	last.rows += res.Rows
	last.times++
}

// print writes what has been read, and forgets it.
func (r *reads) print(w io.Writer) {
	for _, read := range r.list {
		fmt.Fprintln(w)
		for line := range strings.Lines(read.plan) {
			fmt.Fprintln(w, margin+"| "+strings.TrimRight(line, "\n"))
		}
		times := ""
		if read.times > 1 {
			times = fmt.Sprintf(", in %d runs", read.times)
		}
		fmt.Fprintf(w, "%s|   read    %s entries and records; rows: %s%s\n", margin,
			thousands(read.entries), thousands(read.rows), times)
	}
	r.list = nil
}

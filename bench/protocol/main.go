// Command protocol simulates how many processes commit to one store elsewhere, by the
// protocol of package remote, in a time of its own: what it prints depends on its flags
// and its seed alone.
//
//	go run ./protocol -processes 100 -writers 4 -seed 1
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
	"time"
)

func main() {
	base := config{}
	flag.IntVar(&base.processes, "processes", 100, "how many processes there are")
	flag.IntVar(&base.writers, "writers", 1, "how many write in each of them")
	flag.IntVar(&base.keys, "keys", 10_000, "how many keys there are")
	flag.IntVar(&base.reads, "reads", 4, "how many of them a transaction reads")
	flag.IntVar(&base.writes, "writes", 2, "how many of these it writes")
	flag.DurationVar(&base.roundTrip, "roundtrip", time.Millisecond, "how long a request takes")
	flag.Float64Var(&base.spread, "spread", 0.3, "how far such times are apart: the deviation of their logarithm; 0.3 has one in a hundred take twice as long")
	flag.DurationVar(&base.flush, "flush", 500*time.Microsecond, "how long the engine takes for a commit, one after the other")
	flag.DurationVar(&base.think, "think", 0, "how long a writer pauses between transactions, in the mean")
	flag.BoolVar(&base.bucket, "bucket", false, "the engine is a bucket: a version is a name that is taken once")
	flag.DurationVar(&base.last, "for", 20*time.Second, "how long it lasts, simulated")
	flag.Uint64Var(&base.seed, "seed", 1, "of all that is drawn")
	flag.Parse()
	if err := base.check(); err != nil {
		fmt.Fprintln(os.Stderr, "protocol:", err)
		os.Exit(2)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "keys\tpauses\tcommits/s\tversions/s\tattempts\tproposals\tp50\tp99\tmin/max")
	for _, skewed := range []bool{false, true} {
		for _, p := range []pauses{noPauses, kivisPauses, longPauses} {
			c := base
			c.skewed, c.pauses = skewed, p
			run(c).print(w)
		}
	}
	w.Flush()
}

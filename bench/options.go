package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options are what the command line says.
type Options struct {
	Records    []int
	Rounds     int
	Slices     int
	Contenders []string
	Workloads  []string
	JSON, SVG  string
	Markdown   bool
	From       []string
	Quick      bool
	List       bool

	Dir        string
	Seed       uint64
	Memory     int64
	Budget     time.Duration
	LoadCap    time.Duration
	Overwrites int
	Idle       time.Duration
	Profile    string
}

// parseOptions reads the command line; its faults are all reported at once.
func parseOptions(args []string, errOut io.Writer) (*Options, error) {
	o := &Options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(errOut)
	records := f.String("records", "100000", "records in the table; several sizes with commas")
	contenders := f.String("contenders", "", "contenders, with commas; all by default")
	names := f.String("workloads", "", "workloads, with commas; all by default")
	from := f.String("from", "", "measure nothing, report the JSON files of earlier runs, with commas")
	f.IntVar(&o.Rounds, "rounds", 5, "how often all is done anew, in new processes")
	f.IntVar(&o.Slices, "slices", 3, "how often a round measures each workload, contenders alternating")
	f.StringVar(&o.JSON, "json", "", "file for all measurements")
	f.StringVar(&o.SVG, "svg", "", "file for the chart")
	f.BoolVar(&o.Markdown, "markdown", false, "report as the tables of docs/performance.md")
	f.BoolVar(&o.Quick, "quick", false, "only show that it works: 1,000 records, one short round")
	f.BoolVar(&o.List, "list", false, "list the contenders and workloads")
	f.StringVar(&o.Dir, "dir", os.TempDir(), "directory for the databases; on the disk that is to be measured")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the data and of what is asked for")
	memory := f.Int64("memory", 64, "MiB that an engine may use, where it can be told")
	f.DurationVar(&o.Budget, "budget", 300*time.Millisecond, "time of one measurement")
	f.DurationVar(&o.LoadCap, "cap", 90*time.Second, "time of a load after which a contender is left out")
	f.IntVar(&o.Overwrites, "overwrites", 100_000, "overwrites of the workloads aged-scan and aged-count")
	f.DurationVar(&o.Idle, "idle", 3*time.Second, "time for tidying-up after them")
	f.StringVar(&o.Profile, "profile", "", "existing directory for a processor profile of each measurement")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	o.Memory = *memory << 20
	o.From = list(*from)
	if o.Quick {
		o.quick(records)
	}
	return o, errors.Join(noArguments(f), o.sizes(*records), o.choose(*contenders, *names), o.validate())
}

func noArguments(f *flag.FlagSet) error {
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return nil
}

// quick makes everything small.
func (o *Options) quick(records *string) {
	*records = "1000"
	o.Rounds, o.Slices = 1, 1
	o.Budget, o.Idle, o.Overwrites = 5*time.Millisecond, 100*time.Millisecond, 500
}

// list splits a list with commas.
func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// sizes reads the sizes of the table.
func (o *Options) sizes(records string) error {
	for _, s := range list(records) {
		n, err := strconv.Atoi(strings.ReplaceAll(s, "_", ""))
		if err != nil || n < 100 {
			return fmt.Errorf("-records %q: want numbers of at least 100", records)
		}
		o.Records = append(o.Records, n)
	}
	return nil
}

// choose takes the contenders and workloads that are named, or all.
func (o *Options) choose(contenders, names string) error {
	o.Contenders, o.Workloads = list(contenders), list(names)
	var faults []error
	for _, c := range o.Contenders {
		if _, ok := entryOf(c); !ok {
			faults = append(faults, fmt.Errorf("-contenders: there is no %q; -list shows what there is", c))
		}
	}
	for _, w := range o.Workloads {
		if _, ok := workloadOf(w); !ok {
			faults = append(faults, fmt.Errorf("-workloads: there is no %q; -list shows what there is", w))
		}
	}
	return errors.Join(faults...)
}

func (o *Options) validate() error {
	if o.Rounds < 1 || o.Slices < 1 || o.Budget <= 0 || o.Memory < 16<<20 {
		return errors.New("-rounds and -slices must be at least 1, -budget over 0, -memory at least 16")
	}
	return nil
}

// entries returns the contenders that are to be measured.
func (o *Options) entries() []Entry {
	return slices.DeleteFunc(entries(), func(e Entry) bool {
		return len(o.Contenders) > 0 && !slices.Contains(o.Contenders, e.Name)
	})
}

// workloads returns the workloads that are to be measured: always the load.
func (o *Options) workloads() []Workload {
	all := workloads()
	return slices.DeleteFunc(all, func(w Workload) bool {
		return len(o.Workloads) > 0 && w.Name != all[0].Name && !slices.Contains(o.Workloads, w.Name)
	})
}

// settings returns what children are told, for a table of n records.
func (o *Options) settings(dir string, n int) Settings {
	return Settings{
		Dir: dir, Records: n, Seed: o.Seed, Memory: o.Memory,
		Budget: o.Budget, LoadCap: o.LoadCap, Overwrites: o.Overwrites, Idle: o.Idle, Profile: o.Profile,
	}
}

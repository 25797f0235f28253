package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Results are the measurements of one run or of several, as they are in a JSON
// file.
type Results struct {
	Machine Machine  `json:"machine"`
	Began   string   `json:"began"`
	Notes   []string `json:"notes,omitempty"` // what contenders could not do
	Samples []Sample `json:"samples"`
}

// Machine is where a run took place, and with what.
type Machine struct {
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	System   string            `json:"system"`
	Go       string            `json:"go"`
	Versions map[string]string `json:"versions,omitempty"` // of the contenders' modules
}

// Sample is one measurement.
type Sample struct {
	Records   int    `json:"records"`
	Contender string `json:"contender"`
	Workload  string `json:"workload"`
	Round     int    `json:"round"`
	Slice     int    `json:"slice"`
	Measure
}

// newResults returns results without measurements.
func newResults() *Results {
	return &Results{Machine: thisMachine(), Began: time.Now().UTC().Format(time.DateTime)}
}

func (r *Results) add(s Sample) { r.Samples = append(r.Samples, s) }

// note adds a note unless it is there.
func (r *Results) note(text string) {
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

// sizes returns the numbers of records that were measured, ascending.
func (r *Results) sizes() []int {
	var sizes []int
	for _, s := range r.Samples {
		if !slices.Contains(sizes, s.Records) {
			sizes = append(sizes, s.Records)
		}
	}
	slices.Sort(sizes)
	return sizes
}

// write writes the results to a file.
func (r *Results) write(file string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// readResults reads files of results as one. Rounds of different files stay
// different.
func readResults(files []string) (*Results, error) {
	all := &Results{}
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var one Results
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if i == 0 {
			all.Machine, all.Began = one.Machine, one.Began
		}
		for _, n := range one.Notes {
			all.note(n)
		}
		for _, s := range one.Samples {
			s.Round += i << 16
			all.add(s)
		}
	}
	return all, nil
}

// thisMachine returns what is known of this machine and this program.
func thisMachine() Machine {
	m := Machine{
		CPU:      cpuName(),
		Cores:    runtime.NumCPU(),
		System:   runtime.GOOS + "/" + runtime.GOARCH,
		Go:       runtime.Version(),
		Versions: map[string]string{},
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	for _, dep := range info.Deps {
		if slices.Contains(comparedModules, dep.Path) {
			m.Versions[dep.Path] = dep.Version
		}
	}
	return m
}

// comparedModules are those whose versions a reader wants to know.
var comparedModules = []string{
	"github.com/asdine/storm/v3", "github.com/cockroachdb/pebble/v2", "github.com/dgraph-io/badger/v4",
	"github.com/google/btree", "github.com/hashicorp/go-memdb", "github.com/mattn/go-sqlite3",
	"github.com/ncruces/go-sqlite3",
	"github.com/timshannon/badgerhold/v4", "github.com/timshannon/bolthold", "go.etcd.io/bbolt",
	"gorm.io/gorm", "modernc.org/sqlite",
}

// cpuName returns the processor's name, if the system tells it in Linux's way.
func cpuName() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

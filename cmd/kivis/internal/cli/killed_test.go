package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// killing is an import that is killed again and again.
type killing struct {
	t       *testing.T
	dir     string        // of the database, the file and the rejects
	args    []string      // import, the database, the table, the file, and flags
	whole   time.Duration // of the quickest run from the beginning to the end
	resumed int           // runs that went on where a killed one had been
}

// importFields are the fields of the files, all but those that are drawn.
var importFields = map[string]string{"airports": "Code,Name,City,Runways", "flights": "Origin,Destination,Departs,Delay,Gate"}

// TestKilledImport kills processes that import, at random moments, and runs the
// same command again: in the end all is as if nothing had happened, nothing is in
// twice, and the file of rejects has each of them once.
func TestKilledImport(t *testing.T) {
	n := 12000
	if testing.Short() {
		n = 4000
	}
	for _, line := range []string{
		"import travel flights f.csv",
		"import travel.bolt airports f.jsonl --upsert",
		"import travel airports f.csv --on-error skip --rejects rejects.jsonl",
		"import travel.bolt flights f.parquet",
		"import travel.bolt flights f.jsonl --on-error skip --rejects rejects.jsonl",
	} {
		t.Run(line, func(t *testing.T) {
			k := &killing{t: t, args: strings.Fields(line)}
			k.fresh(n)
			k.run(0)
			want, wantRejects := k.contents(), k.rejects()
			for round := 0; k.resumed < 2; round++ {
				if round == 20 {
					t.Fatal("no process was killed between its first chunk and its last")
				}
				k.fresh(n)
				done := false
				for kills := 0; !done && kills < 3; kills++ {
					done = k.run(1 + time.Duration(rand.Int64N(int64(k.whole))))
				}
				if !done {
					k.run(0)
				}
				k.compare(want, wantRejects)
			}
		})
	}
}

// compare compares what is in the database with what one run has put there.
func (k *killing) compare(want []string, wantRejects []int) {
	k.t.Helper()
	if got := k.contents(); !slices.Equal(got, want) {
		k.t.Fatalf("%d records, want %d: %s", len(got)-1, len(want)-1, firstDifference(strings.Join(got, "\n"), strings.Join(want, "\n")))
	}
	if got := k.rejects(); !slices.Equal(got, wantRejects) {
		k.t.Fatalf("the rejects are the records %v, want %v", got, wantRejects)
	}
	k.must("check", filepath.Join(k.dir, k.args[1]))
}

// fresh makes a new directory with a database and a file of n records.
func (k *killing) fresh(n int) {
	k.t.Helper()
	k.dir = databases(k.t)
	k.write(n)
}

// write writes a file of n records for the table. Where the import skips records
// that cannot be written there are some, and where it replaces them, one is there.
func (k *killing) write(n int) {
	k.t.Helper()
	table, file := k.args[2], filepath.Join(k.dir, k.args[3])
	skip, upsert := slices.Contains(k.args, "skip"), slices.Contains(k.args, "--upsert")
	var csv, lines bytes.Buffer
	for i := range n {
		there := i%501 == 5 && (skip || upsert)
		if table == "airports" {
			code := fmt.Sprint("K", i)
			if there {
				code = "JFK"
			}
			fmt.Fprintf(&csv, "%s,Airport %d,\\N,\"[{\"\"Name\"\":\"\"R\"\",\"\"Metres\"\":%d}]\"\n", code, i%70, i)
			fmt.Fprintf(&lines, "{\"Code\":%q,\"Name\":\"Airport %d\",\"City\":null,\"Runways\":[{\"Name\":\"R\",\"Metres\":%d}]}\n", code, i%70, i)
			continue
		}
		to := "LAX"
		if there {
			to = "nowhere"
		}
		fmt.Fprintf(&csv, "ORD,%s,2001-02-03T04:05:06.%06dZ,%d,\\N\n", to, i, i%1000)
		fmt.Fprintf(&lines, "{\"Origin\":\"ORD\",\"Destination\":%q,\"Departs\":\"2001-02-03T04:05:06.%06dZ\",\"Delay\":%d,\"Gate\":null}\n", to, i, i%1000)
	}
	fields := importFields[table]
	switch filepath.Ext(file) {
	case ".csv":
		k.file(file, append([]byte(fields+"\n"), csv.Bytes()...))
	case ".jsonl":
		k.file(file, lines.Bytes())
	case ".parquet":
		k.file(file+".jsonl", lines.Bytes())
		scratch := filepath.Join(databases(k.t), "travel.bolt")
		k.must("import", scratch, table, file+".jsonl")
		k.must("export", scratch, table, "ID > 6", "--fields", fields, "--out", file)
	}
}

func (k *killing) file(name string, b []byte) {
	k.t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// run runs the import in a process of its own, which is killed after the time, or
// never, and reports whether that has said that it is done.
func (k *killing) run(after time.Duration) (done bool) {
	k.t.Helper()
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := &exec.Cmd{Path: self, Args: append([]string{"kivis"}, k.args...), Dir: k.dir, Stderr: &said}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	if after > 0 {
		kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
	}
	err = cmd.Wait()
	took, resumed := time.Since(began), strings.Contains(said.String(), "going on behind")
	if resumed {
		k.resumed++
	}
	var exit *exec.ExitError
	if err != nil && (after == 0 || !errors.As(err, &exit) || exit.ExitCode() != -1) { // -1: by a signal
		k.t.Fatalf("kivis %q: %v: %s", k.args, err, &said)
	}
	if done = strings.Contains(said.String(), " imported"); done && !resumed && (k.whole == 0 || took < k.whole) {
		k.whole = took
	}
	return done
}

// must runs a command in this process, and returns its output.
func (k *killing) must(args ...string) string {
	k.t.Helper()
	var out, said bytes.Buffer
	if code := Main(context.Background(), args, Streams{In: strings.NewReader(""), Out: &out, Err: &said}); code != exitOK {
		k.t.Fatalf("kivis %q: exit code %d: %s", args, code, &said)
	}
	return out.String()
}

// contents returns the records of the table, without what is drawn, in the order of
// their texts.
func (k *killing) contents() []string {
	k.t.Helper()
	out := k.must("export", filepath.Join(k.dir, k.args[1]), k.args[2], "--fields", importFields[k.args[2]], "--format", "jsonl")
	lines := strings.Split(out, "\n")
	slices.Sort(lines)
	return lines
}

// rejects returns the numbers of the records in the file of rejects, if there is one.
func (k *killing) rejects() (numbers []int) {
	k.t.Helper()
	b, err := os.ReadFile(filepath.Join(k.dir, "rejects.jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		k.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var r reject
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			k.t.Fatalf("%q in the file of rejects: %v", line, err)
		}
		numbers = append(numbers, r.Number)
	}
	return numbers
}

package cli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// TestMain is the command kivis where it is called by that name, as transcripts
// call it.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "kivis" {
		os.Exit(Process())
	}
	code := m.Run()
	if template.dir != "" {
		os.RemoveAll(template.dir)
	}
	os.Exit(code)
}

// TestTranscripts runs the commands of each file in testdata, lines that begin
// with a dollar, in a shell, and compares what they print with what is in the
// file: standard output, then standard error behind exclamation marks, then the
// exit code where it is not 0.
func TestTranscripts(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh, which runs the commands")
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v, want the transcripts", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			compare(t, file, databases(t))
		})
	}
}

// TestTour goes the way of a new user: it loads the flights of the examples, and
// looks into them. The README quotes its transcript.
func TestTour(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go, which runs the example")
	}
	dir := t.TempDir()
	load := exec.Command(goTool, "run", "./examples/flights", "-q", "-dir", filepath.Join(dir, "flights.db"))
	load.Dir = "../../../.."
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", load, err, out)
	}
	compare(t, "testdata/tour/flights.txt", dir)
}

// compare runs the commands of a transcript in a directory and compares what they
// print with what the transcript has.
func compare(t *testing.T, file, dir string) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := replay(t, string(want), dir)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != string(want) {
		t.Errorf("%s is not what the commands print now; -update writes it anew:\n%s", file, firstDifference(got, string(want)))
	}
}

// replay runs the commands of a transcript and returns it with what they print.
func replay(t *testing.T, transcript, dir string) string {
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "kivis")); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	before := ""
	for line := range strings.Lines(transcript) {
		ours := strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "$ ")
		if ours && before == "\n" && out.Len() > 0 {
			out.WriteString("\n")
		}
		before = line
		switch {
		case strings.HasPrefix(line, "# "):
			out.WriteString(line)
		case ours:
			out.WriteString(line)
			out.WriteString(runLine(t, dir, bin, strings.TrimSpace(line[2:])))
		}
	}
	return out.String()
}

// runLine runs one command line and returns what it has printed.
func runLine(t *testing.T, dir, bin, line string) string {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+bin)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", line, err)
	}
	s := stdout.String()
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n[no newline]\n"
	}
	for l := range strings.Lines(stderr.String()) {
		s += "! " + strings.TrimSuffix(l, "\n") + "\n"
	}
	if exit != nil {
		s += fmt.Sprintf("[exit %d]\n", exit.ExitCode())
	}
	return strings.ReplaceAll(s, dir, "DIR")
}

// firstDifference returns the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, a, b)
		}
	}
	return ""
}

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readmeCommand is a command line that stands in the text of the README, and not
// in a block.
var readmeCommand = regexp.MustCompile("`(go [^`]+)`")

// elsewhereTested are commands of the README that other tests are, or that CI runs.
var elsewhereTested = map[string]bool{"go test ./...": true}

// TestReadme goes the way of a new user: it clones the repository and does all that
// the README says, in its order, and has the output that stands there.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds all anew")
	}
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, need := range []string{"git", "go", "sh"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("there is no %s", need)
		}
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("these are not the files of a clone")
	}
	dir := t.TempDir()
	u := &newUser{t: t, clone: filepath.Join(dir, "kivis"), bin: filepath.Join(dir, "bin")}
	if out, err := exec.Command("git", "clone", "-q", "--depth", "1", "file://"+filepath.ToSlash(root), u.clone).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(u.clone, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	u.follow(string(text))
	if u.commands < 4 || u.outputs < 1 {
		t.Errorf("the README has %d commands and the output of %d, want more", u.commands, u.outputs)
	}
}

// newUser is one who does what the README says.
type newUser struct {
	t          *testing.T
	clone, bin string
	commands   int
	outputs    int // that were compared
}

// follow does what a text says.
func (u *newUser) follow(text string) {
	u.t.Helper()
	block := false
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			block = !block
		case block && strings.HasPrefix(line, "go "):
			command, _, _ := strings.Cut(line, " # ")
			u.run(strings.TrimSpace(command))
		case block && strings.HasPrefix(line, "$ "):
			end := strings.Index(rest, "```")
			if next := strings.Index(rest[:end], "\n$ "); next >= 0 {
				end = next + 1
			}
			if got := u.run(line[2:]); got != rest[:end] {
				u.t.Errorf("%s prints\n%s\nthe README has\n%s", line, got, rest[:end])
			}
			u.outputs++
			rest = rest[end:]
		case !block:
			for _, m := range readmeCommand.FindAllStringSubmatch(line, -1) {
				u.run(m[1])
			}
		}
		text = rest
	}
}

// run runs a command in the clone, and returns what it prints.
func (u *newUser) run(line string) string {
	u.t.Helper()
	if elsewhereTested[line] {
		return ""
	}
	u.commands++
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = u.clone
	cmd.Env = append(os.Environ(), "GOBIN="+u.bin, "GOWORK=off", "PATH="+u.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) == 0 && strings.HasPrefix(line, "go run") {
		u.t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

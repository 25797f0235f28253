package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"
)

// typist is a person at a terminal, in which a shell runs.
type typist struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	mu   sync.Mutex
	seen string // what the terminal has got
	read int    // of it, what the person has
}

const columns = 70

// sitDown starts a shell on a database in a terminal.
func sitDown(t *testing.T, dir, home string) *typist {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: self, Args: []string{"kivis", "shell", "travel"}, Dir: dir}
	cmd.Env = append(os.Environ(), "TERM=xterm", "HOME="+home, "XDG_CONFIG_HOME="+home)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	if err != nil {
		t.Skipf("there is no terminal to be had: %v", err)
	}
	p := &typist{t: t, cmd: cmd, tty: tty}
	go p.look()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		tty.Close()
	})
	p.wait("kivis> ")
	return p
}

// look takes what the terminal gets, until the shell is gone.
func (p *typist) look() {
	b := make([]byte, 1024)
	for {
		n, err := p.tty.Read(b)
		p.mu.Lock()
		p.seen += string(b[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// wait waits until the terminal has got a text, and returns what came up to its end.
func (p *typist) wait(text string) string {
	p.t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		now := p.seen[p.read:]
		if i := strings.Index(now, text); i >= 0 {
			p.read += i + len(text)
			p.mu.Unlock()
			return now[:i+len(text)]
		}
		p.mu.Unlock()
		if time.Since(began) > time.Minute {
			p.t.Fatalf("the terminal has not got %q, but %q", text, now)
		}
	}
}

// enter types keys, waits until they are shown as a line, and enters it: what is
// printed comes back.
func (p *typist) enter(keys, line string) string {
	p.t.Helper()
	p.keys(keys)
	p.wait(line)
	p.keys("\r")
	return p.wait("\nkivis> ")
}

func (p *typist) keys(keys string) {
	p.t.Helper()
	if _, err := p.tty.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// leave presses Ctrl-D, and waits for the shell's end.
func (p *typist) leave() {
	p.t.Helper()
	p.keys("\x04")
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the shell: %v: %q", err, p.seen[p.read:])
	}
}

// TestTerminalShell has a person use the shell: completion of commands, tables,
// fields and words, the history of this shell and of the one before, Ctrl-C at the
// prompt and in a command, Ctrl-D, and boxes that fit the terminal.
func TestTerminalShell(t *testing.T) {
	dir, home := databases(t), t.TempDir()
	p := sitDown(t, dir, home)
	if out := p.enter("ta\t", "tables"); !strings.Contains(out, "│ airports │") {
		t.Errorf("tables prints %q", out)
	}
	query := "query flights Origin = 'ORD' and Delay between 1 and 200"
	p.keys("que\t fl\t Or\t = 'ORD' and De\t\t") // Delay, Departs or Destination
	p.wait("Departs")
	if out := p.enter("la\t bet\t 1 and 200", "200"); !strings.Contains(out, "│ ORD") {
		t.Errorf("%s prints %q", query, out)
	}
	p.checkBox(p.enter("\x1b[A", query))

	p.keys("delete flights 1\x03") // no: Ctrl-C
	p.wait("kivis> ")
	if out := p.enter("get flights 1", "get flights 1"); !strings.Contains(out, "ORD") {
		t.Errorf("a line that was given up has been run: %q", out)
	}
	p.keys("watch flights Delay > 100\r")
	p.wait("└")
	p.keys("\x03") // ends the command, and not the shell
	p.wait("\nkivis> ")
	if out := p.enter("query flights --count", "--count"); !strings.Contains(out, "6") {
		t.Errorf("behind Ctrl-C the shell prints %q", out)
	}
	p.leave()

	history := filepath.Join(home, "kivis", "history")
	info, err := os.Stat(history)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history is %v, %v, want a file for its owner alone", info, err)
	}
	text, err := os.ReadFile(history)
	if lines := strings.Split(string(text), "\n"); err != nil || !slices.Contains(lines, query) || slices.Contains(lines, "delete flights 1") {
		t.Errorf("the history is %q, %v", lines, err)
	}
	p = sitDown(t, dir, home)
	if out := p.enter("\x1b[A", "query flights --count"); !strings.Contains(out, "6") {
		t.Errorf("the last line of the last shell prints %q", out)
	}
	p.leave()
}

// checkBox checks that a box is no wider than the terminal, and has the types under
// the names.
func (p *typist) checkBox(out string) {
	p.t.Helper()
	lines := strings.Split(strings.ReplaceAll(out, "\r", ""), "\n")
	top := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "┌") })
	if top < 0 || top+3 >= len(lines) || !strings.Contains(lines[top+1], "ID") || !strings.Contains(lines[top+2], "uint64") {
		p.t.Fatalf("no box with names and types: %q", out)
	}
	for _, l := range lines[top : len(lines)-1] {
		if w := runewidth.StringWidth(l); w > columns {
			p.t.Errorf("a line of %d characters on a terminal of %d: %s", w, columns, l)
		}
	}
}

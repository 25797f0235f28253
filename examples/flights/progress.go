package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// progressBar returns a function that draws on w how far a job has come, and
// one that wipes the drawing out. On anything but a terminal both do nothing.
func progressBar(w io.Writer) (draw func(done, all int), wipe func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int, int) {}, func() {}
	}
	draw = func(done, all int) {
		fmt.Fprintf(f, "\r%s", bar(done, all))
	}
	return draw, func() { fmt.Fprint(f, "\r\x1b[K") }
}

// bar returns a bar that is filled as far as a job has come.
func bar(done, all int) string {
	const width = 40
	n := width * min(done, all) / max(all, 1)
	return fmt.Sprintf("[%s%s] %s of %s", strings.Repeat("#", n), strings.Repeat(".", width-n), thousands(done), thousands(all))
}

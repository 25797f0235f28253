// Command shape measures how a Go module is built, and prints it as a table:
//
//	go -C tools run ./shape ..
//
// One line is a package. files counts the files that are no tests, lines all
// lines of these; file is the median and the largest number of lines in one.
// funcs counts functions and methods with a body; length is the median, the
// ninth decile and the largest number of lines of one, and >60 and >100 how many
// are longer than that. documented is how many of the exported names have a
// comment: constants, variables, types, functions, and methods of exported
// types. comments is the share of the lines that hold a comment alone, of those
// that are not blank. test/source compares lines of tests with lines of source.
//
// Two files are in one circle where each refers, if over others, to package-level
// declarations or methods of the other: such files can only be read together.
// circle is how many files the largest circle of the package has; below the
// table these files are listed, and those that import reflect.
//
// Only what is built on this machine's platform counts. No figure is a failure:
// the table is for people, to see where a change leads.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: shape DIR") }
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "shape:", err)
		os.Exit(1)
	}
}

// run measures the module in dir and prints the table.
func run(dir string) error {
	packages, err := load(dir)
	if err != nil {
		return err
	}
	shapes := make([]shape, len(packages))
	for i, p := range packages {
		shapes[i] = measure(p)
	}
	return report(os.Stdout, shapes)
}

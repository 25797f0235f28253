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
// With -circle PACKAGE, the package's folder, it prints what holds its largest circle
// together instead: for each file in it the others that it leads to, and the names that it uses.
//
// Only what is built on this machine's platform counts. No figure is a failure:
// the table is for people, to see where a change leads.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
)

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: shape [-circle PACKAGE] DIR") }
	circle := flag.String("circle", "", "show what holds the largest circle of this package together")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *circle); err != nil {
		fmt.Fprintln(os.Stderr, "shape:", err)
		os.Exit(1)
	}
}

// run measures the module in dir and prints the table, or the circle of a package.
func run(dir, circle string) error {
	packages, err := load(dir)
	if err != nil {
		return err
	}
	if circle != "" {
		i := slices.IndexFunc(packages, func(p *source) bool { return p.name == circle })
		if i < 0 {
			return fmt.Errorf("there is no package %s", circle)
		}
		ties(os.Stdout, packages[i])
		return nil
	}
	shapes := make([]shape, len(packages))
	for i, p := range packages {
		shapes[i] = measure(p)
	}
	return report(os.Stdout, shapes)
}

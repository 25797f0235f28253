package cli

import (
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/schema"
)

// keywords are the words of predicates.
var keywords = []string{"and", "any", "between", "contains", "deref", "false", "fold", "in", "is", "key", "nil", "not", "or", "prefix", "true"}

// complete returns what may stand at the end of a line: the line without its last
// word, and the words that this may become.
func complete(line string, tables []*schema.Table) (head string, list []string) {
	from := strings.LastIndexAny(line, " \t,()=<>") + 1
	head, begun := line[:from], line[from:]
	for _, s := range candidates(strings.Fields(head), begun, tables) {
		if len(s) >= len(begun) && strings.EqualFold(s[:len(begun)], begun) {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return head, slices.Compact(list)
}

// alike returns those of a list that begin alike: as what has been typed does, or
// as the first of them. The line editor puts what all have in common in the place
// of what was typed, and of Origin and or that would be nothing.
func alike(begun string, list []string) []string {
	for _, begin := range []string{begun, ""} {
		if begin == "" && len(list) > 0 {
			begin = list[0][:len(begun)]
		}
		same := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !strings.HasPrefix(s, begin) })
		if len(same) > 0 {
			return same
		}
	}
	return nil
}

// candidates returns all that may come behind words.
func candidates(before []string, begun string, tables []*schema.Table) []string {
	switch {
	case len(before) == 0:
		return append(commands(), "help", "exit")
	case strings.HasPrefix(begun, "--"):
		return flagsOf(before[0])
	case len(before) == 1:
		names := make([]string, len(tables))
		for i, tb := range tables {
			names[i] = tb.Name
		}
		return names
	}
	i := slices.IndexFunc(tables, func(tb *schema.Table) bool { return tb.Name == before[1] })
	if i < 0 {
		return nil
	}
	tb := tables[i]
	switch flag := strings.TrimSuffix(before[len(before)-1], "="); {
	case flag == "--using":
		return indexesOf(tb)
	case flag == "--format":
		return []string{"box", "csv", "json", "jsonl", "markdown", "parquet", "tsv"}
	case flag == "--order" || flag == "--fields":
		return columnNames(tb)
	}
	return append(columnNames(tb), keywords...)
}

func columnNames(tb *schema.Table) []string {
	names := make([]string, len(tb.Columns))
	for i := range tb.Columns {
		names[i] = tb.Columns[i].Name
	}
	return names
}

func indexesOf(tb *schema.Table) []string {
	names := make([]string, len(tb.Indexes))
	for i, x := range tb.Indexes {
		names[i] = x.Name
	}
	return names
}

// commands returns the names of all commands.
func commands() []string {
	t := reflect.TypeFor[grammar]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = strings.ToLower(t.Field(i).Name)
	}
	return names
}

// flagsOf returns the flags of a command.
func flagsOf(command string) []string {
	t := reflect.TypeFor[grammar]()
	for i := range t.NumField() {
		if strings.EqualFold(t.Field(i).Name, command) {
			return flagNames(t.Field(i).Type)
		}
	}
	return nil
}

// flagNames returns the flags that the fields of a command are: those that are no
// arguments, also of the structs that it embeds.
func flagNames(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names = append(names, flagNames(f.Type)...)
		} else if _, isArg := f.Tag.Lookup("arg"); !isArg {
			names = append(names, "--"+dashed(f.Name))
		}
	}
	return names
}

// dashed returns a name as flags have it: dry-run for DryRun.
func dashed(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' && i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}

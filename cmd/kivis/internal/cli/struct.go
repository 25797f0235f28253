package cli

import (
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/kivisdb/kivis/cmd/kivis/internal/files"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
)

type structCmd struct {
	File   string      `arg:"" help:"A file of records: CSV, JSON Lines, JSON or Parquet."`
	Format rows.Format `placeholder:"FORMAT" help:"csv, tsv, json, jsonl or parquet, where the file's name does not say so."`
	Name   string      `placeholder:"NAME" help:"The name of the struct, in place of that of the file."`
}

// Help says what becomes of it.
func (*structCmd) Help() string {
	return `Prints a record type in Go that the file can be imported into, once a program has registered it: types by all the values in the file, ` +
		`pointers where some are missing, and a primary key that seems to be one.`
}

// Run prints the struct.
func (cmd *structCmd) Run(c *call) error {
	form := cmd.Format
	if form == "" {
		var err error
		if form, err = files.FormatOf(cmd.File); err != nil {
			return usageError{err}
		}
	}
	f, err := os.Open(cmd.File)
	if err != nil {
		return err
	}
	defer f.Close()
	cols, n, err := files.Infer(f, form)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	code, err := goStruct(cmd.Name, cmd.File, cols, n)
	if err != nil {
		return err
	}
	_, err = c.out.Write(code)
	return err
}

// goStruct returns a struct for the records of a file.
func goStruct(name, file string, cols []files.Guess, n int) ([]byte, error) {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if name == "" {
		name = singular(goName(base))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "// %s is a record of %s, which has %s.\ntype %s struct {\n", name, rows.Escape(filepath.Base(file)), count(n, "record", "records"), name)
	if table := strings.ToLower(goName(base)); table != name {
		fmt.Fprintf(&b, "_ struct{} `kivis:\"table=%s\"`\n", table)
	}
	key := keyOf(cols)
	if key < 0 {
		fmt.Fprintf(&b, "kivis.Auto[%s] // the key is drawn: no column of the file has a value of its own in each record\n", name)
	}
	used := map[string]bool{"_": true, "ID": key < 0}
	for i, col := range cols {
		b.WriteString(goField(name, &col, i == key, n, used))
	}
	b.WriteString("}\n")
	return format.Source([]byte(b.String()))
}

// goField returns the line of a field.
func goField(record string, col *files.Guess, key bool, n int, used map[string]bool) string {
	field, typ, comment := goName(col.Name), col.Type, ""
	for used[field] {
		field += "_"
	}
	used[field] = true
	var tags []string
	switch {
	case key && (typ == "int64" || typ == "uint64"):
		field, typ = "ID", fmt.Sprintf("kivis.ID[%s]", record)
	case key:
		tags = append(tags, "key")
	case col.Nil > 0 && typ != "any" && typ != "[]byte":
		typ = "*" + typ
		comment = fmt.Sprintf(" // missing in %s of %s", thousands(int64(col.Nil)), thousands(int64(n)))
	}
	switch {
	case field == col.Name:
	case isName(col.Name):
		tags = append(tags, "name="+col.Name)
	default:
		comment += fmt.Sprintf(" // call the column %s in the file, in place of %q", field, col.Name)
	}
	tag := ""
	if len(tags) > 0 {
		tag = fmt.Sprintf(" `kivis:%q`", strings.Join(tags, ","))
	}
	return field + " " + typ + tag + comment + "\n"
}

// keyOf returns the column that seems to be the primary key: one whose values are
// unique and whose name says so, or the first, if it has unique texts or integers;
// else -1.
func keyOf(cols []files.Guess) int {
	for _, name := range []string{"id", "key", "code", "uuid"} {
		for i, c := range cols {
			if c.Unique && strings.EqualFold(c.Name, name) && isKeyType(c.Type) {
				return i
			}
		}
	}
	if len(cols) > 0 && cols[0].Unique && isKeyType(cols[0].Type) {
		return 0
	}
	return -1
}

func isKeyType(t string) bool { return t == "string" || t == "int64" || t == "uint64" }

// goName returns an exported name of Go for the name of a column.
func goName(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, p := range parts {
		if strings.EqualFold(p, "id") {
			parts[i] = "ID"
			continue
		}
		r := []rune(p)
		r[0] = unicode.ToUpper(r[0])
		parts[i] = string(r)
	}
	name := strings.Join(parts, "")
	if name == "" || !unicode.IsUpper([]rune(name)[0]) {
		return "X" + name
	}
	return name
}

// isName reports whether a field can be stored by the name.
func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// singular returns a name without the s of a plural.
func singular(name string) string {
	if strings.HasSuffix(name, "ies") {
		return strings.TrimSuffix(name, "ies") + "y"
	}
	if len(name) > 3 && strings.HasSuffix(name, "s") && !strings.HasSuffix(name, "ss") {
		return strings.TrimSuffix(name, "s")
	}
	return name
}

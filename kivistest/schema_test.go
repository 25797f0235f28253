package kivistest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

type (
	shop1 struct {
		_    struct{} `kivis:"table=shop"`
		Code string   `kivis:"key"`
		City string
		Size int
	}
	shop2 struct {
		_    struct{} `kivis:"table=shop"`
		Code string   `kivis:"key"`
		Town string   `kivis:"was=City,index"`
		Size int
	}
	shop3 struct {
		_    struct{} `kivis:"table=shop"`
		Code string   `kivis:"key"`
		City string
		Size string
	}
	other struct {
		Code string `kivis:"key"`
	}
)

// recorder is a testing.TB that notes what fails.
type recorder struct {
	testing.TB
	text string
}

// notes is a table that the file does not have.
type notes struct {
	ID int `kivis:"key"`
}

func sprintf(format string, args []any) string { return fmt.Sprintf(format, args...) }

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.text += sprintf(format, args) }

func (r *recorder) Fatalf(format string, args ...any) { r.text += "fatal: " + sprintf(format, args) }

func (r *recorder) Logf(string, ...any) {}

// TestSchema: the file is written once, and then holds the records to it.
func TestSchema(t *testing.T) {
	file := filepath.Join(t.TempDir(), "schema.txt")
	for _, test := range []struct {
		name    string
		records []any
		update  bool
		want    []string // in what fails; none where nothing does
	}{
		{"written", []any{&shop1{}, &other{}}, false, nil},
		{"the same", []any{&other{}, &shop1{}}, false, nil},
		{"renamed, with an index", []any{&shop2{}, &other{}}, false, []string{"shop: renamed field Town: was City (nothing to do)", "shop: new index Town: index=Town(Town) (build)", "KIVIS_UPDATE=1"}},
		{"refused", []any{&shop3{}, &other{}}, false, []string{"shop: changed type Size: int64 to string (refused)"}},
		{"with its migration", []any{&shop3{}, &other{}, kivis.Migrate(func(o shop1) (shop3, error) { return shop3{}, nil })}, false, []string{"shop: migration: kivistest_test.shop1 to kivistest_test.shop3 (rewrite)"}},
		{"a table gone", []any{&shop1{}}, false, []string{"other: no record has the table any more"}},
		{"a table new", []any{&shop1{}, &other{}, &notes{}}, false, []string{"notes: new table"}},
		{"written anew", []any{&shop2{}, &other{}}, true, nil},
		{"the same again", []any{&shop2{}, &other{}}, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.update {
				t.Setenv("KIVIS_UPDATE", "1")
			} else {
				t.Setenv("KIVIS_UPDATE", "")
			}
			r := &recorder{TB: t}
			kivistest.Schema(r, file, test.records...)
			if (r.text == "") != (test.want == nil) {
				t.Errorf("Schema says %q, want %q", r.text, test.want)
			}
			for _, want := range test.want {
				if !strings.Contains(r.text, want) {
					t.Errorf("Schema says %s, want %s", r.text, want)
				}
			}
		})
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "column Town string") {
		t.Errorf("the file is %s, %v", text, err)
	}
}

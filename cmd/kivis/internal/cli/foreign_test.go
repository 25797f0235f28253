package cli

import (
	"bytes"
	"context"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
)

// A Foreign has fields for what the Parquet files of other programs bring.
type Foreign struct {
	_     struct{} `kivis:"table=foreign"`
	ID    kivis.ID[Foreign]
	Text  string
	Float float64
	Whole int64
	Wide  *big.Int
	Any   any
	At    time.Time
}

// foreign is a row of such a file.
type foreign struct {
	Text  [13]byte         `parquet:"Text,decimal(3:30)"`
	Float int32            `parquet:"Float,decimal(2:9)"`
	Whole int64            `parquet:"Whole,decimal(2:18)"`
	Wide  [16]byte         `parquet:"Wide,decimal(0:38)"`
	Any   int32            `parquet:"Any,decimal(1:9)"`
	At    deprecated.Int96 `parquet:"At"`
}

// TestForeignParquet imports decimal numbers in each of their forms, and the times
// of 96 bits that Spark, Hive and Impala wrote. What a field would round is refused.
func TestForeignParquet(t *testing.T) {
	dir := t.TempDir()
	to := place.Place{Kind: place.Bolt, Path: filepath.Join(dir, "to")}
	makeTable(t, to, &Foreign{})
	file := filepath.Join(dir, "f.parquet")
	at := deprecated.Int96{1000000005, 0, 2451912}
	k := &killing{t: t}
	for _, tt := range []struct {
		row  foreign
		want string // as JSON, or a part of the mistake
	}{
		{foreign{Text: [13]byte{12: 5}, Float: 1234, Whole: 700, Wide: [16]byte{0: 0x80}, Any: 25, At: at},
			`"Text":"0.005","Float":12.34,"Whole":7,"Wide":"-170141183460469231731687303715884105728","Any":2.5,"At":"2001-01-02T00:00:01.000000005Z"}`},
		{foreign{Text: [13]byte(bytes.Repeat([]byte{0xff}, 13)), Float: -50, Whole: -100, Wide: [16]byte{7: 1}, At: at},
			`"Text":"-0.001","Float":-0.5,"Whole":-1,"Wide":"18446744073709551616","Any":0,`},
		{foreign{Whole: 150, At: at}, "Whole"},
	} {
		k.file(file, nil)
		if err := parquet.WriteFile(file, []foreign{tt.row}); err != nil {
			t.Fatal(err)
		}
		var out, said bytes.Buffer
		code := Main(context.Background(), []string{"import", to.Path, "foreign", file}, Streams{In: strings.NewReader(""), Out: &out, Err: &said})
		got := said.String()
		if code == exitOK {
			got = k.must("query", to.Path, "foreign", "--order", "ID desc", "--limit", "1", "--format", "jsonl")
		}
		if !strings.Contains(got, tt.want) || (code == exitOK) != strings.HasPrefix(tt.want, `"`) {
			t.Errorf("imported as %s, want %s", got, tt.want)
		}
	}
	if got := k.must("struct", file); !strings.Contains(got, "Float string") || !strings.Contains(got, "At    time.Time") {
		t.Errorf("the struct is %s", got)
	}
}

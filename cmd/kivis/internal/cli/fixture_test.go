package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
)

// Airport, Flight and Sample are the records of the databases that the tests
// look into.
type Airport struct {
	_       struct{} `kivis:"table=airports"`
	Code    string   `kivis:"key"`
	Name    string   `kivis:"index,fold"`
	City    *string
	Runways []Runway
}

type Runway struct {
	Name   string
	Metres int
}

type Flight struct {
	_           struct{} `kivis:"table=flights,index=route(Origin,-Departs)"`
	ID          kivis.ID[Flight]
	Origin      string `kivis:"ref=airports"`
	Destination string `kivis:"ref=airports,ondelete=cascade"`
	Departs     time.Time
	Delay       int32 `kivis:"index"`
	Gate        *string
}

type Sample struct {
	_        struct{} `kivis:"table=samples"`
	Shelf    int8     `kivis:"key"`
	Place    string   `kivis:"key"`
	Yes      bool
	Big      uint64
	Small    float32
	Ratio    float64
	Data     []byte
	Sum      [4]byte
	At       time.Time
	Took     time.Duration
	Maybe    *int64
	Names    []string
	Counts   map[string]int
	ByNumber map[int]string
	Inner    struct{ X, Y int }
	Free     any
}

type sampleKey struct {
	Shelf int8
	Place string
}

func airports() []*Airport {
	city := func(s string) *string { return &s }
	return []*Airport{
		{Code: "JFK", Name: "John F Kennedy Intl", City: city("New York"), Runways: []Runway{{"04L/22R", 3682}, {"13R/31L", 4423}}},
		{Code: "LAX", Name: "Los Angeles International", City: city("Los Angeles")},
		{Code: "ORD", Name: "Chicago O'Hare International", City: city("Chicago"), Runways: []Runway{}},
		{Code: "XXX", Name: "Nowhere | \x1b[31m\u202ered\x07"},
	}
}

func flights() []*Flight {
	day := time.Date(2001, 2, 3, 8, 0, 0, 0, time.UTC)
	gate := "B 12"
	var list []*Flight
	for i, route := range []string{"ORDLAX", "ORDJFK", "LAXORD", "JFKLAX", "ORDLAX", "LAXJFK"} {
		f := &Flight{Origin: route[:3], Destination: route[3:], Departs: day.Add(time.Duration(i) * 95 * time.Minute), Delay: int32(i*i*7 - 10)}
		if i%2 == 0 {
			f.Gate = &gate
		}
		list = append(list, f)
	}
	return list
}

func samples() []*Sample {
	n := int64(math.MinInt64)
	full := &Sample{Shelf: -3, Place: "a,b", Yes: true, Big: math.MaxUint64, Small: 0.1, Ratio: math.Inf(-1), Data: []byte{0, 255}, Sum: [4]byte{1, 2, 3, 4},
		At: time.Date(1969, 7, 20, 20, 17, 40, 123456789, time.UTC), Took: 90*time.Minute + 1, Maybe: &n, Names: []string{"x", "", "\n"},
		Counts: map[string]int{"b": 2, "a": 1}, ByNumber: map[int]string{5: "five"}, Free: map[string]any{"k": []any{1, "2", nil}}}
	full.Inner.X, full.Inner.Y = 1, -1
	return []*Sample{
		full,
		{Shelf: 0, Place: "", Ratio: math.NaN(), Data: []byte{}, Names: []string{}, Counts: map[string]int{}, Free: "text"},
		{Shelf: 1, Place: `\N`, At: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{Shelf: 2, Place: "\"q\"\r\n\ttab, \xff", Ratio: -0.5, Free: int64(1 << 60)},
	}
}

// insert puts all records into a database.
func insert(ctx context.Context, db *kivis.DB) error {
	return db.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		for _, r := range airports() {
			if _, err := kivis.TableBy[Airport, string](tx).Insert(ctx, r); err != nil {
				return err
			}
		}
		for _, r := range flights() {
			if _, err := kivis.TableBy[Flight, kivis.ID[Flight]](tx).Insert(ctx, r); err != nil {
				return err
			}
		}
		for _, r := range samples() {
			if _, err := kivis.TableBy[Sample, sampleKey](tx).Insert(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// template is a directory with the databases, made once.
var template struct {
	once sync.Once
	dir  string
	err  error
}

// databases returns a new directory with the databases travel, travel.pebble and
// travel.bolt, which have all records, and empty.bolt, which has none.
func databases(t *testing.T) string {
	t.Helper()
	template.once.Do(func() { template.dir, template.err = makeTemplate() })
	if template.err != nil {
		t.Fatal(template.err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(template.dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func makeTemplate() (string, error) {
	dir, err := os.MkdirTemp("", "kivis-cli-")
	if err != nil {
		return "", err
	}
	for name, kind := range map[string]place.Kind{"travel": place.Badger, "travel.pebble": place.Pebble, "travel.bolt": place.Bolt, "empty.bolt": place.Bolt} {
		if err := makeDatabase(place.Place{Kind: kind, Path: filepath.Join(dir, name)}, name != "empty.bolt"); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	return dir, nil
}

func makeDatabase(p place.Place, full bool) error {
	st, err := p.Open(&place.Options{})
	if err != nil {
		return err
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return err
	}
	err = db.Register(&Airport{}, &Flight{}, &Sample{})
	if err == nil && full {
		err = insert(context.Background(), db)
	}
	return errors.Join(err, db.Close())
}

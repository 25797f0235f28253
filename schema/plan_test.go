package schema

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Computed has a key that a method computes.
type Computed struct{ A string }

func (c Computed) PrimaryKey() string { return c.A }

// Parent is a table to refer to.
type Parent struct {
	Code IATA `kivis:"key"`
}

// evolutions hold one line for each kind of change between two structs of the
// table T, with what Plan says.
var evolutions = []struct {
	name          string
	before, after func() []reflect.Type
	want          []string
}{
	{"nothing", func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int `kivis:"index"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int `kivis:"index"`
		}
		return types(T{})
	}, lines()},
	{"new table", func() []reflect.Type { return nil }, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int  `kivis:"index"`
			P  IATA `kivis:"ref"`
		}
		return types(T{}, Parent{})
	}, lines(
		`Parent: new table (nothing to do)`,
		`T: new table (nothing to do)`,
	)},
	{"absent table", func() []reflect.Type {
		type T struct {
			ID ID[T]
		}
		return types(T{})
	}, func() []reflect.Type { return nil }, lines()},
	{"new, removed and reordered fields", func() []reflect.Type {
		type T struct {
			ID         ID[T]
			A, B, C, D int
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			New []string
			D   int
			ID  ID[T]
			B   int
			A   int
		}
		return types(T{})
	}, lines(
		`T: new field New: []string (nothing to do)`,
		`T: removed field C: int64 (nothing to do)`,
		`T: reordered fields (nothing to do)`,
	)},
	{"what looks renamed", func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  string
			B  struct{ X int }
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			B  struct{ Y int }
			C  string
		}
		return types(T{})
	}, lines(
		`T: new field B.Y: int64 (nothing to do)`,
		`T: removed field B.X: int64 (nothing to do); if it has become Y, tag that was=X`,
		`T: new field C: string (nothing to do)`,
		`T: removed field A: string (nothing to do); if it has become C, tag that was=A`,
	)},
	{"renamed fields", func() []reflect.Type {
		type In struct{ X, Y int }
		type T struct {
			ID   ID[T]
			A    int `kivis:"index"`
			In   In
			List []In
		}
		return types(T{})
	}, func() []reflect.Type {
		type In struct {
			Z int `kivis:"was=X"`
			Y int
		}
		type T struct {
			ID   ID[T]
			B    int `kivis:"index,was=A"`
			In   In
			List []In `kivis:"name=list,was=List"`
		}
		return types(T{})
	}, lines(
		`T: renamed field B: was A (nothing to do)`,
		`T: renamed field In.Z: was In.X (nothing to do)`,
		`T: renamed field list: was List (nothing to do)`,
		`T: renamed index B: was A (nothing to do)`,
	)},
	{"renamed long ago, and never here", func() []reflect.Type {
		type T struct {
			ID ID[T]
			B  int `kivis:"was=A"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			B  int `kivis:"was=A"`
			C  int `kivis:"was=Gone"`
		}
		return types(T{})
	}, lines(
		`T: new field C: int64 (nothing to do)`,
	)},
	{"widened numbers", func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int8  `kivis:"index"`
			B  uint8 `kivis:"unique"`
			C  float32
			D  []int16
			E  map[int32]*uint16
			F  struct{ X int8 }
			G  int32         `kivis:"index"`
			H  time.Duration `kivis:"index"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int   `kivis:"index"`
			B  int16 `kivis:"unique"`
			C  float64
			D  []int64
			E  map[int64]*int32
			F  struct{ X int16 }
			G  time.Duration `kivis:"index"`
			H  int64         `kivis:"index"`
		}
		return types(T{})
	}, lines(
		`T: widened field A: int8 to int64 (nothing to do)`,
		`T: widened field B: uint8 to int16 (nothing to do)`,
		`T: widened field C: float32 to float64 (nothing to do)`,
		`T: widened field D: int16 to int64 (nothing to do)`,
		`T: widened field E: uint16 to int32 (nothing to do)`,
		`T: widened field E: int32 to int64 (nothing to do)`,
		`T: widened field F.X: int8 to int16 (nothing to do)`,
		`T: widened field G: int32 to duration (nothing to do)`,
		`T: widened field H: duration to int64 (nothing to do)`,
	)},
	{"changed types", func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int
			B  uint64
			C  string
			D  int
			E  [4]byte
			F  []int
			G  *int
			H  int64
			I  struct{ X int }
			J  struct{ X int }
			K  int
			L  float64
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int32
			B  int64
			C  []byte
			D  float64
			E  [8]byte
			F  []string
			G  int
			H  uint64
			I  struct{ X string }
			J  map[string]int
			K  *int
			L  float32
		}
		return types(T{})
	}, lines(
		`T: changed type A: int64 to int32 (refused); keep int64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type B: uint64 to int64 (refused); keep uint64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type C: string to []byte (refused); keep string, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type D: int64 to float64 (refused); keep int64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type E: [4]byte to [8]byte (refused); keep [4]byte, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type F: []int64 to []string (refused); keep []int64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type H: int64 to uint64 (refused); keep int64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type I.X: int64 to string (refused); keep int64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: changed type J: struct to map[string]int64 (refused); keep struct, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: value is a pointer K: int64 to *int64; zero stays a value, and is not nil (nothing to do)`,
		`T: changed type L: float64 to float32 (refused); keep float64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: pointer is a value G (nothing to do)`,
	)},
	{"new and removed indexes", func() []reflect.Type {
		type T struct {
			_    struct{} `kivis:"unique=ab(A,B)"`
			ID   ID[T]
			A, B int
			C    int `kivis:"index"`
			D    int `kivis:"index"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			_    struct{} `kivis:"index=ba(B,-A)"`
			ID   ID[T]
			A, B int
			C    int
			E    string `kivis:"unique,fold"`
		}
		return types(T{})
	}, lines(
		`T: new field E: string (nothing to do)`,
		`T: removed field D: int64 (nothing to do)`,
		`T: new index E: unique=E(E:fold) (build)`,
		`T: new index ba: index=ba(B,-A) (build)`,
		`T: removed index C: index=C(C) (nothing to do)`,
		`T: removed index D: index=D(D) (nothing to do)`,
		`T: removed index ab: unique=ab(A,B) (nothing to do)`,
		`build T.E #4`,
		`build T.ba #5`,
		`drop T.C #1`,
		`drop T.ab #3`,
		`dropped 2`,
	)},
	{"changed indexes", func() []reflect.Type {
		type T struct {
			_    struct{} `kivis:"index=x(A,B)"`
			ID   ID[T]
			A, B int
			C    int    `kivis:"index"`
			D    string `kivis:"index"`
			E    int    `kivis:"index"`
			F    int    `kivis:"index=f"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			_    struct{} `kivis:"index=x(A,-B)"`
			ID   ID[T]
			A, B int
			C    int    `kivis:"unique"`
			D    string `kivis:"index,fold"`
			E    int    `kivis:"index,desc"`
			F    int    `kivis:"index=g"`
		}
		return types(T{})
	}, lines(
		`T: changed index C: unique=C(C) (build)`,
		`T: changed index D: index=D(D:fold) (build)`,
		`T: changed index E: index=E(-E) (build)`,
		`T: renamed index g: was f (nothing to do)`,
		`T: changed index x: index=x(A,-B) (build)`,
		`build T.C #6`,
		`build T.D #7`,
		`build T.E #8`,
		`build T.x #9`,
		`drop T.C #1`,
		`drop T.D #2`,
		`drop T.E #3`,
		`drop T.x #5`,
	)},
	{"nil becomes a value", func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  *int `kivis:"unique"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  *int `kivis:"unique,nilequal"`
		}
		return types(T{})
	}, lines(
		`T: changed index A: unique=A(A:nilequal) (build)`,
		`build T.A #2`,
		`drop T.A #1`,
		`format 2`,
	)},
	{"index of a struct whose fields move", func() []reflect.Type {
		type In struct{ X, Y string }
		type T struct {
			ID ID[T]
			In In `kivis:"index"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type In struct{ Y, X string }
		type T struct {
			ID ID[T]
			In In `kivis:"index"`
		}
		return types(T{})
	}, lines(
		`T: reordered fields In (nothing to do)`,
		`T: changed index In: index=In(In) (build)`,
		`build T.In #2`,
		`drop T.In #1`,
	)},
	{"index that a reference had", func() []reflect.Type {
		type T struct {
			ID ID[T]
			P  IATA `kivis:"ref"`
		}
		return types(T{}, Parent{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			P  IATA `kivis:"ref,index"`
		}
		return types(T{}, Parent{})
	}, lines()},
	{"new and removed references", func() []reflect.Type {
		type T struct {
			ID ID[T]
			P  IATA `kivis:"ref"`
			Q  IATA
		}
		return types(T{}, Parent{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			P  IATA
			Q  IATA `kivis:"ref"`
		}
		return types(T{}, Parent{})
	}, lines(
		`T: new index Q: index=Q(Q) (build)`,
		`T: removed index P: index=P(P) (nothing to do)`,
		`T: new reference Q: to Parent (nothing to do)`,
		`T: removed reference P: to Parent (nothing to do)`,
		`build T.Q #2`,
		`drop T.P #1`,
		`check T.Q`,
	)},
	{"reference to another table", func() []reflect.Type {
		type T struct {
			ID ID[T]
			P  IATA `kivis:"ref=Parent"`
		}
		return types(T{}, Parent{}, Airport{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			P  IATA `kivis:"ref=airports"`
		}
		return types(T{}, Parent{}, Airport{})
	}, lines(
		`T: new reference P: to airports (nothing to do)`,
		`T: removed reference P: to Parent (nothing to do)`,
		`check T.P`,
	)},
	{"changed delete rules", func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  IATA `kivis:"ref"`
			B  IATA `kivis:"ref,ondelete=noaction"`
			C  IATA `kivis:"ref,ondelete=cascade"`
			D  IATA `kivis:"ref,optional"`
			E  IATA `kivis:"ref"`
		}
		return types(T{}, Parent{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  IATA `kivis:"ref,ondelete=cascade"`
			B  IATA `kivis:"ref,ondelete=restrict"`
			C  IATA `kivis:"ref,ondelete=noaction"`
			D  IATA `kivis:"ref"`
			E  IATA `kivis:"ref,optional,ondelete=setnull"`
		}
		return types(T{}, Parent{})
	}, lines(
		`T: new index B: index=B(B) (build)`,
		`T: removed index C: index=C(C) (nothing to do)`,
		`T: changed reference A: ondelete=cascade, was restrict (nothing to do)`,
		`T: changed reference B: ondelete=restrict, was noaction (nothing to do)`,
		`T: changed reference C: ondelete=noaction, was cascade (nothing to do)`,
		`T: changed reference D: no longer optional (nothing to do)`,
		`T: changed reference E: ondelete=setnull, was restrict (nothing to do)`,
		`T: changed reference E: optional (nothing to do)`,
		`build T.B #5`,
		`drop T.C #2`,
		`check T.B`,
		`check T.D`,
	)},
	{"reference to a table not registered now", func() []reflect.Type {
		type T struct {
			ID ID[T]
		}
		return types(T{}, Parent{}, Customer{})
	}, func() []reflect.Type {
		type T struct {
			_  struct{} `kivis:"ref=Customer(A,B)"`
			ID ID[T]
			P  IATA `kivis:"ref=Parent"`
			A  string
			B  uint64
		}
		return types(T{})
	}, lines(
		`T: new field P: string (nothing to do)`,
		`T: new field A: string (nothing to do)`,
		`T: new field B: uint64 (nothing to do)`,
		`T: new index P: index=P(P) (build)`,
		`T: new index A_B: index=A_B(A,B) (build)`,
		`T: new reference P: to Parent (nothing to do)`,
		`T: new reference A,B: to Customer (nothing to do)`,
		`build T.P #1`,
		`build T.A_B #2`,
		`check T.P`,
		`check T.A,B`,
	)},
	{"changed key fields", func() []reflect.Type {
		type T struct {
			A string `kivis:"key"`
			B int
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			A string
			B int `kivis:"key"`
		}
		return types(T{})
	}, lines(
		`T: changed key: plain (A string) to plain (B int) (refused); keep the key, or pass Register a migration that makes the records with the new one`,
	)},
	{"changed key, type and index", func() []reflect.Type {
		type T struct {
			A string `kivis:"key"`
			B int    `kivis:"index"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			A string
			B string `kivis:"key"`
			C int    `kivis:"index"`
		}
		return types(T{})
	}, lines(
		`T: changed type B: int64 to string (refused); keep int64, or add a field of another name and fill it from this one, or pass Register a migration`,
		`T: new field C: int64 (nothing to do)`,
		`T: changed key: plain (A string) to plain (B string) (refused); keep the key, or pass Register a migration that makes the records with the new one`,
		`T: new index C: index=C(C) (build)`,
		`T: removed index B: index=B(B) (nothing to do)`,
	)},
	{"changed computed key", func() []reflect.Type { return types(Computed{}) }, func() []reflect.Type {
		type Computed struct {
			A string `kivis:"key"`
		}
		return types(Computed{})
	}, lines(
		`Computed: changed key: custom (PrimaryKey string) to plain (A string) (refused); keep the key, or pass Register a migration that makes the records with the new one`,
	)},
	{"changed key order", func() []reflect.Type {
		type T struct {
			A string `kivis:"key"`
			B string `kivis:"key"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			B string `kivis:"key"`
			A string `kivis:"key"`
		}
		return types(T{})
	}, lines(
		`T: reordered fields (nothing to do)`,
		`T: changed key: plain (A string, B string) to plain (B string, A string) (refused); keep the key, or pass Register a migration that makes the records with the new one`,
	)},
	{"changed key direction and kind", func() []reflect.Type {
		type T struct {
			A int `kivis:"key"`
		}
		type U struct {
			A int `kivis:"key"`
		}
		return types(T{}, U{})
	}, func() []reflect.Type {
		type T struct {
			A int `kivis:"key,desc"`
		}
		type U struct {
			A int `kivis:"key,auto"`
		}
		return types(T{}, U{})
	}, lines(
		`T: changed key: plain (A int) to plain (A int desc) (refused); keep the key, or pass Register a migration that makes the records with the new one`,
		`U: changed key: plain (A int) to auto (A int) (refused); keep the key, or pass Register a migration that makes the records with the new one`,
	)},
	{"key struct whose fields move", func() []reflect.Type {
		type K struct{ X, Y string }
		type T struct {
			K K `kivis:"key"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type K struct{ Y, X string }
		type T struct {
			K K `kivis:"key"`
		}
		return types(T{})
	}, lines(
		`T: reordered fields K (nothing to do)`,
		`T: changed key: plain (K (string, string)) to plain (K (string, string)) (refused); keep the key, or pass Register a migration that makes the records with the new one`,
	)},
	{"renamed and widened key", func() []reflect.Type {
		type T struct {
			A uint8 `kivis:"key"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			B int16 `kivis:"key,was=A"`
		}
		return types(T{})
	}, lines(
		`T: renamed field B: was A (nothing to do)`,
		`T: widened field B: uint8 to int16 (nothing to do)`,
	)},
	{"nested changes", func() []reflect.Type {
		type In struct{ X, Y, Z int }
		type T struct {
			ID   ID[T]
			In   In
			List []*In
		}
		return types(T{})
	}, func() []reflect.Type {
		type In struct {
			Y, X int
			New  struct{ A int }
		}
		type T struct {
			ID   ID[T]
			In   In
			List []*In
		}
		return types(T{})
	}, lines(
		`T: new field In.New: struct (nothing to do)`,
		`T: removed field In.Z: int64 (nothing to do)`,
		`T: reordered fields In (nothing to do)`,
	)},
	{"one nested type becomes two, and two one", func() []reflect.Type {
		type One struct{ X, Y int }
		type C struct{ X int }
		type D struct{ X int }
		type T struct {
			ID   ID[T]
			A, B One
			C    C
			D    D
		}
		return types(T{})
	}, func() []reflect.Type {
		type A struct{ X, Y int }
		type B struct{ Y, X int }
		type Two struct{ X int }
		type T struct {
			ID   ID[T]
			A    A
			B    B
			C, D Two
		}
		return types(T{})
	}, lines(
		`T: reordered fields B (nothing to do)`,
	)},
}

// planText tells of a change in full.
func planText(c *Change) []string {
	text := strings.Split(strings.TrimSuffix(c.Diff.String(), "\n"), "\n")
	if c.Diff.Empty() {
		text = nil
	}
	name := func(x IndexRef) string {
		for _, e := range c.Catalog.Entries {
			if e.ID == x.Table {
				return fmt.Sprintf("%s.%s #%d", e.Name, e.index(x.Index).Name, x.Index)
			}
		}
		return "?"
	}
	for _, x := range c.Build {
		text = append(text, "build "+name(x))
	}
	for _, x := range c.Drop {
		text = append(text, "drop "+name(x))
	}
	for _, x := range c.Catalog.Dropped() {
		text = append(text, fmt.Sprintf("dropped %d", x.Index))
	}
	if c.Catalog.Format > baseFormat {
		text = append(text, fmt.Sprint("format ", c.Catalog.Format))
	}
	for _, x := range c.Checks {
		e := c.Catalog.Entries[x.Table]
		text = append(text, "check "+e.Name+"."+e.Refs[x.Ref].names(e))
	}
	return text
}

func TestPlan(t *testing.T) {
	for _, test := range evolutions {
		t.Run(test.name, func(t *testing.T) {
			before, err := Compile(test.before()...)
			if err != nil {
				t.Fatal(err)
			}
			c := planAll(t, NewCatalog(), before, PlanOptions{}).Catalog
			was := catalogBytes(c)
			after, err := CompileFor(c, test.after()...)
			if err != nil {
				t.Fatal(err)
			}
			change := planAll(t, c, after, PlanOptions{})
			got, want := strings.Join(planText(change), "\n"), strings.Join(test.want, "\n")
			if got != want {
				t.Errorf("Plan:\n%s\nwant:\n%s", got, want)
			}
			if back := decodeCatalog(t, change.Catalog); catalogBytes(back) != catalogBytes(change.Catalog) {
				t.Errorf("the catalog comes back as %q, want %q", catalogBytes(back), catalogBytes(change.Catalog))
			}
			if catalogBytes(c) != was {
				t.Error("Plan changed the catalog that it was given")
			}
			if refused := strings.Contains(got, "(refused)"); !refused {
				bindAll(t, change.Catalog, after)
				again := planAll(t, finish(change), after, PlanOptions{})
				if !again.Diff.Empty() || len(again.Entries)+len(again.Build)+len(again.Drop) > 0 {
					t.Errorf("planned again: %v", planText(again))
				}
			}
		})
	}
}

// finish does what is left to do of a change.
func finish(change *Change) *Catalog {
	c, _ := change.Catalog.MarkReady(change.Build)
	c, _ = c.Drop(change.Drop)
	c, _ = c.Forget(c.Dropped())
	return c
}

// catalogBytes returns all that a catalog stores.
func catalogBytes(c *Catalog) string {
	b := EncodeHeader(c)
	for _, e := range c.sorted() {
		b = append(b, e.Encode()...)
	}
	return string(b)
}

// decodeCatalog returns what comes back of a catalog that is stored.
func decodeCatalog(t *testing.T, c *Catalog) *Catalog {
	t.Helper()
	back, err := DecodeHeader(EncodeHeader(c))
	if err != nil {
		t.Fatal(err)
	}
	for id, e := range c.Entries {
		if back.Entries[id], err = DecodeEntry(e.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	return back
}

// history is a table whose structs of three versions a program may have.
var history = []struct {
	name     string
	versions []func() []reflect.Type
	want     []string // planning each version again, over the newest
}{
	{"more fields", []func() []reflect.Type{func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int
			B  struct{ X int }
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int
			B  struct{ Y, X int }
			C  string `kivis:"index"`
		}
		return types(T{})
	}}, lines(
		"1: T: older program: the struct is that of version 1, and the table is at version 3, which has B, C (refused); run a newer program, or set Options.AllowOlder to run this one, which zeroes what it does not know in each record that it writes; if that was removed on purpose, write _ struct{} `kivis:\"removed=B|C\"`",
		"2: T: older program: the struct is that of version 2, and the table is at version 3, which has B.Y, C (refused); run a newer program, or set Options.AllowOlder to run this one, which zeroes what it does not know in each record that it writes; if that was removed on purpose, write _ struct{} `kivis:\"removed=B.Y|C\"`",
	)},
	{"renamed and widened", []func() []reflect.Type{func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int8
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			B  int8 `kivis:"was=A"`
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			B  int `kivis:"was=A"`
		}
		return types(T{})
	}}, lines(
		"1: T: older program: the struct is that of version 1, and the table is at version 3, which has B instead of A (refused); run a newer program, or set Options.AllowOlder to run this one, which zeroes what it does not know in each record that it writes",
		"2: T: older program: the struct is that of version 2, and the table is at version 3, which has B as int64 (refused); run a newer program, or set Options.AllowOlder to run this one, which zeroes what it does not know in each record that it writes",
	)},
	{"reordered and back is not older", []func() []reflect.Type{func() []reflect.Type {
		type T struct {
			ID   ID[T]
			A, B int
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			B, A int
			ID   ID[T]
		}
		return types(T{})
	}}, lines(
		"1: T: reordered fields (nothing to do)",
	)},
	{"fewer fields is not older", []func() []reflect.Type{func() []reflect.Type {
		type T struct {
			ID   ID[T]
			A, B int
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  int
		}
		return types(T{})
	}}, lines(
		"1: T: restored field B: int64; records that have not been written since it was gone hold its values (nothing to do)",
	)},
}

func TestPlanOlder(t *testing.T) {
	for _, test := range history {
		t.Run(test.name, func(t *testing.T) {
			c := NewCatalog()
			var versions [][]*Model
			for _, version := range test.versions {
				models := compileTypes(t, version())
				versions = append(versions, models)
				c = finish(planAll(t, c, models, PlanOptions{}))
			}
			var got []string
			for i, models := range versions {
				change := planAll(t, c, models, PlanOptions{})
				for _, line := range planText(change) {
					got = append(got, fmt.Sprintf("%d: %s", i+1, line))
				}
				allowed := planAll(t, c, models, PlanOptions{AllowOlder: true})
				older := strings.Contains(change.Diff.String(), "older program")
				if refused := strings.Contains(allowed.Diff.String(), "(refused)"); refused || older && len(allowed.Entries) > 0 {
					t.Errorf("version %d, with older allowed: %v", i+1, planText(allowed))
				}
				if table := bindAll(t, allowed.Catalog, models).Tables()[0]; table.Older() != older {
					t.Errorf("version %d: Older() = %t, want %t", i+1, table.Older(), older)
				}
			}
			if got, want := strings.Join(got, "\n"), strings.Join(test.want, "\n"); got != want {
				t.Errorf("Plan:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// TestPlanOlderKey allows an older struct, but not with another key.
func TestPlanOlderKey(t *testing.T) {
	version := func(v any) []*Model { return compileAll(t, v) }
	one := func() []*Model {
		type T struct {
			A string `kivis:"key"`
			B string
		}
		return version(T{})
	}()
	two := func() []*Model {
		type T struct {
			A string `kivis:"key"`
			B string
			C string
		}
		return version(T{})
	}()
	other := func() []*Model {
		type T struct {
			A string
			B string `kivis:"key"`
		}
		return version(T{})
	}()
	c := finish(planAll(t, NewCatalog(), one, PlanOptions{}))
	c = finish(planAll(t, c, two, PlanOptions{}))
	got := planAll(t, c, other, PlanOptions{AllowOlder: true}).Diff.String()
	want := "T: older program: the struct is that of version 1, and the table is at version 2, which has C (nothing to do)\n" +
		"T: changed key: plain (A string) to plain (B string) (refused); keep the key, or pass Register a migration that makes the records with the new one\n"
	if got != want {
		t.Errorf("Plan:\n%s\nwant:\n%s", got, want)
	}
}

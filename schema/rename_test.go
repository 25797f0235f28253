package schema

import (
	"reflect"
	"strings"
	"testing"
)

// renames hold changes of the table T in which a field may have become another,
// planned over records that hold values in every field, or in none.
var renames = []struct {
	name          string
	before, after func() []reflect.Type
	full, empty   []string // what Plan says
}{
	{"one gone, one new", func() []reflect.Type {
		type T struct {
			ID   ID[T]
			Mail string
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID    ID[T]
			Email string
			Age   int
		}
		return types(T{})
	}, lines(
		`T: new field Email: string (nothing to do)`,
		`T: new field Age: int64 (nothing to do)`,
		"T: suspected rename Email: Mail is gone, Email is new and of the same type, string, and stored records hold values (refused); if Mail has become Email, tag that `kivis:\"was=Mail\"`; if it really is another field, tag it `kivis:\"new\"`",
	), lines(
		`T: new field Email: string (nothing to do)`,
		`T: new field Age: int64 (nothing to do)`,
		`T: removed field Mail: string (nothing to do); if it has become Email, tag that was=Mail`,
	)},
	{"a was= that matches nothing", func() []reflect.Type {
		type T struct {
			ID   ID[T]
			Mail string
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID      ID[T]
			Address string `kivis:"was=Email"`
		}
		return types(T{})
	}, lines(
		`T: new field Address: string (nothing to do)`,
		"T: suspected rename Address: Mail is gone, Address is new and of the same type, string, and stored records hold values; was=Email matches nothing that is stored (refused); if Mail has become Address, tag that `kivis:\"was=Mail|Email\"`; if it really is another field, tag it `kivis:\"new\"`",
	), lines(
		`T: new field Address: string (nothing to do)`,
		`T: removed field Mail: string (nothing to do); if it has become Address, tag that was=Mail`,
	)},
	{"every name that it had", func() []reflect.Type {
		type T struct {
			ID   ID[T]
			Mail string
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID      ID[T]
			Address string `kivis:"was=Email|Mail"`
		}
		return types(T{})
	}, lines(`T: renamed field Address: was Mail (nothing to do)`), lines(`T: renamed field Address: was Mail (nothing to do)`)},
	{"really new", func() []reflect.Type {
		type T struct {
			ID   ID[T]
			Mail string
			N    struct{ X int }
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID    ID[T]
			Phone string `kivis:"new"`
			N     struct {
				Y int `kivis:"new"`
			}
		}
		return types(T{})
	}, lines(
		`T: new field Phone: string (nothing to do)`,
		`T: new field N.Y: int64 (nothing to do)`,
		`T: removed field N.X: int64 (nothing to do)`,
		`T: removed field Mail: string (nothing to do)`,
	), lines(
		`T: new field Phone: string (nothing to do)`,
		`T: new field N.Y: int64 (nothing to do)`,
		`T: removed field N.X: int64 (nothing to do)`,
		`T: removed field Mail: string (nothing to do)`,
	)},
	{"really gone", func() []reflect.Type {
		type T struct {
			ID   ID[T]
			Mail string
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			_     struct{} `kivis:"removed=Mail"`
			ID    ID[T]
			Phone string
		}
		return types(T{})
	}, lines(
		`T: new field Phone: string (nothing to do)`,
		`T: removed field Mail: string (nothing to do)`,
	), lines(
		`T: new field Phone: string (nothing to do)`,
		`T: removed field Mail: string (nothing to do)`,
	)},
	{"moved from one struct to another", func() []reflect.Type {
		type T struct {
			ID  ID[T]
			Out struct{ Zip string }
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID  ID[T]
			Loc struct {
				Zip string `kivis:"was=Out.Zip"`
			}
		}
		return types(T{})
	}, lines(
		`T: moved field Loc.Zip: was Out.Zip (nothing to do)`,
		`T: new field Loc: struct (nothing to do)`,
		`T: removed field Out: struct (nothing to do)`,
	), lines(
		`T: moved field Loc.Zip: was Out.Zip (nothing to do)`,
		`T: new field Loc: struct (nothing to do)`,
		`T: removed field Out: struct (nothing to do)`,
	)},
	{"another type", func() []reflect.Type {
		type T struct {
			ID ID[T]
			A  string
			B  struct{ X int }
			C  []int
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID ID[T]
			D  *string
			E  struct{ Y int }
			F  []int8
		}
		return types(T{})
	}, lines(
		`T: new field D: *string (nothing to do)`,
		`T: new field E: struct (nothing to do)`,
		`T: new field F: []int8 (nothing to do)`,
		`T: removed field A: string (nothing to do)`,
		`T: removed field B: struct (nothing to do)`,
		`T: removed field C: []int64 (nothing to do)`,
	), lines(
		`T: new field D: *string (nothing to do)`,
		`T: new field E: struct (nothing to do)`,
		`T: new field F: []int8 (nothing to do)`,
		`T: removed field A: string (nothing to do)`,
		`T: removed field B: struct (nothing to do)`,
		`T: removed field C: []int64 (nothing to do)`,
	)},
	{"in a nested struct, and a struct", func() []reflect.Type {
		type In struct{ X int }
		type T struct {
			ID   ID[T]
			List []In
			A    struct{ Q bool }
		}
		return types(T{})
	}, func() []reflect.Type {
		type In struct{ Y int }
		type T struct {
			ID   ID[T]
			List []In
			B    struct{ Q bool }
		}
		return types(T{})
	}, lines(
		`T: new field List.Y: int64 (nothing to do)`,
		"T: suspected rename List.Y: X is gone, Y is new and of the same type, int64, and stored records hold values (refused); if X has become Y, tag that `kivis:\"was=X\"`; if it really is another field, tag it `kivis:\"new\"`",
		`T: new field B: struct (nothing to do)`,
		"T: suspected rename B: A is gone, B is new and of the same type, struct, and stored records hold values (refused); if A has become B, tag that `kivis:\"was=A\"`; if it really is another field, tag it `kivis:\"new\"`",
	), lines(
		`T: new field List.Y: int64 (nothing to do)`,
		`T: removed field List.X: int64 (nothing to do); if it has become Y, tag that was=X`,
		`T: new field B: struct (nothing to do)`,
		`T: removed field A: struct (nothing to do); if it has become B, tag that was=A`,
	)},
	{"the name and the old name are stored", func() []reflect.Type {
		type T struct {
			ID         ID[T]
			Name, Full string
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID   ID[T]
			Name string `kivis:"was=Full"`
		}
		return types(T{})
	}, lines(
		"T: ambiguous rename Name: Name and Full are all stored, and one field can hold the values of one (refused); to keep those of Name, drop was=Full; to keep those of Full, store them by a name that is free: `kivis:\"name=NEW,was=Full\"`",
		`T: removed field Full: string (nothing to do)`,
	), lines(
		"T: ambiguous rename Name: Name and Full are all stored, and one field can hold the values of one (refused); to keep those of Name, drop was=Full; to keep those of Full, store them by a name that is free: `kivis:\"name=NEW,was=Full\"`",
		`T: removed field Full: string (nothing to do)`,
	)},
	{"two old names are stored", func() []reflect.Type {
		type T struct {
			ID    ID[T]
			A, B  string
			Other int
		}
		return types(T{})
	}, func() []reflect.Type {
		type T struct {
			ID    ID[T]
			C     string `kivis:"was=A|B"`
			Other int
		}
		return types(T{})
	}, lines(
		"T: renamed field C: was A (nothing to do)",
		"T: ambiguous rename C: A and B are all stored, and one field can hold the values of one (refused); name the one whose values are to be kept: `kivis:\"was=A\"` or `kivis:\"was=B\"`",
		`T: removed field B: string (nothing to do)`,
	), lines(
		"T: renamed field C: was A (nothing to do)",
		"T: ambiguous rename C: A and B are all stored, and one field can hold the values of one (refused); name the one whose values are to be kept: `kivis:\"was=A\"` or `kivis:\"was=B\"`",
		`T: removed field B: string (nothing to do)`,
	)},
	{"moved into nested structs", func() []reflect.Type {
		type T struct {
			ID         ID[T]
			City, Town string
			Zip        int8
		}
		return types(T{})
	}, func() []reflect.Type {
		type Address struct {
			City string `kivis:"was=.City"`
			Zip  int64  `kivis:"was=.Postal|.Zip"`
			More string
		}
		type T struct {
			ID   ID[T]
			Home *Address
			Town string
		}
		return types(T{})
	}, lines(
		`T: moved field Home.City: was City (nothing to do)`,
		`T: moved field Home.Zip: was Zip (nothing to do)`,
		`T: widened field Home.Zip: int8 to int64 (nothing to do)`,
		`T: new field Home: *struct (nothing to do)`,
	), lines(
		`T: moved field Home.City: was City (nothing to do)`,
		`T: moved field Home.Zip: was Zip (nothing to do)`,
		`T: widened field Home.Zip: int8 to int64 (nothing to do)`,
		`T: new field Home: *struct (nothing to do)`,
	)},
	{"moved out of a nested struct", func() []reflect.Type {
		type Address struct{ City, Street string }
		type T struct {
			ID   ID[T]
			Home Address
		}
		return types(T{})
	}, func() []reflect.Type {
		type Address struct{ Street string }
		type T struct {
			ID   ID[T]
			City string `kivis:"was=Home.City"`
			Home Address
		}
		return types(T{})
	}, lines(`T: moved field City: was Home.City (nothing to do)`), lines(`T: moved field City: was Home.City (nothing to do)`)},
	{"moved to two places, from two, and still there", func() []reflect.Type {
		type Address struct{ City, Street string }
		type T struct {
			ID         ID[T]
			Home, Work Address
			Zip, Code  int
		}
		return types(T{})
	}, func() []reflect.Type {
		type Place struct {
			Zip int `kivis:"was=.Zip"`
		}
		type Address struct{ City, Street string }
		type T struct {
			ID         ID[T]
			City       string `kivis:"was=Home.City"`
			Home, Work Address
			Here, Gone Place
			Box        struct {
				Code int `kivis:"was=.Code"`
			}
			Code int
		}
		return types(T{})
	}, lines(
		`T: moved field City: was Home.City (nothing to do)`,
		`T: moved field Here.Zip: was Zip (nothing to do)`,
		`T: new field Here: struct (nothing to do)`,
		`T: new field Gone: struct (nothing to do)`,
		`T: moved field Box.Code: was Code (nothing to do)`,
		`T: new field Box: struct (nothing to do)`,
		`T: ambiguous rename City: was Home.City, but a struct on one of the two ways is at several places of the record, or the field is still there (refused); move it with kivis.Migrate`,
		`T: ambiguous rename Zip: was Zip, but a struct on one of the two ways is at several places of the record, or the field is still there (refused); move it with kivis.Migrate`,
		`T: ambiguous rename Code: was Code, but a struct on one of the two ways is at several places of the record, or the field is still there (refused); move it with kivis.Migrate`,
	), nil},
	{"a record type of another name", func() []reflect.Type {
		type T struct {
			ID int `kivis:"key"`
			A  string
		}
		type S struct {
			ID int `kivis:"key"`
			A  string
		}
		return types(T{}, S{})
	}, func() []reflect.Type {
		type U struct {
			ID int `kivis:"key"`
			A  string
		}
		type T struct {
			ID int `kivis:"key"`
			A  string
		}
		type V struct {
			_  struct{} `kivis:"table=V"`
			ID int      `kivis:"key"`
			A  string
		}
		type W struct {
			ID int `kivis:"key"`
			A  []byte
		}
		return types(U{}, T{}, V{}, W{})
	}, lines(
		`U: new table (nothing to do)`,
		"U: suspected rename: no record of this Register has the table S, which holds records with the same fields (refused); if schema.U is its record type under another name, write _ struct{} `kivis:\"table=S\"`; if it is another table, name it: _ struct{} `kivis:\"table=U\"`",
		`V: new table (nothing to do)`,
		`W: new table (nothing to do)`,
	), lines(
		`U: new table (nothing to do)`,
		`V: new table (nothing to do)`,
		`W: new table (nothing to do)`,
	)},
}

func TestRenames(t *testing.T) {
	for _, test := range renames {
		before := finish(planAll(t, NewCatalog(), compileTypes(t, test.before()), PlanOptions{}))
		for _, c := range []struct {
			holds bool
			want  []string
		}{{true, test.full}, {false, test.empty}} {
			if c.want == nil {
				continue
			}
			opts := PlanOptions{Holds: func(uint32, int) bool { return c.holds }}
			got := strings.Join(planText(planAll(t, before, compileTypes(t, test.after()), opts)), "\n")
			if want := strings.Join(c.want, "\n"); got != want {
				t.Errorf("%s, records hold values: %t:\n%s\nwant:\n%s", test.name, c.holds, got, want)
			}
		}
	}
}

// TestRemoved takes the newest field out again: a struct that then equals an
// older program's says so.
func TestRemoved(t *testing.T) {
	type one struct {
		_  struct{} `kivis:"table=T"`
		ID int      `kivis:"key"`
		A  string
	}
	type two struct {
		_    struct{} `kivis:"table=T"`
		ID   int      `kivis:"key"`
		A    string
		B    int
		List []struct{ C int }
	}
	type three struct {
		_  struct{} `kivis:"table=T,removed=B|List|Long.Ago"`
		ID int      `kivis:"key"`
		A  string
	}
	type part struct {
		_  struct{} `kivis:"table=T,removed=B"`
		ID int      `kivis:"key"`
		A  string
	}
	c := finish(planAll(t, NewCatalog(), compileAll(t, one{}), PlanOptions{}))
	c = finish(planAll(t, c, compileAll(t, two{}), PlanOptions{}))
	if got := planAll(t, c, compileAll(t, part{}), PlanOptions{}).Diff.String(); !strings.Contains(got, "older program") {
		t.Errorf("with one of two fields removed on purpose: %s", got)
	}
	change := planAll(t, c, compileAll(t, three{}), PlanOptions{})
	want := "T: removed field B: int64 (nothing to do)\nT: removed field List: []struct (nothing to do)"
	if got := strings.Join(planText(change), "\n"); got != want {
		t.Errorf("Plan:\n%s\nwant:\n%s", got, want)
	}
	c = finish(change)
	for _, v := range []any{one{}, three{}} { // the program may drop the tag again, and is now the newest
		models := compileAll(t, v)
		if again := planAll(t, c, models, PlanOptions{}); !again.Diff.Empty() || bindAll(t, again.Catalog, models).Tables()[0].Older() {
			t.Errorf("%T: %v", v, again.Diff)
		}
	}
	if got := planAll(t, c, compileAll(t, two{}), PlanOptions{}).Diff.String(); !strings.Contains(got, "restored field B") {
		t.Errorf("the program before: %s", got)
	}
}

// TestSuspectedMoves: a field that is gone, and is new in a struct of the record or out
// of one, is refused as a move that does not say so.
func TestSuspectedMoves(t *testing.T) {
	type flat struct {
		_    struct{} `kivis:"table=S"`
		ID   int      `kivis:"key"`
		City string
		N    int
	}
	type home struct{ City, Zip string }
	type nested struct {
		_    struct{} `kivis:"table=S"`
		ID   int      `kivis:"key"`
		Home home
		N    int
	}
	type pointed struct {
		_    struct{} `kivis:"table=S"`
		ID   int      `kivis:"key"`
		Home *home
		N    int
	}
	type other struct {
		_    struct{} `kivis:"table=S"`
		ID   int      `kivis:"key"`
		Home struct{ City int }
		N    int
	}
	type removed struct {
		_    struct{} `kivis:"table=S,removed=City"`
		ID   int      `kivis:"key"`
		Home home
		N    int
	}
	for _, test := range []struct {
		name     string
		from, to any
		want     string // in the refusal; "" for none
	}{
		{"in", flat{}, nested{}, "suspected move Home.City: City is gone, and stored records hold values of the same name and type (refused); if it has moved, tag it `kivis:\"was=.City\"`"},
		{"in, by a pointer", flat{}, pointed{}, "`kivis:\"was=.City\"`"},
		{"out", nested{}, flat{}, "suspected move City: Home is gone, and stored records hold values of the same name and type (refused); if it has moved, tag it `kivis:\"was=Home.City\"`; if Home really is to go, write _ struct{} `kivis:\"removed=Home\"`"},
		{"another type", flat{}, other{}, ""},
		{"removed on purpose", flat{}, removed{}, ""},
	} {
		for _, full := range []bool{true, false} {
			c, err := planOf(test.from)
			if err != nil {
				t.Fatal(err)
			}
			models, err := CompileFor(c.Catalog, reflect.TypeOf(test.to))
			if err != nil {
				t.Fatal(err)
			}
			change, err := Plan(c.Catalog, models, PlanOptions{Holds: func(uint32, int) bool { return full }})
			if err != nil {
				t.Fatal(err)
			}
			want := test.want != "" && full
			if got := change.Diff.Class() == Refused; got != want || want && !strings.Contains(change.Diff.String(), test.want) {
				t.Errorf("%s, holding values %t: refused %t, want %t with %q:\n%s", test.name, full, got, want, test.want, change.Diff)
			}
		}
	}
}

// planOf returns the plan of a new database for a record.
func planOf(record any) (*Change, error) {
	c := NewCatalog()
	models, err := CompileFor(c, reflect.TypeOf(record))
	if err != nil {
		return nil, err
	}
	return Plan(c, models, PlanOptions{})
}

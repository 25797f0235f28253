package kivis_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// null returns a value that is there.
func null[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

func TestNullables(t *testing.T) {
	day := time.Unix(1e9, 0).UTC()
	t.Run("sql.Null[int]", positions[sql.Null[int]]{values: []sql.Null[int]{{}, null(-5), null(0), null(7)}, nils: 1, exact: true}.run)
	t.Run("sql.NullString", positions[sql.NullString]{values: []sql.NullString{{}, {String: "", Valid: true}, {String: "a", Valid: true}}, nils: 1, exact: true}.run)
	t.Run("sql.NullTime", positions[sql.NullTime]{values: []sql.NullTime{{}, {Time: day, Valid: true}, {Time: day.Add(1), Valid: true}}, nils: 1, exact: true}.run)
	t.Run("uuid.NullUUID", positions[uuid.NullUUID]{values: []uuid.NullUUID{{}, {Valid: true}, {UUID: uuid.UUID{1}, Valid: true}}, nils: 1, exact: true}.run)
	type point struct{ X, Y int }
	t.Run("sql.Null of a struct", positions[sql.Null[point]]{values: []sql.Null[point]{{}, null(point{-1, 5}), null(point{}), null(point{1, -1})}, nils: 1, exact: true, shaped: true}.run)
}

// parcel has fields that hold a value or nothing.
type parcel struct {
	_ struct{} `kivis:"table=parcels,index=town(To.Town),unique=live(Code,Gone:nilequal)"`
	kivis.Auto[parcel]
	Weight sql.Null[float64]             `kivis:"index"`
	Parent sql.Null[kivis.ID[parcel]]    `kivis:"ref,ondelete=setnull"`
	To     sql.Null[address]             // an address, or none
	Note   sql.NullString                `kivis:"index,fold"`
	Marks  sql.Null[[]string]            //
	Any    any                           //
	Code   string                        //
	Gone   sql.NullTime                  //
	Lists  map[string][]sql.Null[string] //
}

type address struct{ Town, Street string }

func TestNullableFields(t *testing.T) {
	db := kivistest.New(t, &parcel{})
	table := kivis.TableOf[parcel](db)
	weight := kivis.FieldOf(func(p *parcel) *sql.Null[float64] { return &p.Weight })
	note := kivis.FieldOf(func(p *parcel) *sql.NullString { return &p.Note })
	first := must(table.Insert(bg, &parcel{Code: "a", Weight: null(2.5), To: null(address{"Oslo", "x"}), Note: sql.NullString{String: "Fragile", Valid: true}, Any: null("in")}))(t)
	second := must(table.Insert(bg, &parcel{Code: "b", Parent: null(first), Weight: sql.Null[float64]{V: 9}, Any: sql.NullInt64{}}))(t)

	rec := must(table.Get(bg, second))(t)
	if rec.Weight != (sql.Null[float64]{}) || rec.Any != nil {
		t.Errorf("what is not valid came back as %+v", rec)
	}
	if rec := must(table.Get(bg, first))(t); rec.Any != "in" || rec.To.V.Town != "Oslo" {
		t.Errorf("what is valid came back as %+v", rec)
	}
	for _, tt := range []struct {
		name string
		q    kivis.Query[parcel, kivis.ID[parcel]]
		want kivis.ID[parcel]
	}{
		{"null", table.Where(kivis.IsNull(weight)), second},
		{"not null", table.Where(kivis.Not(kivis.IsNull(weight))), first},
		{"valid", table.Where(kivis.Valid(weight).Ge(0)), first},
		{"valid, less", table.Where(kivis.Valid(weight).Lt(3)), first},
		{"less has null", table.Where(weight.Lt(null(1.0))), second},
		{"text null", table.WhereText("Weight is null"), second},
		{"text value", table.WhereText("deref(Weight) > 0"), first},
		{"text folded", table.WhereText("fold(Note) = 'FRAGILE'"), first},
		{"other nullables", table.Where(note.Eq(sql.NullString{String: "Fragile", Valid: true})), first},
		{"other nullables, null", table.Where(kivis.IsNull(note)), second},
		{"a parameter", table.WhereText("Note = ?", "Fragile"), first},
		{"a null parameter", table.WhereText("Note = ?", sql.NullString{}), second},
		{"within", table.WhereText("To.Town = 'Oslo'"), first},
		{"a handle within", table.Where(kivis.FieldOf(func(p *parcel) *string { return &p.To.V.Town }).Le("Oslo")), first},
		{"nothing within", table.Where(kivis.IsNull(kivis.FieldOf(func(p *parcel) *string { return &p.To.V.Town }))), second},
	} {
		if got, err := tt.q.One(bg); err != nil || got.ID != tt.want {
			t.Errorf("%s: %v, %v; want %d", tt.name, got.ID, err, tt.want)
		}
	}
	if least, err := kivis.Min(bg, table.Query(), kivis.Valid(weight)); least != 2.5 || err != nil {
		t.Errorf("Min = %v, %v; want 2.5", least, err)
	}
	if sum, err := kivis.Sum(bg, table.Query(), kivis.Valid(weight)); sum != 2.5 || err != nil {
		t.Errorf("Sum = %v, %v; want 2.5", sum, err)
	}
	if got := kivis.Valid(weight).Get(&rec); got != 0 {
		t.Errorf("Get of null = %v", got)
	}
	check(t, table.Delete(bg, first))
	if rec := must(table.Get(bg, second))(t); rec.Parent.Valid {
		t.Errorf("the parent is %v after its delete", rec.Parent)
	}
}

// TestNullableRules has a nullable be nil as a pointer is.
func TestNullableRules(t *testing.T) {
	db := kivistest.New(t, &parcel{})
	table := kivis.TableOf[parcel](db)
	must(table.Insert(bg, &parcel{Code: "a"}))(t)
	_, err := table.Insert(bg, &parcel{Code: "a"})
	wantErr(t, err, kivis.ErrExists) // nilequal
	_, err = table.Insert(bg, &parcel{Code: "b", Parent: null(kivis.ID[parcel](99))})
	wantErr(t, err, kivis.ErrReference)
	_, err = table.Insert(bg, &parcel{Code: "c", Marks: sql.Null[[]string]{Valid: true}})
	wantText(t, err, "Marks: a valid []string that is nil would come back as not valid")
	must(table.Insert(bg, &parcel{Code: "c", Marks: null([]string{})}))(t)
	rec := must(kivis.TableNamed(db, "parcels").Where("Code = 'a'").First(bg))(t)
	if got, want := rec.String(), `{"ID":1,"Weight":null,"Parent":null,"To":null,"Note":null,"Marks":null,"Any":null,"Code":"a","Gone":null,"Lists":null}`; got != want {
		t.Errorf("JSON is %s, want %s", got, want)
	}
	for _, pred := range []kivis.Pred[parcel]{
		kivis.IsNil(kivis.FieldOf(func(p *parcel) *map[string][]sql.Null[string] { return &p.Lists })),
		kivis.IsNil(kivis.FieldOf(func(p *parcel) *any { return &p.Any })),
		kivis.IsNull(kivis.FieldOf(func(p *parcel) *sql.Null[[]string] { return &p.Marks })),
	} {
		must(table.Where(pred, kivis.FieldOf(func(p *parcel) *string { return &p.Code }).Eq("a")).One(bg))(t)
	}
	plain := kivis.FieldOf(func(p *parcel) *string { return &p.Code })
	_, err = table.Where(kivis.IsNull(plain)).Collect(bg)
	wantText(t, err, "a string is never nil")

	type twice struct {
		kivis.Auto[twice]
		P *sql.NullString
	}
	wantText(t, db.Register(&twice{}), "could not be told from a nil pointer")
}

package guide

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Parcel goes to somebody, and has several things in it.
type Parcel struct {
	_ struct{} `kivis:"index=towns(To.City),index=skus(Things.SKU:each)"`
	kivis.Auto[Parcel]
	To     *Address // nil: it is collected
	Things []Thing
	Day    time.Weekday
}

type Thing struct {
	SKU   string
	Count int
}

var (
	parcels     = kivis.TableOf[Parcel](nil)
	parcelTown  = kivis.FieldOf(func(p *Parcel) *string { return &p.To.City })
	parcelThing = kivis.FieldOf(func(p *Parcel) *[]Thing { return &p.Things })
	parcelSKU   = kivis.EachOf(parcelThing, func(t *Thing) *string { return &t.SKU })
)

// parcelsWith returns the parcels to a town with a thing in them, and those
// that are collected.
func parcelsWith(ctx context.Context, db *kivis.DB, town, sku string) (with, collected []Parcel, err error) {
	parcels := parcels.With(db)
	with, err = parcels.Where(parcelTown.Eq(town), parcelSKU.Eq(sku)).Collect(ctx)
	if err != nil {
		return nil, nil, err
	}
	collected, err = parcels.Where(kivis.IsNil(parcelTown)).Collect(ctx)
	return with, collected, err
}

// onMondays returns the parcels of Mondays with a thing in them.
func onMondays(ctx context.Context, db *kivis.DB, sku string) ([]Parcel, error) {
	return parcels.With(db).WhereText("Day = 'Monday' and any(Things.SKU) = ?", sku).Collect(ctx)
}

func TestParcels(t *testing.T) {
	db := kivistest.New(t, &Parcel{})
	_, err := parcels.With(db).InsertMany(bg, []Parcel{
		{To: &Address{City: "Oslo"}, Things: []Thing{{"bolt", 2}, {"nut", 2}}, Day: time.Monday},
		{To: &Address{City: "Oslo"}, Things: []Thing{{"nut", 9}}},
		{Things: []Thing{{"bolt", 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	with, collected, err := parcelsWith(bg, db, "Oslo", "bolt")
	if err != nil || len(with) != 1 || with[0].ID != 1 || len(collected) != 1 || collected[0].ID != 3 {
		t.Errorf("parcels %v and %v, %v", with, collected, err)
	}
	perThing, err := kivis.GroupCount(bg, parcels.With(db).Query(), parcelSKU)
	if want := map[string]int{"bolt": 2, "nut": 2}; err != nil || !reflect.DeepEqual(perThing, want) {
		t.Errorf("parcels per thing %v, %v, want %v", perThing, err, want)
	}
	if list, err := onMondays(bg, db, "nut"); err != nil || len(list) != 1 || list[0].ID != 1 {
		t.Errorf("on Mondays %v, %v", list, err)
	}
	if n, err := parcels.With(db).WhereText("any(Things.SKU) = 'nut' and To.City = 'Oslo'").Count(bg); n != 2 || err != nil {
		t.Errorf("by text %d, %v", n, err)
	}
}

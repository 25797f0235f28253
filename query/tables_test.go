package query

import (
	"reflect"
	"testing"
	"time"

	"github.com/kivisdb/kivis/schema"
)

// The record types that tests plan over.
type (
	tAirport struct {
		_       struct{} `kivis:"table=airports"`
		Code    string   `kivis:"key"`
		Name    string   `kivis:"index,fold"`
		City    string   `kivis:"index"`
		State   string   `kivis:"index"`
		Country string
	}
	tFlight struct {
		_           struct{}  `kivis:"table=flights,index=route(Origin,Destination,-Departs)"`
		ID          uint64    `kivis:"key,auto"`
		Departs     time.Time `kivis:"index"`
		Delay       int       `kivis:"index"`
		Distance    int
		Origin      string `kivis:"index"`
		Destination string
		Carrier     string `kivis:"index"`
		Cancelled   bool   `kivis:"index"`
		Gate        *int   `kivis:"index"`
	}
	tUser struct {
		_       struct{} `kivis:"table=users,unique=slug(Tenant,Slug:fold)"`
		Tenant  string   `kivis:"key"`
		Number  int      `kivis:"key,auto"`
		Email   string   `kivis:"unique"`
		Badge   *string  `kivis:"unique"`
		Slug    string
		Address tAddress
		Score   float64
	}
	tAddress struct {
		City string
		Zip  *tZip
	}
	tZip  struct{ Code, Extra string }
	tPost struct {
		_         struct{} `kivis:"table=posts,index=bytag(Tags:each,-Published),index=home(Where.City,Published)"`
		ID        int64    `kivis:"key"`
		Published time.Time
		Tags      []string `kivis:"index,each"`
		Links     map[string]int
		Words     []byte
		Where     tAddress
		In        time.Duration
	}
	tSlot struct {
		_    struct{} `kivis:"table=slots,index=home(Home,ID)"`
		ID   tSlotKey `kivis:"key"`
		Home tAddress
	}
	tOrder struct {
		_      struct{} `kivis:"table=orders,index=skus(Lines.SKU:each,-Placed),index=names(Lines.Item.Name:each:fold),index=city(Ship.City),index=gifts(Gifts.SKU:each)"`
		ID     int64    `kivis:"key"`
		Placed time.Time
		Ship   *tAddress
		Lines  []tLine
		Gifts  map[string]*tLine
	}
	tLine struct {
		SKU  string
		N    int
		Tags []string
		Item *tItem
	}
	tItem    struct{ Name string }
	tSlotKey struct {
		Day  time.Time
		Room struct{ House, Number string }
	}
	tLog struct {
		_    struct{}  `kivis:"table=logs"`
		Host string    `kivis:"key"`
		At   time.Time `kivis:"key,desc"`
		Text string
	}
)

// testTables returns tables of record types by name.
func testTables(tb testing.TB, types ...reflect.Type) *schema.Set {
	tb.Helper()
	models, err := schema.Compile(types...)
	if err != nil {
		tb.Fatal(err)
	}
	change, err := schema.Plan(schema.NewCatalog(), models, schema.PlanOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	set, err := schema.Bind(change.Catalog, models)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

func exampleTables(tb testing.TB) *schema.Set {
	return testTables(tb, reflect.TypeFor[tAirport](), reflect.TypeFor[tFlight](), reflect.TypeFor[tUser](),
		reflect.TypeFor[tPost](), reflect.TypeFor[tLog](), reflect.TypeFor[tSlot](), reflect.TypeFor[tOrder]())
}

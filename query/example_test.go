package query_test

import (
	"fmt"
	"log"
	"reflect"
	"time"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

func ExampleParse() {
	e, err := query.Parse("Origin = 'ORD' and (Delay >= 60 or Carrier in ('AA', 'UA'))", nil)
	fmt.Println(e, err)
	_, err = query.Parse("Origin = 'ORD' and Delay >=", nil)
	fmt.Println(err)
	// Output:
	// Origin = 'ORD' and (Delay >= 60 or Carrier in ('AA', 'UA')) <nil>
	// text (at 28): a value is expected, not the end
}

// The plan of a query says how its records are found.
func ExampleCompile() {
	type Flight struct {
		_           struct{} `kivis:"table=flights,index=route(Origin,Destination,-Departs)"`
		ID          int      `kivis:"key"`
		Departs     time.Time
		Delay       int
		Origin      string
		Destination string
	}
	models, err := schema.Compile(reflect.TypeFor[Flight]())
	if err != nil {
		log.Fatal(err)
	}
	change, err := schema.Plan(schema.NewCatalog(), models, schema.PlanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	set, err := schema.Bind(change.Catalog, models)
	if err != nil {
		log.Fatal(err)
	}
	where, err := query.Parse("origin = 'ORD' and destination = 'LAX' and delay >= 60", nil)
	if err != nil {
		log.Fatal(err)
	}
	departs := query.Operand{Field: &query.Field{Name: "departs"}}
	plan, err := query.Compile(set.ByName("flights"), &query.Query{
		Where: where, Order: []query.Order{{Field: departs, Desc: true}}, Limit: 20,
	}, query.Want{})
	fmt.Println(plan, err)
	// Output:
	// index range on flights.route(Origin, Destination, -Departs)
	//   where   Origin = "ORD", Destination = "LAX"
	//   fetch   records
	//   filter  Delay >= 60
	//   limit   20 <nil>
}

package schema_test

import (
	"fmt"
	"log"
	"reflect"
	"time"

	"github.com/kivisdb/kivis/schema"
)

type IATA string

type Airport struct {
	_    struct{} `kivis:"table=airports"`
	Code IATA     `kivis:"key"`
	City string   `kivis:"index"`
}

type Flight struct {
	_       struct{}  `kivis:"table=flights,index=route(From,To,-Departs)"`
	Carrier string    `kivis:"key"`
	Number  uint32    `kivis:"key,auto"`
	From    IATA      `kivis:"ref,ondelete=cascade"`
	To      IATA      `kivis:"ref"`
	Departs time.Time `kivis:"index"`
}

func Example_compileAndBind() {
	models, err := schema.Compile(reflect.TypeFor[Airport](), reflect.TypeFor[Flight]())
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
	fmt.Print(set.ByName("flights"))
	// Output:
	// table flights #2 version 1
	// 	column Carrier string #1
	// 	column Number uint32 #2
	// 	column From string #3
	// 	column To string #4
	// 	column Departs time #5
	// 	key auto (Carrier,Number) (string, uint)
	// 	index Departs (Departs) (time) #1
	// 	index route (From,To,-Departs) (string, string, time desc) #2
	// 	index From (From) (string) #3 for a reference
	// 	index To (To) (string) #4 for a reference
	// 	ref (From) -> airports cascade by index From
	// 	ref (To) -> airports restrict by index To
}

func Example_faults() {
	type User struct {
		Email string    `kivis:"uniqe"`
		City  string    `kivis:"index=place"`
		Since time.Time `kivis:"index=place,desc"`
		Home  IATA      `kivis:"ref=airport"`
		Name  string    `kivis:"key"`
	}
	_, err := schema.CompileFor(schema.NewCatalog(), reflect.TypeFor[User](), reflect.TypeFor[Airport]())
	fmt.Println(err)
	// Output:
	// schema: schema_test.User.Email: unknown option "uniqe"; did you mean "unique"? (tag "uniqe")
	// schema: schema_test.User.Since: City and Since are tagged with the one index place; an index of several fields goes on a blank field: _ struct{} `kivis:"index=place(City,-Since)"` (tag "index=place,desc")
	// schema: schema_test.User.Home: refers to nothing: unknown table "airport"; did you mean "airports"?; register the record that it refers to with this one, or before it (tag "ref=airport")
}

func ExamplePlan() {
	stored := plan(schema.NewCatalog(), reflect.TypeFor[Airport]())
	type Airport struct {
		_        struct{} `kivis:"table=airports"`
		Code     IATA     `kivis:"key"`
		Town     []string `kivis:"was=City"`
		Altitude int
	}
	fmt.Print(plan(stored.Catalog, reflect.TypeFor[Airport]()).Diff)
	// Output:
	// airports: renamed field Town: was City (nothing to do)
	// airports: changed type Town: string to []string (refused); keep string, or add a field of another name and fill it from this one, or pass Register a migration
	// airports: new field Altitude: int64 (nothing to do)
	// airports: removed index City: index=City(City) (nothing to do)
}

// plan plans the change of a catalog to one record type.
func plan(c *schema.Catalog, t reflect.Type) *schema.Change {
	models, err := schema.Compile(t)
	if err != nil {
		log.Fatal(err)
	}
	change, err := schema.Plan(c, models, schema.PlanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	return change
}

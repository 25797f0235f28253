package reflectx_test

import (
	"fmt"
	"log"
	"reflect"

	"github.com/kivisdb/kivis/reflectx"
)

func Example_readFields() {
	type Base struct {
		ID uint64 `kivis:"key,auto"`
	}
	type User struct {
		Base
		Name string `kivis:"index"`
	}
	s, err := reflectx.Walk(reflect.TypeFor[User]())
	if err != nil {
		log.Fatal(err)
	}
	u := User{Base{7}, "Ada"}
	for _, f := range s.Fields {
		v := reflectx.To(&u).At(f.Offset).Value(f.Type)
		fmt.Printf("%s (%s, %s) = %v\n", f.Name, f.Path, f.Tag, v)
	}
	// Output:
	// ID (Base.ID, key,auto) = 7
	// Name (Name, index) = Ada
}

func ExampleParseTag() {
	opts, err := reflectx.ParseTag("table=flights, index=route(Origin,-Departs)")
	if err != nil {
		log.Fatal(err)
	}
	for _, o := range opts {
		fmt.Printf("%s: %s\n", o.Key, o.Value)
	}
	_, err = reflectx.ParseTag("key,,index=route(Origin")
	fmt.Println(err)
	// Output:
	// table: flights
	// index: route(Origin,-Departs)
	// empty option at 4 (tag "key,,index=route(Origin")
	// unmatched ( at 16 (tag "key,,index=route(Origin")
}

func ExampleNearest() {
	fmt.Println(reflectx.Nearest("uniqe", []string{"index", "unique"}))
	fmt.Println(reflectx.Nearest("table", []string{"index", "unique"}))
	// Output:
	// unique true
	//  false
}

package query_test

import (
	"fmt"

	"github.com/kivisdb/kivis/query"
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

package guide

import (
	"time"

	"github.com/google/uuid"

	"github.com/kivisdb/kivis"
)

// Address is a nested struct: stored inside the record.
type Address struct {
	Street string
	City   string
	Zip    string
}

// Customer has an id that Kivis draws.
type Customer struct {
	_                    struct{} `kivis:"table=customers,index=place(Address.City,Name)"`
	kivis.Auto[Customer]          // the field ID, of type kivis.ID[Customer]
	Email                string   `kivis:"unique,fold"`
	Name                 string   `kivis:"index"`
	Nick                 *string  // nil is stored, and is not ""
	Tags                 []string `kivis:"index,each"`
	Address              Address
	Since                time.Time
	cache                []byte // unexported: not stored
	Scratch              []byte `kivis:"-"` // not stored
}

// Order refers to a customer, and goes with him.
type Order struct {
	_ struct{} `kivis:"table=orders,index=recent(Customer,-Placed)"`
	kivis.Auto[Order]
	Customer kivis.ID[Customer]  `kivis:"ondelete=cascade"`
	Agent    *kivis.ID[Customer] `kivis:"optional,ondelete=setnull"`
	Placed   time.Time
	Cents    int64
	Open     bool
}

// Country has one key field.
type Country struct {
	Code string `kivis:"key"`
	Name string
}

// Line has a key of two fields.
type Line struct {
	Order  kivis.ID[Order] `kivis:"key,ondelete=cascade"`
	Number int             `kivis:"key"`
	Text   string
}

// LineKey is the key of a Line: a struct with the same field types in the
// same order.
type LineKey struct {
	Order  kivis.ID[Order]
	Number int
}

// Session has a UUID that Kivis draws, in order of time.
type Session struct {
	ID      uuid.UUID `kivis:"key,auto"`
	Expires time.Time
}

// Blob is found by what is in it.
type Blob struct {
	Sum  kivis.Digest `kivis:"key,content"` // SHA-256 of the other fields
	Data []byte
}

// Reading has a key that is computed.
type Reading struct {
	Sensor string
	At     time.Time
	Value  float64
}

// PrimaryKey returns the sensor and the hour.
func (r Reading) PrimaryKey() ReadingKey {
	return ReadingKey{r.Sensor, r.At.Truncate(time.Hour).Unix()}
}

// ReadingKey is the key of a Reading.
type ReadingKey struct {
	Sensor string
	Hour   int64
}

// The tables, to be bound with With.
var (
	customers = kivis.TableOf[Customer](nil)
	orders    = kivis.TableOf[Order](nil)
	countries = kivis.TableBy[Country, string](nil)
	lines     = kivis.TableBy[Line, LineKey](nil)
	sessions  = kivis.TableBy[Session, uuid.UUID](nil)
	blobs     = kivis.TableBy[Blob, kivis.Digest](nil)
	readings  = kivis.TableOf[Reading](nil)
)

// Customers are the fields of Customer. A struct for each record keeps the
// names of several records apart.
var Customers = struct {
	Email kivis.Field[Customer, string]
	Name  kivis.Field[Customer, string]
	Nick  kivis.Field[Customer, *string]
	Tags  kivis.Field[Customer, []string]
	City  kivis.Field[Customer, string]
}{
	Email: kivis.FieldOf(func(c *Customer) *string { return &c.Email }),
	Name:  kivis.FieldOf(func(c *Customer) *string { return &c.Name }),
	Nick:  kivis.FieldOf(func(c *Customer) **string { return &c.Nick }),
	Tags:  kivis.FieldOf(func(c *Customer) *[]string { return &c.Tags }),
	City:  kivis.FieldOf(func(c *Customer) *string { return &c.Address.City }),
}

// Prefixes do as well.
var (
	orderCustomer = kivis.FieldOf(func(o *Order) *kivis.ID[Customer] { return &o.Customer })
	orderPlaced   = kivis.FieldOf(func(o *Order) *time.Time { return &o.Placed })
	orderCents    = kivis.FieldOf(func(o *Order) *int64 { return &o.Cents })
	orderOpen     = kivis.FieldOf(func(o *Order) *bool { return &o.Open })
)

// records is what Register gets.
var records = []any{
	&Customer{}, &Order{}, &Country{}, &Line{}, &Session{}, &Blob{}, &Reading{},
}

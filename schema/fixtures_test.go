package schema

import (
	"reflect"
	"time"
)

// ID and Auto are like those of package kivis.
type ID[R any] uint64

func (ID[R]) RecordType() reflect.Type { return reflect.TypeFor[R]() }

type Auto[R any] struct {
	ID ID[R] `json:"id"`
}

func (a Auto[R]) PrimaryKey() ID[R] { return a.ID }

type IATA string

type Airport struct {
	_         struct{} `kivis:"table=airports"`
	Code      IATA     `kivis:"key"`
	Name      string
	City      string `kivis:"index"`
	State     string `kivis:"index"`
	Country   string
	Latitude  float64
	Longitude float64
}

type Flight struct {
	_ struct{} `kivis:"table=flights,index=route(Origin,Destination,-Departs)"`
	Auto[Flight]
	Departs     time.Time `kivis:"index"`
	Delay       int       `kivis:"index"`
	Distance    int
	Origin      IATA `kivis:"ref"`
	Destination IATA `kivis:"ref"`
}

// Records of a forum: references to itself, in a circle, and of every rule.

type Member struct {
	ID      ID[Member]
	Name    string      `kivis:"unique,fold"`
	Email   *string     `kivis:"unique=mail"`
	Mentor  ID[Member]  `kivis:"optional,ondelete=setnull"`
	Pinned  *ID[Thread] `kivis:"ondelete=setnull"`
	Joined  time.Time   `kivis:"index,desc"`
	Secrets func()      `kivis:"-"`
	note    string
}

type Thread struct {
	_ struct{} `kivis:"index=bytag(Tags:each,-Opened),unique=slug(Author,Slug:fold)"`
	Auto[Thread]
	Author ID[Member] `kivis:"ondelete=cascade"`
	Slug   string
	Tags   []string        `kivis:"index=tag,each"`
	Votes  map[string]int8 `kivis:"index,each"`
	Opened time.Time
	Closer ID[Member] `kivis:"optional,ondelete=noaction"`
}

type Profile struct {
	Member ID[Member] `kivis:"key"`
	Bio    string
}

// Keys of every kind.

type Session struct {
	ID   [16]byte `kivis:"key,auto"`
	User ID[Member]
}

type Blob struct {
	Sum  [32]byte `kivis:"key,content"`
	Data []byte
}

type Place struct {
	Country, City string
	Names         map[string]string
}

func (p *Place) PrimaryKey() string { return p.Country + "/" + p.City }

type SlotKey struct {
	Room string
	From time.Time
}

type Slot struct {
	Room, Note string
	Unix       int64
}

func (s Slot) PrimaryKey() SlotKey { return SlotKey{s.Room, time.Unix(s.Unix, 0)} }

type LegKey struct {
	Carrier string
	Number  uint16 `kivis:"desc"`
}

type Leg struct {
	LegKey `kivis:"key"`
	Miles  float32
}

type Stop struct {
	Leg   LegKey `kivis:"ref=Leg"`
	Order int    `kivis:"key"`
	Where Spot   `kivis:"key"`
}

type Spot struct{ Lat, Lon float64 }

type Descending struct {
	N int32 `kivis:"key,auto,desc"`
}

type Mail struct {
	User   string `kivis:"key"`
	Number uint32 `kivis:"key,auto"`
}

func (m Mail) PrimaryKey() MailKey { return MailKey{m.User, m.Number} }

type MailKey struct {
	Who string
	No  uint32
}

// References of several fields, which share a column.

type Invoice struct {
	_ struct{} `kivis:"table=invoices,ref=Customer(Tenant,Buyer):optional:ondelete=setnull, ref=Customer(Tenant,Payer) : ondelete = noaction"`
	_ struct{} `kivis:"index=payer(Tenant,Payer,-Total)"`

	Tenant string `kivis:"key,ref=Tenant,ondelete=cascade"`
	Number int64  `kivis:"key,auto"`
	Buyer  uint64
	Payer  uint64
	Total  int64
}

// Nested, embedded, recursive and generic types.

type Stamps struct {
	_       struct{} `kivis:"table=stamps,index=changed(-Changed)"`
	Created time.Time
	Changed time.Time `kivis:"name=updated"`
}

type Company struct {
	Stamps
	_       struct{} `kivis:"table=companies, index=town(Home.City,Home.Zip), unique=vat( Tax.Country , Tax.Number:fold )"`
	_       struct{} `kivis:"ref=airports(Home.Near)"`
	Name    string   `kivis:"key,name=title,was=label"`
	Home    Home
	Tax     *TaxID `kivis:"index=tax"`
	Offices []Home
	Parent  *Company
	Tree    Tree
	Extra   any
	Wait    time.Duration
}

type Home struct {
	City string `kivis:"name=town,was=city"`
	Zip  *string
	Near IATA
	Skip chan int `kivis:"-"`
}

type TaxID struct{ Country, Number string }

type Tree struct {
	Label string
	Kids  []Tree
	ByKey map[string]*Tree
}

type Holder struct {
	Tenant `kivis:"-"`
	ID     ID[Holder] `kivis:"desc"`
	Owner  Tenant
	Item   Box[Item]
}

type Item struct {
	Box[string]
	Price float64 `kivis:"index"`
}

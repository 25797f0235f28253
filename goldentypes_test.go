package kivis_test

import (
	"errors"
	"math/big"
	"net/url"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis"
)

// The types of the full golden database. They stay as they are: a rule that
// comes later must leave a way to read what they have written.

// A goldenPerson1 is a person as the first program stored it.
type goldenPerson1 struct {
	_    struct{} `kivis:"table=people"`
	ID   kivis.ID[goldenPerson1]
	Mail string `kivis:"unique"`
	Age  int16
	Note string
}

// A goldenPerson2 has a field renamed, one of a wider type, and a new one.
type goldenPerson2 struct {
	_     struct{} `kivis:"table=people"`
	ID    kivis.ID[goldenPerson2]
	Email string `kivis:"unique,fold,was=Mail"`
	Age   int64  `kivis:"index,desc"`
	Note  string
	Nick  *string `kivis:"unique"`
}

// A goldenPerson has a field less, and nested ones.
type goldenPerson struct {
	_     struct{} `kivis:"table=people,index=home(Home.City,-Age)"`
	ID    kivis.ID[goldenPerson]
	Email string   `kivis:"unique,fold,was=Mail"`
	Age   int64    `kivis:"index,desc"`
	Nick  *string  `kivis:"unique"`
	Tags  []string `kivis:"index,each"`
	Home  goldenHome
}

type goldenHome struct {
	City string
	Zip  *string
}

// A goldenPersonTwice has a unique index that the stored ages break.
type goldenPersonTwice struct {
	_     struct{} `kivis:"table=people,index=home(Home.City,-Age)"`
	ID    kivis.ID[goldenPersonTwice]
	Email string   `kivis:"unique,fold,was=Mail"`
	Age   int64    `kivis:"unique"`
	Nick  *string  `kivis:"unique"`
	Tags  []string `kivis:"index,each"`
	Home  goldenHome
	Extra int
}

// A goldenTeam has a plain key, and a reference that deletes set to nil.
type goldenTeam struct {
	_    struct{}                `kivis:"table=teams"`
	Name string                  `kivis:"key"`
	Lead *kivis.ID[goldenPerson] `kivis:"ondelete=setnull"`
}

// A goldenMember has a key of two parts, one a reference that goes with its
// target, and a reference that forbids deletes.
type goldenMember struct {
	_      struct{} `kivis:"table=members"`
	Team   string   `kivis:"key,ref=teams,ondelete=cascade"`
	Number uint16   `kivis:"key,desc"`
	Person kivis.ID[goldenPerson]
}

type goldenMemberKey struct {
	Team   string
	Number uint16
}

// A goldenShirt refers by two fields.
type goldenShirt struct {
	_      struct{} `kivis:"table=shirts,ref=members(Team,Number):optional:ondelete=noaction"`
	ID     int32    `kivis:"key,auto,desc"`
	Team   string
	Number uint16
}

// A goldenSession has a UUID as its key.
type goldenSession struct {
	_    struct{} `kivis:"table=sessions"`
	ID   [16]byte `kivis:"key,auto"`
	User kivis.ID[goldenPerson]
}

// A goldenBlob has the hash of its content as its key.
type goldenBlob struct {
	_    struct{} `kivis:"table=blobs"`
	Sum  [32]byte `kivis:"key,content"`
	Data []byte
}

// A goldenPlace has a key that a method computes.
type goldenPlace struct {
	_             struct{} `kivis:"table=places"`
	Country, City string
}

func (p goldenPlace) PrimaryKey() string { return p.Country + "/" + p.City }

// A goldenEvent1 is an event before it had an index, of which half was built.
type goldenEvent1 struct {
	_    struct{} `kivis:"table=events"`
	ID   kivis.ID[goldenEvent1]
	What string
}

type goldenEvent struct {
	_    struct{} `kivis:"table=events"`
	ID   kivis.ID[goldenEvent]
	What string `kivis:"index"`
}

// A goldenValues has a field of every kind.
type goldenValues struct {
	_       struct{} `kivis:"table=values"`
	ID      kivis.ID[goldenValues]
	Bool    bool
	Int8    int8
	Int16   int16
	Int32   int32
	Int64   int64
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	Float32 float32
	Float64 float64
	String  string
	Bytes   []byte
	Array   [4]byte
	Time    time.Time
	Wait    time.Duration
	Pointer *int
	Slice   []int16
	Numbers [2]float32
	Map     map[string]int
	Keyed   map[time.Duration]bool
	Tree    goldenTree
	Big     big.Int // by text methods
	URL     *url.URL
	Couple  goldenCouple
	Any     any
}

type goldenTree struct {
	Label string
	Kids  []goldenTree
	Left  *goldenTree
}

// A goldenCouple writes two values of msgpack.
type goldenCouple struct{ a, b string }

func (c goldenCouple) EncodeMsgpack(enc *msgpack.Encoder) error {
	return errors.Join(enc.EncodeString(c.a), enc.EncodeString(c.b))
}

func (c *goldenCouple) DecodeMsgpack(dec *msgpack.Decoder) (err error) {
	if c.a, err = dec.DecodeString(); err == nil {
		c.b, err = dec.DecodeString()
	}
	return err
}

// goldenFull returns one of each newest type of the full golden database.
func goldenFull() []any {
	return []any{&goldenPerson{}, &goldenTeam{}, &goldenMember{}, &goldenShirt{}, &goldenSession{}, &goldenBlob{},
		&goldenPlace{}, &goldenEvent{}, &goldenValues{}}
}

package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Record is what every contender stores. Its tags are those of the contenders
// that read them; TeamID is a plain index and no reference, so that all of
// them do the same reads.
type Record struct {
	ID      uint64 `kivis:"key" badgerhold:"key" boltholdKey:"ID" storm:"id" gorm:"primaryKey;autoIncrement:false"`
	Email   string `kivis:"unique" badgerhold:"unique" boltholdUnique:"Email" storm:"unique" gorm:"uniqueIndex"`
	Name    string
	Age     int    `kivis:"index" badgerhold:"index" boltholdIndex:"Age" storm:"index" gorm:"index"`
	City    string `kivis:"index" badgerhold:"index" boltholdIndex:"City" storm:"index" gorm:"index"`
	TeamID  uint64 `kivis:"index" badgerhold:"index" boltholdIndex:"TeamID" storm:"index" gorm:"index"`
	Bio     string
	Created time.Time
	Tags    []string `gorm:"serializer:json"`
}

const (
	ages      = 100 // Age is 1 to ages; never 0, which storm does not index
	names     = 100 // different names
	bioBytes  = 200
	perCity   = 10 // records that share a city, on average
	perTeam   = 50
	tagsEach  = 3
	emailHost = "@example.com"
)

// Data makes the records of one table, each from its id and the seed alone,
// so that every contender gets the same without anybody keeping them.
type Data struct {
	Seed    uint64
	Records int // ids are 1 to Records
	cities  []string
	names   []string
	teams   uint64
}

// newData returns the data of a table of n records.
func newData(seed uint64, n int) *Data {
	d := &Data{Seed: seed, Records: n, teams: uint64(n/perTeam + 1)}
	d.cities = make([]string, n/perCity+1)
	for i := range d.cities {
		d.cities[i] = fmt.Sprintf("%s %s %d", towns[i%len(towns)], kinds[i/7%len(kinds)], i)
	}
	for i := range names {
		d.names = append(d.names, given[i/10]+" "+family[i%10])
	}
	return d
}

// Record returns the record with the id, which may be beyond Records: the
// others' cities, teams and names are then its as well.
func (d *Data) Record(id uint64) Record {
	rng := d.rand(id)
	return Record{
		ID:      id,
		Email:   d.Email(id),
		Name:    d.names[rng.IntN(len(d.names))],
		Age:     1 + rng.IntN(ages),
		City:    d.cities[rng.IntN(len(d.cities))],
		TeamID:  1 + rng.Uint64N(d.teams),
		Bio:     bio(rng),
		Created: epoch.Add(time.Duration(rng.Int64N(int64(10*365*24*time.Hour/time.Millisecond))) * time.Millisecond),
		Tags:    tags(rng),
	}
}

// Block returns n records with ids from first on.
func (d *Data) Block(first uint64, n int) []Record {
	rs := make([]Record, n)
	for i := range rs {
		rs[i] = d.Record(first + uint64(i))
	}
	return rs
}

// Email returns the address of the record with the id.
func (d *Data) Email(id uint64) string {
	b := make([]byte, 0, 32)
	b = append(b, "user."...)
	b = strconv.AppendUint(b, mix(d.Seed^id)>>44, 32) // spread over the index
	b = append(b, '.')
	b = strconv.AppendUint(b, id, 10)
	return string(append(b, emailHost...))
}

// rand returns the source of what the record with the id is made of.
func (d *Data) rand(id uint64) *rand.Rand {
	return rand.New(rand.NewPCG(d.Seed, mix(id)))
}

// mix spreads x over all 64 bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// bio returns a text of bioBytes bytes.
func bio(rng *rand.Rand) string {
	var b strings.Builder
	for b.Len() < bioBytes {
		b.WriteString(words[rng.IntN(len(words))])
		b.WriteByte(' ')
	}
	return b.String()[:bioBytes]
}

// tags returns tagsEach tags.
func tags(rng *rand.Rand) []string {
	t := make([]string, tagsEach)
	for i := range t {
		t[i] = words[rng.IntN(len(words))]
	}
	return t
}

// epoch is when the oldest record may have been created.
var epoch = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

var (
	given  = []string{"Ada", "Barbara", "Claude", "Donald", "Edsger", "Frances", "Grace", "Hedy", "Ivan", "Katherine"}
	family = []string{"Allen", "Backus", "Codd", "Dijkstra", "Floyd", "Hamilton", "Hopper", "Knuth", "Lovelace", "Shannon"}
	towns  = []string{"Ashford", "Brockton", "Carlow", "Dunmore", "Elgin", "Fairview", "Galway", "Hamlet", "Ilford", "Jarrow", "Kelso"}
	kinds  = []string{"Bay", "Cross", "Falls", "Green", "Heights", "Mills", "Park"}
	words  = strings.Fields("abbey actor amber anchor apple arrow atlas autumn badge baker bamboo basket beacon berry bishop " +
		"blossom bottle branch bridge bronze bucket butter cabin camera candle canyon carpet castle cedar chapel cherry cinema " +
		"circle cliff clover coast cobalt comet copper coral cotton cradle crystal daisy desert diamond dinner dolphin dragon " +
		"eagle early ember engine fabric falcon feather fiddle finger forest fossil garden ginger glacier granite guitar hammer " +
		"harbor hazel helmet hollow honey island ivory jacket jasmine jungle kettle kitten ladder lagoon lantern lemon letter " +
		"lily linen lizard magnet maple marble meadow melody mirror monsoon mountain needle nickel ocean olive orange orchard " +
		"oyster palace paper pebble pepper pilot planet pocket poppy prairie quartz rabbit ribbon river rocket saddle saffron " +
		"sailor satin shadow silver spider spring summer sunset tablet temple thunder tiger timber tunnel valley velvet violet " +
		"walnut willow window winter yellow zephyr")
)

package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
)

// Answers are what a contender answers to questions, as digests by topic.
// Contenders whose answers differ are not compared any further.
type Answers map[string]string

// digest adds up answers: in their order, or as a set.
type digest struct {
	ordered bool
	n       int
	sum     uint64
}

// add adds a record.
func (d *digest) add(r Record) {
	h := fnv.New64a()
	_, _ = h.Write(encodeRecord(nil, &r)) // never fails
	d.number(h.Sum64())
}

// number adds a number.
func (d *digest) number(x uint64) {
	d.n++
	if d.ordered {
		d.sum = mix(d.sum)
	}
	d.sum += mix(x)
}

// String returns the digest.
func (d *digest) String() string { return fmt.Sprintf("%d:%016x", d.n, d.sum) }

// A question is one topic of answers.
type question struct {
	topic   string
	ordered bool
	ask     func(s *session, db Contender, d *digest) error
}

// questions are all that can be asked of a loaded table. The slow ones of some
// contenders are asked less often.
var questions = []question{
	{"get", true, func(s *session, db Contender, d *digest) error {
		return s.times(200, d, func(id uint64) (Record, error) { return db.Get(id) })
	}},
	{"email", true, func(s *session, db Contender, d *digest) error {
		return s.times(5, d, func(id uint64) (Record, error) { return db.ByEmail(s.data.Email(id)) })
	}},
	{"city", false, func(s *session, db Contender, d *digest) error {
		for i := range 5 {
			if err := db.ByCity(s.data.cities[i*37%len(s.data.cities)], d.add); err != nil {
				return err
			}
		}
		return nil
	}},
	{"range", true, func(_ *session, db Contender, d *digest) error {
		return errors.Join(db.FromAge(1, rangeLimit, d.add), db.FromAge(ages-10, rangeLimit, d.add))
	}},
	{"range by key", true, func(s *session, db Contender, d *digest) error {
		return errors.Join(db.FromID(uint64(s.Records/3), 17, d.add), db.FromID(uint64(s.Records-5), rangeLimit, d.add))
	}},
	{"filter", false, func(s *session, db Contender, d *digest) error { return db.Named(s.data.names[7], d.add) }},
	{"func", false, func(s *session, db Contender, d *digest) error {
		return db.Filter(func(r *Record) bool { return r.Name == s.data.names[7] && len(r.Tags) == tagsEach }, d.add)
	}},
	{"all", false, func(_ *session, db Contender, d *digest) error { return db.All(d.add) }},
	{"count", true, func(_ *session, db Contender, d *digest) error {
		n, err := db.CountAges(30, 40)
		d.number(uint64(n))
		return err
	}},
}

// times adds n records by ids that are spread over the table; those that are
// not there count as such.
func (s *session) times(n int, d *digest, get func(uint64) (Record, error)) error {
	for i := range uint64(n) {
		r, err := get(1 + mix(i)%uint64(s.Records))
		switch {
		case errors.Is(err, errNotFound):
			d.number(0)
		case err != nil:
			return err
		default:
			d.add(r)
		}
	}
	return nil
}

// ask returns all answers of db.
func (s *session) ask(db Contender) (Answers, error) {
	a := Answers{}
	for _, q := range questions {
		d := digest{ordered: q.ordered}
		if err := q.ask(s, db, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", q.topic, err)
		}
		a[q.topic] = d.String()
	}
	return a, nil
}

// conductRecords is how many records the table of conduct has.
const conductRecords = 300

// conduct returns how the contender behaves in a small table: what it answers
// to wrong writes, and what is there after many right ones, also after it was
// opened again.
func (s *session) conduct() (Answers, error) {
	small := s.Settings
	small.Records, small.Dir = conductRecords, filepath.Join(s.Dir, "conduct")
	t, err := newSession(small)
	if err != nil {
		return nil, err
	}
	if t.db, err = t.open(mainFolder, false); err != nil {
		return nil, err
	}
	answers := Answers{}
	err = t.behave(answers)
	if t.db != nil {
		err = errors.Join(err, t.db.Close())
	}
	return answers, errors.Join(err, os.RemoveAll(small.Dir))
}

// behave does what conduct says.
func (s *session) behave(a Answers) error {
	rs := s.data.Block(1, s.Records)
	half := len(rs) / 2
	if err := s.db.InsertMany(rs[:half]); err != nil {
		return fmt.Errorf("insert many: %w", err)
	}
	for i := half; i < len(rs); i++ {
		if err := s.db.Insert(&rs[i]); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
	}
	if err := s.misbehave(); err != nil {
		return err
	}
	if err := s.tell(a, "after inserts"); err != nil {
		return err
	}
	if err := s.change(); err != nil {
		return err
	}
	if err := s.tell(a, "after changes"); err != nil {
		return err
	}
	if s.entry.Field != onDisk {
		return nil
	}
	if err := s.reopen(func() {}, func() {}); err != nil && !errors.Is(err, errNotFound) {
		return err
	}
	return s.tell(a, "after it was opened again")
}

// tell adds the answers at a moment.
func (s *session) tell(a Answers, when string) error {
	got, err := s.ask(s.db)
	for topic, digest := range got {
		a[topic+" "+when] = digest
	}
	return err
}

// misbehave writes what a contender must refuse.
func (s *session) misbehave() error {
	const none = 1 << 40
	sameID, sameEmail := s.data.Record(7), s.data.Record(none)
	sameID.Email, sameEmail.Email = s.data.Email(none), s.data.Email(8)
	fresh := s.data.Record(none + 1)
	_, gone := s.db.Get(none)
	_, goneEmail := s.db.ByEmail("nobody" + emailHost)
	for _, c := range []struct {
		name      string
		got, want error
	}{
		{"insert of an id that is there", s.db.Insert(&sameID), errTaken},
		{"insert of an email that is there", s.db.Insert(&sameEmail), errTaken},
		{"insert of several with one of them", s.db.InsertMany([]Record{fresh, sameEmail}), errTaken},
		{"get of nothing", gone, errNotFound},
		{"get by an email of nothing", goneEmail, errNotFound},
		{"update of nothing", s.db.SetAge(none, 3), errNotFound},
		{"delete of nothing", s.db.Delete(none), errNotFound},
	} {
		if !errors.Is(c.got, c.want) {
			return fmt.Errorf("%s: the error is %v, want %v", c.name, c.got, c.want)
		}
	}
	return nil
}

// change changes many records in every way.
func (s *session) change() error {
	rng := s.rand("change")
	texts := bios(rng)
	for i := range uint64(s.Records) {
		id := i + 1
		var err error
		switch i % 5 {
		case 0:
			err = s.db.SetAge(id, 1+rng.IntN(ages))
		case 1:
			err = s.db.SetBio(id, texts[rng.IntN(len(texts))])
		case 2:
			err = s.db.Delete(id)
		case 3: // away and back again
			r := s.data.Record(id)
			r.Age = 1 + rng.IntN(ages)
			err = errors.Join(s.db.Delete(id), s.db.Insert(&r))
		}
		if err != nil {
			return fmt.Errorf("change of record %d: %w", id, err)
		}
	}
	return nil
}

package main

// The workloads A, B and E of the Yahoo! Cloud Serving Benchmark: popular
// records are asked for more often, see zipf.

// runYCSB measures gets and, for the rest of the share, updates.
func runYCSB(gets float64) func(*session) (Measure, error) {
	return func(s *session) (Measure, error) {
		defer s.settle(restless)
		rng := s.rand("ycsb")
		texts, z := bios(rng), newZipf(s.Records)
		return s.repeat(maxOps, func(int) error {
			id := z.draw(rng)
			if rng.Float64() < gets {
				_, err := s.db.Get(id)
				return err
			}
			return s.db.SetBio(id, texts[rng.IntN(len(texts))])
		})
	}
}

// runYCSBE measures ranges of up to rangeLimit records by key, and inserts.
func runYCSBE(s *session) (Measure, error) {
	defer s.settle(restless)
	const share = 0.05
	rng := s.rand("ycsb-e")
	z, rs := newZipf(s.Records), s.fresh(s.growth())
	var got sum
	added := 0
	m, err := s.repeat(maxOps, func(int) error {
		id, n := z.draw(rng), 1+rng.IntN(rangeLimit)
		if rng.Float64() < share && added < len(rs) {
			added++
			return s.db.Insert(&rs[added-1])
		}
		return s.db.FromID(id, n, got.visit)
	})
	s.added(rs, added)
	return m, err
}

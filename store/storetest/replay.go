package storetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// check runs the records again on a map: each committed transaction, in the
// order of versions, must see what it saw, and so must every other on the state
// at its snapshot.
func (m *model) check() error {
	if err := m.serialize(); err != nil {
		return err
	}
	for _, r := range m.txs {
		state, ok := m.states[r.snapshot]
		if !ok {
			return fmt.Errorf("%s: no commit has version %d, its snapshot", r.name, r.snapshot)
		}
		if _, err := r.replay(state); err != nil {
			return fmt.Errorf("at its snapshot, version %d: %w", r.snapshot, err)
		}
	}
	return nil
}

// serialize builds the state at each version.
func (m *model) serialize() error {
	m.states = map[uint64]map[string]string{}
	state := map[string]string{}
	told := m.toldStates()
	groups := m.groups()
	m.states[m.first(groups)] = state
	for _, group := range groups {
		version := group[0].version
		next, err := order(group, state, told[version])
		if err != nil {
			return fmt.Errorf("version %d: %w", version, err)
		}
		state = next
		m.states[version] = state
		m.commits += len(group)
	}
	return nil
}

// first returns the version before the first commit, which some transaction
// may have seen.
func (m *model) first(groups [][]*txRecord) uint64 {
	first := uint64(0)
	for i, r := range m.txs {
		if i == 0 || r.snapshot < first {
			first = r.snapshot
		}
	}
	if len(groups) > 0 && groups[0][0].version <= first {
		return 0
	}
	return first
}

// groups returns the committed transactions by version.
func (m *model) groups() [][]*txRecord {
	var groups [][]*txRecord
	sorted := slices.Clone(m.txs)
	slices.SortStableFunc(sorted, func(a, b *txRecord) int { return cmp.Compare(a.version, b.version) })
	for _, r := range sorted {
		if r.version == 0 {
			continue
		}
		if n := len(groups); n > 0 && groups[n-1][0].version == r.version {
			groups[n-1] = append(groups[n-1], r)
		} else {
			groups = append(groups, []*txRecord{r})
		}
	}
	return groups
}

// toldStates returns the states at the versions that hooks were told of.
func (m *model) toldStates() map[uint64]map[string]string {
	states := map[uint64]map[string]string{}
	if m.told == nil {
		return states
	}
	state := map[string]string{}
	for _, c := range m.told.take() {
		state = maps.Clone(state)
		for _, pair := range c.changes {
			if key, value, ok := strings.Cut(pair, "="); ok {
				state[key] = value
			} else {
				delete(state, key)
			}
		}
		states[c.version] = state
	}
	return states
}

// order finds an order in which the transactions of one version see what they
// saw and lead to the state told, if any, and returns the state.
func order(group []*txRecord, state, told map[string]string) (map[string]string, error) {
	if len(group) == 0 {
		if told != nil && !maps.Equal(state, told) {
			return nil, fmt.Errorf("leads to %q, hooks were told %q", pairsOf(state), pairsOf(told))
		}
		return state, nil
	}
	var failed error
	for i, r := range group {
		next, err := r.replay(state)
		if err == nil {
			next, err = order(slices.Delete(slices.Clone(group), i, i+1), next, told)
		}
		if err == nil {
			return next, nil
		}
		failed = err
	}
	return nil, failed
}

// replay runs the transaction on a copy of state.
func (r *txRecord) replay(state map[string]string) (map[string]string, error) {
	own := replica{state: maps.Clone(state)}
	for i, step := range r.steps {
		if got := own.perform(step); got != step.result {
			return nil, fmt.Errorf("transaction %s (snapshot %d, version %d), step %d: %s %s %s down %v limit %d gave %q; run one by one, %q",
				r.name, r.snapshot, r.version, i, step.call, step.key, step.hi, step.down, step.limit, step.result, got)
		}
	}
	return own.state, nil
}

// replica performs steps on a map.
type replica struct {
	state   map[string]string
	written []string
}

func (p *replica) perform(s step) string {
	switch s.call {
	case "get":
		if value, ok := p.state[s.key]; ok {
			return value
		}
		return absent
	case "scan":
		pairs := inRange(pairsOf(p.state), s.span())
		text := ""
		for _, pair := range pairs[:min(s.limit, len(pairs))] {
			text += pair + " "
		}
		return text
	case "undo":
		return s.value
	case "set":
		p.state[s.key] = s.value
	case "delete":
		delete(p.state, s.key)
	}
	p.written = append(p.written, s.key)
	return ""
}

package reflectx

import "strings"

// Nearest returns the candidate that word was most likely meant to be: one
// that differs in case alone, or else the first of those that are the fewest
// typing mistakes away, at most two, or one for words of up to three letters.
// It reports whether there is one.
func Nearest(word string, candidates []string) (string, bool) {
	best, least := "", 3
	lower := strings.ToLower(word)
	for _, c := range candidates {
		if strings.EqualFold(c, word) {
			return c, true
		}
		most := 2
		if max(len(c), len(word)) <= 3 {
			most = 1
		}
		if d := distance(lower, strings.ToLower(c)); d <= most && d < least {
			best, least = c, d
		}
	}
	return best, least < 3
}

// distance returns how many letters must be added, dropped, replaced or
// swapped with the next one to make a into b. More than two may be returned
// as any number above two.
func distance(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}

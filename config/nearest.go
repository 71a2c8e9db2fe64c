package config

import "strings"

// nearest returns the known word that a misspelt one most likely stands for, empty
// if none is near.
func nearest(word string, known []string) string {
	if len(word) > 40 { // longer than any key by far; keeps the work bounded
		return ""
	}
	word = strings.ToLower(word)
	best, distance := "", len(word)/3+2
	for _, k := range known {
		if d := editDistance(word, strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance counts the letters inserted, deleted, replaced or swapped with their
// neighbour that lead from a to b.
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// suggest returns the cure in a message about an unknown word: a question if a known
// one is near, the list of all if not.
func suggest(word string, known []string) string {
	if k := nearest(word, known); k != "" {
		return "did you mean " + k + "?"
	}
	return "known: " + strings.Join(known, ", ")
}

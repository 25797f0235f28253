package objectstore

import (
	"fmt"
	"strconv"
	"strings"
)

// Names of objects, behind the prefix. Versions have 20 digits, so that names order
// as they do.
const (
	boundaryName = "boundary"

	logFolder        = "log/"
	checkpointFolder = "checkpoint/"
	writersFolder    = "writers/"
	probeFolder      = "probe/"
)

// digits is how many a version has in a name.
const digits = 20

// nameOf returns the name of a version's object in a folder.
func nameOf(folder string, version uint64) string {
	return fmt.Sprintf("%s%0*d", folder, digits, version)
}

// versionOf returns the version of a name in a folder; ok is false for a name that
// nameOf does not make.
func versionOf(folder, name string) (version uint64, ok bool) {
	text, ok := strings.CutPrefix(name, folder)
	if !ok || len(text) != digits || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	version, err := strconv.ParseUint(text, 10, 64)
	return version, err == nil
}

// numbered is an object with its version.
type numbered struct {
	object
	version uint64
}

// numbers returns the objects of a folder that have a version in their name. What
// others have put there is none of ours.
func numbers(folder string, list []object) []numbered {
	found := make([]numbered, 0, len(list))
	for _, o := range list {
		if v, ok := versionOf(folder, o.name); ok {
			found = append(found, numbered{o, v})
		}
	}
	return found
}

package schema

import "errors"

// Bind returns the tables of a catalog, those of the models with their Go side.
func Bind(c *Catalog, models []*Model) (*Set, error) { return nil, errors.ErrUnsupported }

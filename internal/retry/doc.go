// Package retry runs transactions again that conflict with others when they
// commit, with pauses that grow, and at last alone. It knows neither records
// nor stores but for the store's ErrConflict.
package retry

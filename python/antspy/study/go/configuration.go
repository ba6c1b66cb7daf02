package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/panjf2000/ants/v2"
)

// host is where the server is, as in configuration.py.
const host = "127.0.0.1"

// configuration is one row of the table, as configuration.py sends it.
type configuration struct {
	Name     string  `json:"name"`
	Capacity any     `json:"capacity"` // "none", "default" or a number
	Variant  string  `json:"variant"`
	Jobs     int     `json:"jobs"`
	Port     int     `json:"port"`
	Delay    float64 `json:"delay"`
}

func parse(arguments []string) (configuration, error) {
	var chosen configuration
	if len(arguments) != 2 {
		return chosen, errors.New("usage: study CONFIGURATION, which is a JSON object")
	}
	if err := json.Unmarshal([]byte(arguments[1]), &chosen); err != nil {
		return chosen, fmt.Errorf("the configuration: %w", err)
	}
	if _, number := chosen.Capacity.(float64); !number && !chosen.noPool() && !chosen.defaultPool() {
		return chosen, fmt.Errorf("the capacity: %v", chosen.Capacity)
	}
	if _, known := variants[chosen.Variant]; !known {
		return chosen, fmt.Errorf("the variant: %q", chosen.Variant)
	}
	return chosen, nil
}

func (c configuration) noPool() bool { return c.Capacity == "none" }

func (c configuration) defaultPool() bool { return c.Capacity == "default" }

// size of the pool, or of the workers made by hand.
func (c configuration) size() int {
	if size, bounded := c.Capacity.(float64); bounded {
		return int(size)
	}
	return ants.DefaultAntsPoolSize
}

// mostAtOnce is how many jobs may run at once.
func (c configuration) mostAtOnce() int {
	most := c.size()
	if c.Variant == "tune" {
		most *= 2
	}
	return min(most, c.Jobs)
}

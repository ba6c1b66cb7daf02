// ants measures the works of this suite with ants, the Go pool, and prints one line of JSON:
// the seconds, or bytes, that each repetition took.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// work is one case, as the suite describes it.
type work struct {
	name       string
	tasks      int
	capacity   int
	submitters int
	url        string
}

// works do their work once, and return what it took.
var works = map[string]func(work) float64{
	"go_wait":         goWait,
	"growth_tasks":    goWait,
	"growth_capacity": goWait,
	"results":         results,
	"round_trip":      roundTrip,
	"calls":           calls,
	"submitters":      submitters,
	"sleeps":          sleeps,
	"start":           start,
	"jobs":            jobs,
	"parked":          parked,
}

type measured struct {
	Values []float64 `json:"values"`
	Ants   string    `json:"ants_version"`
	Go     string    `json:"go_version"`
}

func main() {
	var w work
	flag.StringVar(&w.name, "work", "", "which work")
	flag.IntVar(&w.tasks, "tasks", 0, "how many tasks")
	flag.IntVar(&w.capacity, "capacity", 0, "of the pool")
	flag.IntVar(&w.submitters, "submitters", 1, "goroutines that hand in tasks")
	flag.StringVar(&w.url, "url", "", "what a job asks for, before its number")
	warmups := flag.Int("warmups", 0, "repetitions that are not told")
	values := flag.Int("values", 1, "repetitions that are")
	flag.Parse()
	measure, known := works[w.name]
	if !known {
		fail(fmt.Errorf("no work is called %q", w.name))
	}
	out := measured{Ants: antsVersion(), Go: runtime.Version()}
	for i := 0; i < *warmups; i++ {
		measure(w)
	}
	for i := 0; i < *values; i++ {
		out.Values = append(out.Values, measure(w))
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

// antsVersion is that of the module which this program was built with.
func antsVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/panjf2000/ants/v2" {
				return module.Version
			}
		}
	}
	return "unknown"
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

package main

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/panjf2000/ants/v2"
)

// start takes the time from an empty pool until all its workers run a task.
func start(w work) float64 {
	begin := time.Now()
	pool := newPool(w)
	crowd := enter(w, pool)
	elapsed := seconds(begin)
	crowd.leave()
	pool.Release()
	return elapsed
}

// parked weighs workers that have run a task, and have nothing to do.
func parked(w work) float64 {
	before := resident()
	pool := newPool(w)
	enter(w, pool).leave()
	held := resident() - before
	pool.Release()
	return float64(held)
}

// crowd is as many tasks as there are places, all inside at once.
type crowd struct {
	gate chan struct{}
	gone sync.WaitGroup
}

func enter(w work, pool *ants.Pool) *crowd {
	c := &crowd{gate: make(chan struct{})}
	var inside sync.WaitGroup
	inside.Add(w.tasks)
	c.gone.Add(w.tasks)
	for i := 0; i < w.tasks; i++ {
		check(pool.Submit(func() {
			inside.Done()
			<-c.gate
			c.gone.Done()
		}))
	}
	inside.Wait()
	return c
}

func (c *crowd) leave() {
	close(c.gate)
	c.gone.Wait()
}

// resident is the memory of this process, in bytes (Linux).
func resident() int {
	statm, err := os.ReadFile("/proc/self/statm")
	check(err)
	pages, err := strconv.Atoi(string(bytes.Fields(statm)[1]))
	check(err)
	return pages * os.Getpagesize()
}

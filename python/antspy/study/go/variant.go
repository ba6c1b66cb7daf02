package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/panjf2000/ants/v2"
)

// pool is what both kinds of pool of ants have.
type pool interface {
	Cap() int
	Running() int
	Free() int
	Waiting() int
	Tune(size int)
	ReleaseTimeout(timeout time.Duration) error
	Reboot()
}

// variants hand out jobs through a pool that takes any function; "func" has a pool of its own kind.
// They are those of variant.py.
var variants = map[string]func(*ants.Pool, *work){
	"submit":   anyFunction,
	"func":     nil,
	"two":      twoSubmits,
	"prealloc": anyFunction,
	"tune":     tuneDownAndUp,
	"reboot":   releaseAndReboot,
	"channels": anyFunction, // the default pool, beside what is made by hand
}

// handOut submits all jobs; an error is that there is no pool.
func (m *measurement) handOut() error {
	chosen, work := m.chosen, m.work
	switch {
	case chosen.noPool():
		work.submit(0, work.jobs, func(number int) error {
			go work.job(number)
			return nil
		})
	case chosen.Variant == "func":
		made, err := ants.NewPoolWithFunc(chosen.size(), func(number any) { work.job(number.(int)) })
		if err != nil {
			return err
		}
		m.keep(made)
		work.submit(0, work.jobs, func(number int) error { return made.Invoke(number) })
	case chosen.Variant == "channels" && !chosen.defaultPool():
		byHand(work, chosen.size())
	default:
		// Of this size and without options: as ants makes its default pool.
		preAlloc := chosen.Variant == "prealloc" && !chosen.defaultPool()
		made, err := ants.NewPool(chosen.size(), ants.WithPreAlloc(preAlloc))
		if err != nil {
			return err
		}
		m.keep(made)
		variants[chosen.Variant](made, work)
	}
	return nil
}

func (m *measurement) keep(made pool) { m.pool.Store(&made) }

// goes hands one job to the pool.
func goes(pool *ants.Pool, work *work) func(int) error {
	return func(number int) error {
		return pool.Submit(func() { work.job(number) })
	}
}

func anyFunction(pool *ants.Pool, work *work) {
	work.submit(0, work.jobs, goes(pool, work))
}

func twoSubmits(pool *ants.Pool, work *work) {
	hand := goes(pool, work)
	for turn := 0; turn < work.jobs; turn += 2 {
		work.submit(turn, turn+1, hand)
		work.submit(turn+1, min(turn+2, work.jobs), hand) // none in the last turn of an odd number of jobs
	}
}

// tuneDownAndUp tunes to half the capacity after a quarter of the jobs, to its double at the half, and back
// at three quarters.
func tuneDownAndUp(pool *ants.Pool, work *work) {
	capacity := pool.Cap()
	steps := []int{max(1, capacity/2), min(2*capacity, ants.DefaultAntsPoolSize), capacity}
	quarter := func(count int) int { return work.jobs * count / 4 }
	hand := goes(pool, work)
	work.submit(0, quarter(1), hand)
	for count, step := range steps {
		var tuner sync.WaitGroup
		tuner.Add(1)
		go func() { // from any goroutine
			defer tuner.Done()
			pool.Tune(step)
		}()
		work.submit(quarter(count+1), quarter(count+2), hand)
		tuner.Wait()
	}
}

// releaseAndReboot releases after half the jobs, waits for them, reboots, and does the other half.
func releaseAndReboot(pool *ants.Pool, work *work) {
	half := work.jobs / 2
	work.submit(0, half, goes(pool, work))
	if err := pool.ReleaseTimeout(releaseTimeout); err != nil {
		work.note(fmt.Sprintf("release failed: %v", err))
	}
	pool.Reboot()
	work.submit(half, work.jobs, goes(pool, work))
}

// byHand is a channel of jobs, one of results and a few goroutines.
func byHand(work *work, workers int) {
	jobs, results := make(chan int, work.jobs), make(chan int, work.jobs)
	for range workers {
		go func() {
			for number := range jobs {
				work.job(number)
				results <- number
			}
		}()
	}
	work.submit(0, work.jobs, func(number int) error {
		jobs <- number
		return nil
	})
	close(jobs)
	for range work.jobs {
		<-results
	}
}

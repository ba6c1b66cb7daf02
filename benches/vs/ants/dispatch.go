package main

import (
	"sync"
	"time"

	"github.com/panjf2000/ants/v2"
)

func newPool(w work) *ants.Pool {
	pool, err := ants.NewPool(w.capacity)
	check(err)
	return pool
}

func seconds(start time.Time) float64 {
	return time.Since(start).Seconds()
}

// run hands in a job many times, and waits until all are done.
func run(w work, job func()) float64 {
	begin := time.Now()
	pool := newPool(w)
	var done sync.WaitGroup
	task := func() {
		job()
		done.Done()
	}
	for i := 0; i < w.tasks; i++ {
		done.Add(1)
		check(pool.Submit(task))
	}
	done.Wait()
	pool.Release()
	return seconds(begin)
}

func goWait(w work) float64 {
	return run(w, func() {})
}

func sleeps(w work) float64 {
	return run(w, func() { time.Sleep(100 * time.Millisecond) })
}

// results: ants has no futures, so each task writes to a place of its own.
func results(w work) float64 {
	begin := time.Now()
	pool := newPool(w)
	var done sync.WaitGroup
	values := make([]any, w.tasks)
	for i := range values {
		value := &values[i]
		done.Add(1)
		check(pool.Submit(func() {
			*value = nil
			done.Done()
		}))
	}
	done.Wait()
	for _, value := range values {
		_ = value
	}
	pool.Release()
	return seconds(begin)
}

func roundTrip(w work) float64 {
	begin := time.Now()
	pool := newPool(w)
	result := make(chan any, 1)
	task := func() { result <- nil }
	for i := 0; i < w.tasks; i++ {
		check(pool.Submit(task))
		<-result
	}
	pool.Release()
	return seconds(begin)
}

func calls(w work) float64 {
	begin := time.Now()
	var done sync.WaitGroup
	pool, err := ants.NewPoolWithFunc(w.capacity, func(any) { done.Done() })
	check(err)
	for i := 0; i < w.tasks; i++ {
		done.Add(1)
		check(pool.Invoke(i))
	}
	done.Wait()
	pool.Release()
	return seconds(begin)
}

func submitters(w work) float64 {
	pool := newPool(w)
	var ready, submitted, done sync.WaitGroup
	ready.Add(1)
	task := func() { done.Done() }
	for s := 0; s < w.submitters; s++ {
		submitted.Add(1)
		go func() {
			defer submitted.Done()
			ready.Wait()
			for i := 0; i < w.tasks/w.submitters; i++ {
				done.Add(1)
				check(pool.Submit(task))
			}
		}()
	}
	begin := time.Now()
	ready.Done()
	submitted.Wait()
	done.Wait()
	pool.Release()
	return seconds(begin)
}

package main

func (r *report) document(path string) error { return nil }

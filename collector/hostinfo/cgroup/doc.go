// Package cgroup names control groups and reads their counters, without eBPF. The kernel half
// tells for each task the id of its group; a Resolver turns the id into a Group, whose name is
// that of a systemd unit, a container or a pod where the path tells it:
//
//	r, err := cgroup.NewResolver(cgroup.Options{})
//	defer r.Close()
//	g := r.Group(id)       // {Path: "/system.slice/nginx.service", Name: "nginx.service", ...}
//	c := r.Counters(id)    // CPU time, throttling and pressure, as far as the kernel counts them
//	o := r.Owner(id)       // the unit's or container's own group, if this is a part of it
//	q, ok := r.Quota(id)   // the nearest quota, the group's own or a parent's
//
//	p, err := cgroup.ParsePattern("kubepods*")
//	groups, err := r.Match(p)
//
// An id means a group only within one hierarchy. Resolver.Hierarchy says which one is used: that
// of the version 1 CPU controller where it is mounted, else that of version 2. In the kernel, the
// id is task->cgroups->subsys[cpu_cgrp_id]->cgroup->kn->id for the former. For the latter it is
// task->cgroups->dfl_cgrp->kn->id: subsys would lead to the nearest group with a CPU controller.
//
// All names and paths are chosen by others, and can be made to deceive: they are valid UTF-8 of
// bounded length, but a renderer must escape control characters as in names of tasks.
package cgroup

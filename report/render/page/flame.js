"use strict";

// The columns of a node. A node comes before its children, and these before its next sibling.
const PARENT = 0, LABEL = 1, LINE = 2, NS = 3, TIMES = 4, LONGEST = 5;

// leastShown is the share of the width below which frames are not drawn: there are zooms for them.
const leastShown = 1 / 2000;

// flames draws the flame graphs of stacks.
function flames(data) {
	const box = document.getElementById("flames");
	if (!box || !data.flames) return;
	box.hidden = false;
	new Flames(data.flames, box);
}

// placed adds to a graph, for each node, the nanoseconds to the left of it, its depth, and the index of
// the next node that is not below it. Stacks can be deep, so it does not recurse.
function placed(graph) {
	const { name, nodes } = graph;
	const start = [], depth = [], end = [], filled = [];
	nodes.forEach((n, i) => {
		const parent = n[PARENT];
		start[i] = filled[i] = parent < 0 ? 0 : filled[parent];
		depth[i] = parent < 0 ? 0 : depth[parent] + 1;
		end[i] = i + 1;
		if (parent >= 0) filled[parent] += n[NS];
	});
	for (let i = nodes.length - 1; i > 0; i--) end[nodes[i][PARENT]] = Math.max(end[nodes[i][PARENT]], end[i]);
	return { name, nodes, start, depth, end };
}

// Flames is the chosen flame graph, and what is seen of it.
class Flames {
	constructor(data, box) {
		Object.assign(this, { labels: data.labels, estimated: data.estimated });
		const part = (id) => document.getElementById(id);
		Object.assign(this, {
			tree: part("frames"), search: part("flame-search"), found: part("flame-found"), note: part("flame-read"),
		});
		this.graphs = data.graphs.map(placed);
		this.names = data.labels.map((l) => l.name.toLowerCase());
		const radios = [...box.querySelectorAll("input[name=flame]")];
		const open = () => this.open(this.graphs[radios.findIndex((r) => r.checked)]);
		radios.forEach((r) => r.addEventListener("change", open));
		part("flame-whole").addEventListener("click", () => this.zoom(0));
		this.search.addEventListener("input", () => this.mark());
		this.search.addEventListener("keydown", (e) => this.searchKey(e));
		this.tree.addEventListener("keydown", (e) => this.treeKey(e));
		this.listenToPointer();
		open();
	}

	// open shows a graph.
	open(graph) {
		this.graph = graph;
		this.tree.setAttribute("aria-label", "Flame graph of time " + graph.name);
		this.current = 0;
		this.zoom(0);
	}

	label(i) { return this.labels[this.graph.nodes[i][LABEL]]; }
	share(i) { return percentage((100 * this.graph.nodes[i][NS]) / this.graph.nodes[0][NS]); }
	time(i) { return duration(this.graph.nodes[i][NS]); }

	describe(i) {
		const n = this.graph.nodes[i], label = this.label(i);
		const where = label.file ? " (" + label.file + (n[LINE] ? ":" + n[LINE] : "") + ")" : "";
		const parts = [label.name + where];
		if (label.kind === "task") parts.push("task");
		const said = label.module === label.kind || label.name.endsWith(" in " + label.module);
		if (label.module && !said) parts.push(label.module);
		if (label.kind === "kernel" || label.kind === "inlined") parts.push(label.kind);
		const estimated = this.estimated ? " (estimated)" : "";
		return parts.join(", ") + ": " + this.time(i) + " " + this.graph.name + ", " + this.share(i) + " of all; " +
			grouped(n[TIMES]) + (n[TIMES] === 1 ? " return" : " returns") + estimated +
			", longest absence " + duration(n[LONGEST]) + ".";
	}

	// zoom gives a node the whole width. Those above it stay.
	zoom(i) {
		this.zoomed = i;
		const focused = this.tree.contains(document.activeElement);
		this.draw();
		if (!this.drawn.has(this.current)) this.current = i;
		this.choose(this.current, focused);
		this.mark();
	}

	draw() {
		const { nodes, start, depth, end } = this.graph;
		this.drawn = new Map(); // elements by node
		const above = new Set();
		for (let i = nodes[this.zoomed][PARENT]; i >= 0; i = nodes[i][PARENT]) above.add(i);
		const left = start[this.zoomed], span = nodes[this.zoomed][NS];
		let deepest = 0;
		for (let i = 0; i < end[this.zoomed]; i++) {
			const within = i >= this.zoomed;
			if (within ? nodes[i][NS] < span * leastShown : !above.has(i)) continue;
			const from = within ? (start[i] - left) / span : 0;
			const element = this.frame(i, from, within ? nodes[i][NS] / span : 1);
			element.classList.toggle("above", !within);
			this.drawn.set(i, element);
			deepest = Math.max(deepest, depth[i]);
		}
		this.tree.style.height = "calc(" + (deepest + 1) + " * var(--row))";
		this.tree.replaceChildren(...this.drawn.values());
	}

	// frame makes the element of a node, that begins at and has so much of the width.
	frame(i, from, share) {
		const element = document.createElement("div");
		const label = this.label(i);
		element.className = "frame " + label.kind;
		element.textContent = label.name;
		element.dataset.node = i;
		element.tabIndex = -1;
		element.setAttribute("role", "treeitem");
		element.setAttribute("aria-level", this.graph.depth[i] + 1);
		element.setAttribute("aria-label", label.name + ", " + this.time(i) + ", " + this.share(i));
		element.style.left = 100 * from + "%";
		element.style.width = 100 * share + "%";
		element.style.top = "calc(" + this.graph.depth[i] + " * var(--row))";
		return element;
	}

	// choose makes a node the one that keys start from, and describes it.
	choose(i, focus) {
		const before = this.drawn.get(this.current);
		if (before) before.tabIndex = -1;
		this.current = i;
		const element = this.drawn.get(i);
		element.tabIndex = 0;
		element.setAttribute("aria-describedby", "flame-read");
		this.note.textContent = this.describe(i);
		if (focus) element.focus();
	}

	matches(i, text) {
		const { kind } = this.label(i);
		return kind !== "all" && kind !== "rest" && this.names[this.graph.nodes[i][LABEL]].includes(text);
	}

	// mark marks the frames whose name contains the search, and says what share of what is seen they have: a
	// frame within another that matches is not counted twice.
	mark() {
		const text = this.search.value.toLowerCase();
		const { nodes, end } = this.graph;
		for (const [i, element] of this.drawn) element.classList.toggle("match", text !== "" && this.matches(i, text));
		if (text === "") {
			this.found.textContent = "";
			return;
		}
		let ns = 0;
		for (let i = this.zoomed; i < end[this.zoomed];) {
			const match = this.matches(i, text);
			if (match) ns += nodes[i][NS];
			i = match ? end[i] : i + 1;
		}
		const seen = nodes[this.zoomed][NS];
		this.found.textContent = ns === 0 ? "No frame matches." :
			percentage((100 * ns) / seen) + " of " + duration(seen) + " matches: " + duration(ns);
	}

	// below returns the nodes under one that are drawn.
	below(i) { return [...this.drawn.keys()].filter((k) => this.graph.nodes[k][PARENT] === i); }

	// beside returns the node before (-1) or after (1) one that has the same parent, or the node itself.
	beside(i, step) {
		const all = this.below(this.graph.nodes[i][PARENT]);
		return all[Math.min(Math.max(all.indexOf(i) + step, 0), all.length - 1)];
	}

	treeKey(e) {
		const i = this.current;
		const keys = {
			ArrowDown: () => this.choose(this.below(i)[0] ?? i, true),
			ArrowUp: () => this.choose(Math.max(this.graph.nodes[i][PARENT], 0), true),
			ArrowRight: () => this.choose(this.beside(i, 1), true),
			ArrowLeft: () => this.choose(this.beside(i, -1), true),
			Home: () => this.choose(0, true),
			Enter: () => this.zoom(i), " ": () => this.zoom(i), Escape: () => this.zoom(0),
			"/": () => this.search.select(),
		};
		if (keys[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) {
			e.preventDefault();
			keys[e.key]();
		}
	}

	// searchKey goes from the search to the first frame that matches, or back to the graph.
	searchKey(e) {
		if (e.key === "Escape") {
			e.preventDefault();
			this.search.value = "";
			this.mark();
			this.choose(this.current, true);
		} else if (e.key === "Enter") {
			const first = [...this.drawn].find(([, element]) => element.classList.contains("match"));
			if (first) this.choose(first[0], true);
		}
	}

	listenToPointer() {
		const node = (e) => {
			const element = e.target.closest("[data-node]");
			return element ? Number(element.dataset.node) : -1;
		};
		this.tree.addEventListener("pointerover", (e) => {
			if (node(e) >= 0) this.note.textContent = this.describe(node(e));
		});
		this.tree.addEventListener("pointerleave", () => { this.note.textContent = this.describe(this.current); });
		this.tree.addEventListener("click", (e) => {
			if (node(e) < 0) return;
			this.choose(node(e), true);
			this.zoom(this.current);
		});
	}
}

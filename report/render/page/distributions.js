"use strict";

// The lines of the modes differ in more than their colour.
const modeLines = {
	processes: { colour: "processes", dash: [] },
	threads: { colour: "threads", dash: [6, 3] },
	command: { colour: "third", dash: [] },
};

function modeLine(mode) {
	return modeLines[mode] || modeLines.command;
}

// columns converts the modes of a kind of time to uPlot's data: bin edges in ns, then a column for
// each mode. There is an empty bin at the start, from which the curves rise.
function columns(kind, binsPerOctave, cumulative) {
	const first = Math.min(...kind.modes.map((m) => m.first));
	const end = Math.max(...kind.modes.map((m) => m.first + m.percent.length));
	const edges = [];
	for (let bin = first - 1; bin <= end; bin++) edges.push(2 ** (bin / binsPerOctave));
	const data = [edges];
	for (const m of kind.modes) {
		let below = 0;
		data.push(edges.map((_, i) => {
			const share = m.percent[first - 1 + i - m.first] || 0;
			const before = below;
			below += share;
			return cumulative ? Math.min(before, 100) : share;
		}));
	}
	return data;
}

// extent is the part of the axis in which a bin of some mode holds more than rare percent, but at
// least a factor of 4.
function extent(kind, binsPerOctave) {
	const rare = 0.02;
	let low = Infinity, high = -Infinity;
	for (const m of kind.modes) {
		m.percent.forEach((share, i) => {
			if (share <= rare) return;
			low = Math.min(low, m.first + i);
			high = Math.max(high, m.first + i);
		});
	}
	const room = Math.max(1, (2 * binsPerOctave - (high - low + 1)) / 2);
	return [2 ** ((low - room) / binsPerOctave), 2 ** ((high + 1 + room) / binsPerOctave)];
}

// roundTimes returns round numbers from low to high whose labels do not overlap on an axis that is
// so many pixels long.
function roundTimes(low, high, pixels) {
	const room = 58;
	const apart = (a, b) => (Math.log(b / a) / Math.log(high / low)) * pixels;
	let out = [];
	for (const digits of [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9], [1, 1.5, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
		out = [];
		for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) {
			out.push(...digits.map((d) => d * 10 ** e).filter((v) => v >= low && v <= high));
		}
		if (out.every((v, i) => i === 0 || apart(out[i - 1], v) >= room)) return out;
	}
	const every = Math.ceil(room / apart(1, 10)); // decades
	return out.filter((_, i) => i % every === 0);
}

// drawCurve draws one kind of time of a workload into a box.
function drawCurve(box, kind, binsPerOctave, cumulative) {
	const figure = document.createElement("figure");
	figure.className = "curve";
	const caption = document.createElement("figcaption");
	const title = document.createElement("strong");
	title.textContent = kind.name;
	const read = document.createElement("span");
	read.className = "read";
	caption.append(title, read);
	figure.append(caption);
	box.append(figure);
	if (kind.modes.length === 0) {
		const none = document.createElement("p");
		none.className = "none";
		none.textContent = "Not measured.";
		figure.append(none);
		return null;
	}
	const data = columns(kind, binsPerOctave, cumulative);
	const edges = data[0];
	const axis = {
		stroke: themeColour("soft"), grid: { stroke: themeColour("grid"), width: 1 },
		ticks: { show: false }, font: "12px system-ui, sans-serif",
	};
	const whole = extent(kind, binsPerOctave);
	const plot = new uPlot({
		width: Math.max(240, figure.clientWidth),
		height: 190,
		legend: { show: false },
		scales: {
			x: {
				time: false, distr: 3,
				range: (_, low, high) => (low === edges[0] && high === edges[edges.length - 1] ? whole : [low, high]),
			},
			y: { range: (_, low, high) => [0, cumulative ? 100 : Math.max(high * 1.08, 1)] },
		},
		axes: [
			{
				...axis, size: 30,
				splits: (u, _, low, high) => roundTimes(low, high, u.width - 70),
				filter: (_, splits) => splits,
				values: (_, splits) => splits.map((v) => tidy(duration(v))),
			},
			{ ...axis, size: 52, values: (_, splits) => splits.map((v) => v + " %") },
		],
		series: [{}].concat(kind.modes.map((m) => {
			const line = modeLine(m.mode);
			return {
				label: m.mode, stroke: themeColour(line.colour), dash: line.dash, width: 1.75, points: { show: false },
				fill: cumulative ? undefined : themeColour(line.colour) + "22",
				paths: cumulative ? undefined : uPlot.paths.stepped({ align: 1 }),
			};
		})),
		cursor: { y: false, points: { show: false } },
		hooks: {
			setCursor: [(u) => {
				const i = u.cursor.idx;
				if (i === null || i === undefined || u.cursor.left < 0) {
					read.textContent = "";
					return;
				}
				const next = edges[Math.min(i + 1, edges.length - 1)];
				const where = cumulative ? "up to " + duration(edges[i]) : duration(edges[i]) + " to " + duration(next);
				const shares = kind.modes.map((m, k) => m.mode + " " + data[k + 1][i].toFixed(1) + " %");
				read.textContent = where + ": " + shares.join(", ");
			}],
		},
	}, data, figure);
	return { plot, figure };
}

// key shows which line is that of which mode.
function key(modes) {
	const list = document.createElement("ul");
	list.className = "key";
	const ns = "http://www.w3.org/2000/svg";
	for (const mode of modes) {
		const item = document.createElement("li");
		const svg = document.createElementNS(ns, "svg");
		svg.setAttribute("width", "28");
		svg.setAttribute("height", "8");
		svg.setAttribute("aria-hidden", "true");
		const line = document.createElementNS(ns, "line");
		const colour = themeColour(modeLine(mode).colour), dash = modeLine(mode).dash.join(" ");
		const attributes = { x2: 28, y1: 4, y2: 4, stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash };
		for (const [name, value] of Object.entries(attributes)) {
			line.setAttribute(name, value);
		}
		svg.append(line);
		item.append(svg, mode);
		list.append(item);
	}
	return list;
}

// distributions shows the chosen workload. It returns a function that redraws.
function distributions(data) {
	const box = document.getElementById("curves");
	const select = document.getElementById("load");
	if (!box || !select) return () => {};
	let drawn = [];
	const draw = () => {
		drawn.forEach((d) => d.plot.destroy());
		box.replaceChildren();
		const load = data.loads[select.selectedIndex];
		document.querySelectorAll("[data-load]").forEach((e, i) => { e.hidden = i !== select.selectedIndex; });
		if (!load) return;
		const cumulative = document.querySelector("input[name=curve]:checked").value === "sum";
		box.append(key([...new Set(load.kinds.flatMap((k) => k.modes.map((m) => m.mode)))]));
		drawn = load.kinds.map((k) => drawCurve(box, k, data.binsPerOctave, cumulative)).filter((d) => d);
	};
	select.addEventListener("change", draw);
	document.querySelectorAll("input[name=curve]").forEach((e) => e.addEventListener("change", draw));
	new ResizeObserver(() => drawn.forEach((d) => {
		const width = Math.max(240, d.figure.clientWidth);
		if (width !== d.plot.width) d.plot.setSize({ width, height: 190 });
	})).observe(box);
	draw();
	return draw;
}

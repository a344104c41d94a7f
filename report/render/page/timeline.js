"use strict";

// The colours of Okabe and Ito, which people with any kind of colour vision can tell apart, each
// with a readable text colour. A worker's number is also written on its slices.
const workerColours = [
	["#0072b2", "#fff"], ["#e69f00", "#000"], ["#009e73", "#000"], ["#d55e00", "#000"],
	["#56b4e9", "#000"], ["#cc79a7", "#000"], ["#f0e442", "#000"], ["#8a6bbf", "#fff"],
];

const laneHeight = 34;
const laneGap = 10;
const axisHeight = 26;
const labelWidth = 56;

// The columns of a slice.
const START = 0, LENGTH = 1, TASK = 2, CAUSE = 3, PICK = 4, SWITCH = 5;

// timeline draws windows of slices. It returns a function that redraws.
function timeline(data) {
	const canvas = document.getElementById("lanes");
	const select = document.getElementById("window");
	const note = document.getElementById("slice");
	if (!canvas || !select) return () => {};
	let shown = data.windows[0]; // the window, and what is seen of it
	let from = 0, to = 1;
	let chosen = null; // [lane, index]

	const width = () => canvas.clientWidth - labelWidth;
	const x = (ns) => labelWidth + ((ns - from) / (to - from)) * width();
	const at = (px) => from + ((px - labelWidth) / width()) * (to - from);

	function describe([lane, i]) {
		const s = shown.slices[lane][i];
		const worker = shown.workers[s[TASK]];
		const phases = [];
		if (s[PICK] >= 0) phases.push("pick " + duration(s[PICK]));
		if (s[SWITCH] >= 0) phases.push("switch " + duration(s[SWITCH]));
		const when = s[START] < 0 ? "from before the window" : "from " + duration(s[START]);
		const who = (worker >= 0 ? shown.role + " " + worker + ", " : "") + shown.tasks[s[TASK]];
		return "Core " + shown.cpus[lane] + ": " + who + ", " + when + ", for " + duration(s[LENGTH]) +
			"; ended by: " + (shown.causes[s[CAUSE]] || "other") +
			(phases.length ? "; then " + phases.join(", ") : "") + ".";
	}

	function step() { // a round time between grid lines at least 90 pixels apart
		const least = ((to - from) / width()) * 90;
		const decade = 10 ** Math.floor(Math.log10(least));
		return [1, 2, 5, 10].map((d) => d * decade).find((d) => d >= least);
	}

	function draw() {
		const scale = window.devicePixelRatio || 1;
		const lanes = shown.cpus.length;
		const height = axisHeight + lanes * (laneHeight + laneGap);
		canvas.style.height = height + "px";
		canvas.width = canvas.clientWidth * scale;
		canvas.height = height * scale;
		const c = canvas.getContext("2d");
		c.scale(scale, scale);
		c.font = "12px system-ui, sans-serif";
		c.textBaseline = "middle";
		c.fillStyle = themeColour("soft");
		c.strokeStyle = themeColour("grid");
		const by = step();
		for (let t = Math.ceil(from / by) * by; t <= to; t += by) {
			c.beginPath();
			c.moveTo(x(t), axisHeight);
			c.lineTo(x(t), height);
			c.stroke();
			c.textAlign = x(t) > canvas.clientWidth - 30 ? "right" : "center";
			c.fillText(tidy(duration(Math.max(t, 0))), x(t), axisHeight / 2);
		}
		shown.slices.forEach((lane, n) => drawLane(c, lane || [], n));
	}

	function drawLane(c, lane, n) {
		const top = axisHeight + n * (laneHeight + laneGap);
		c.fillStyle = themeColour("soft");
		c.textAlign = "left";
		c.fillText("core " + shown.cpus[n], 6, top + laneHeight / 2);
		c.fillStyle = themeColour("wash");
		c.fillRect(labelWidth, top, width(), laneHeight);
		c.save();
		c.beginPath();
		c.rect(labelWidth, 0, width(), top + laneHeight + laneGap);
		c.clip();
		c.textAlign = "center";
		lane.forEach((s, i) => {
			if (s[START] + s[LENGTH] < from || s[START] > to) return;
			const left = Math.max(x(s[START]), labelWidth - 2);
			const wide = Math.max(0.75, Math.min(x(s[START] + s[LENGTH]), canvas.clientWidth + 2) - left);
			const worker = shown.workers[s[TASK]];
			const ofOthers = [themeColour("soft"), themeColour("paper")];
			const [paint, letters] = worker >= 0 ? workerColours[worker % workerColours.length] : ofOthers;
			c.fillStyle = paint;
			// Slices of other tasks are lower, not only grey.
			const inset = worker >= 0 ? 0 : 8;
			c.fillRect(left, top + inset, wide, laneHeight - 2 * inset);
			if (wide > 16) {
				// A worker is identified by its number, any other task by its name.
				const number = worker >= 0 ? String(worker) : "";
				const name = shown.role === "worker" && number ? number : shown.tasks[s[TASK]];
				const text = [name, number].find((t) => c.measureText(t).width < wide - 6);
				if (text) {
					c.fillStyle = letters;
					c.fillText(text, left + wide / 2, top + laneHeight / 2);
				}
			}
			if (chosen && chosen[0] === n && chosen[1] === i) {
				c.strokeStyle = themeColour("ink");
				c.lineWidth = 2;
				c.strokeRect(left, top - 2, Math.max(wide, 3), laneHeight + 4);
				c.lineWidth = 1;
			}
		});
		c.restore();
	}

	function show(newFrom, newTo) {
		const least = 200; // ns; hardly any slice is shorter
		let span = Math.min(Math.max(newTo - newFrom, least), shown.length);
		from = Math.min(Math.max(newFrom, 0), shown.length - span);
		to = from + span;
		const range = "from " + duration(from) + " to " + duration(to);
		canvas.setAttribute("aria-label", "Timeline of slices on each core, " + range);
		draw();
	}

	function zoom(factor, px) {
		const centre = px === undefined ? (from + to) / 2 : at(px);
		show(centre - (centre - from) * factor, centre + (to - centre) * factor);
	}

	function choose(lane, i, follow) {
		chosen = [lane, i];
		note.textContent = describe(chosen);
		const s = shown.slices[lane][i];
		if (follow && (s[START] + s[LENGTH] < from || s[START] > to)) {
			const span = to - from;
			show(s[START] - span / 2, s[START] + span / 2);
			return;
		}
		draw();
	}

	function nearest(lane, ns) {
		let best = 0;
		const off = (s) => Math.max(s[START] - ns, ns - s[START] - s[LENGTH], 0);
		(shown.slices[lane] || []).forEach((s, i) => {
			if (off(s) < off(shown.slices[lane][best])) best = i;
		});
		return best;
	}

	function move(sideways, updown) {
		const filled = shown.slices.map((s, i) => [s, i]).filter(([s]) => s && s.length).map(([, i]) => i);
		if (filled.length === 0) return;
		if (!chosen) {
			choose(filled[0], nearest(filled[0], from), true);
			return;
		}
		const [lane, i] = chosen;
		if (updown) {
			const next = filled[Math.min(Math.max(filled.indexOf(lane) + updown, 0), filled.length - 1)];
			const s = shown.slices[lane][i];
			choose(next, next === lane ? i : nearest(next, Math.max(s[START], 0)), true);
			return;
		}
		choose(lane, Math.min(Math.max(i + sideways, 0), shown.slices[lane].length - 1), true);
	}

	canvas.addEventListener("keydown", (e) => {
		const keys = {
			ArrowRight: () => move(1, 0), ArrowLeft: () => move(-1, 0),
			ArrowDown: () => move(0, 1), ArrowUp: () => move(0, -1),
			"+": () => zoom(0.5, chosenAt()), "=": () => zoom(0.5, chosenAt()), "-": () => zoom(2, chosenAt()),
			Home: () => show(0, shown.length),
		};
		if (keys[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) {
			e.preventDefault();
			keys[e.key]();
		}
	});

	function chosenAt() {
		if (!chosen) return undefined;
		const s = shown.slices[chosen[0]][chosen[1]];
		return Math.min(Math.max(x(s[START] + s[LENGTH] / 2), labelWidth), canvas.clientWidth);
	}

	canvas.addEventListener("wheel", (e) => {
		if (e.ctrlKey || e.metaKey) {
			e.preventDefault();
			zoom(e.deltaY > 0 ? 1.25 : 0.8, e.offsetX);
		} else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
			e.preventDefault();
			const by = ((e.deltaX || e.deltaY) / width()) * (to - from);
			show(from + by, to + by);
		}
	}, { passive: false });

	const pointers = new Map();
	canvas.addEventListener("pointerdown", (e) => {
		canvas.setPointerCapture(e.pointerId);
		pointers.set(e.pointerId, e.offsetX);
		canvas.classList.add("dragging");
	});
	const lift = (e) => {
		pointers.delete(e.pointerId);
		canvas.classList.toggle("dragging", pointers.size > 0);
	};
	canvas.addEventListener("pointerup", lift);
	canvas.addEventListener("pointercancel", lift);
	canvas.addEventListener("pointermove", (e) => {
		if (!pointers.has(e.pointerId)) {
			point(e.offsetX, e.offsetY);
			return;
		}
		const before = [...pointers.values()];
		const dx = e.offsetX - pointers.get(e.pointerId);
		pointers.set(e.pointerId, e.offsetX);
		const now = [...pointers.values()];
		if (now.length === 2) {
			const apart = Math.abs(now[0] - now[1]);
			if (apart > 10) zoom(Math.abs(before[0] - before[1]) / apart, (now[0] + now[1]) / 2);
			return;
		}
		const by = (dx / width()) * (to - from);
		show(from - by, to - by);
	});

	function point(px, py) {
		const lane = Math.floor((py - axisHeight) / (laneHeight + laneGap));
		if (px < labelWidth || lane < 0 || !(shown.slices[lane] || []).length) return;
		const i = nearest(lane, at(px));
		const s = shown.slices[lane][i];
		if (x(s[START]) - 3 <= px && px <= x(s[START] + s[LENGTH]) + 3) choose(lane, i, false);
	}

	document.querySelectorAll("[data-zoom]").forEach((b) => b.addEventListener("click", () => {
		if (b.dataset.zoom === "all") show(0, shown.length);
		else zoom(b.dataset.zoom === "in" ? 0.5 : 2, chosenAt());
	}));
	const open = () => {
		shown = data.windows[select.selectedIndex];
		chosen = null;
		note.textContent = "Point at a slice to read it.";
		document.querySelectorAll("[data-window]").forEach((e, i) => { e.hidden = i !== select.selectedIndex; });
		// Slices that are narrower than a few pixels are of no use.
		const count = Math.max(...shown.slices.map((s) => (s || []).length));
		show(0, shown.length * Math.min(1, width() / 7 / count));
	};
	select.addEventListener("change", open);
	new ResizeObserver(draw).observe(canvas);
	open();
	return draw;
}

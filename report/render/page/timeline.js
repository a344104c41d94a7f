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
	const shown = new Timeline(data.windows, canvas, select, note);
	return () => shown.draw();
}

// Timeline is the canvas with the slices of one window, and what is seen of it.
class Timeline {
	constructor(windows, canvas, select, note) {
		Object.assign(this, { windows, canvas, select, note });
		this.listenToKeys();
		this.listenToWheel();
		this.listenToPointers();
		document.querySelectorAll("[data-zoom]").forEach((b) => b.addEventListener("click", () => {
			if (b.dataset.zoom === "all") this.show(0, this.shown.length);
			else this.zoom(b.dataset.zoom === "in" ? 0.5 : 2, this.chosenAt());
		}));
		this.open();
		select.addEventListener("change", () => this.open());
		new ResizeObserver(() => this.draw()).observe(canvas);
	}

	// open shows the selected window.
	open() {
		this.shown = this.windows[this.select.selectedIndex];
		this.chosen = null; // [lane, index]
		this.note.textContent = "Point at a slice to read it.";
		document.querySelectorAll("[data-window]").forEach((e, i) => { e.hidden = i !== this.select.selectedIndex; });
		// Slices that are narrower than a few pixels are of no use.
		const count = Math.max(...this.shown.slices.map((s) => (s || []).length));
		this.show(0, this.shown.length * Math.min(1, this.width() / 7 / count));
	}

	// width is that of a lane in pixels, x the pixel of a time, and at the time at a pixel.
	width() { return this.canvas.clientWidth - labelWidth; }
	x(ns) { return labelWidth + ((ns - this.from) / (this.to - this.from)) * this.width(); }
	at(px) { return this.from + ((px - labelWidth) / this.width()) * (this.to - this.from); }

	describe([lane, i]) {
		const s = this.shown.slices[lane][i];
		const worker = this.shown.workers[s[TASK]];
		const phases = [];
		if (s[PICK] >= 0) phases.push("pick " + duration(s[PICK]));
		if (s[SWITCH] >= 0) phases.push("switch " + duration(s[SWITCH]));
		const when = s[START] < 0 ? "from before the window" : "from " + duration(s[START]);
		const who = (worker >= 0 ? this.shown.role + " " + worker + ", " : "") + this.shown.tasks[s[TASK]];
		return "Core " + this.shown.cpus[lane] + ": " + who + ", " + when + ", for " + duration(s[LENGTH]) +
			"; ended by: " + (this.shown.causes[s[CAUSE]] || "other") +
			(phases.length ? "; then " + phases.join(", ") : "") + ".";
	}

	step() { // a round time between grid lines at least 90 pixels apart
		const least = ((this.to - this.from) / this.width()) * 90;
		const decade = 10 ** Math.floor(Math.log10(least));
		return [1, 2, 5, 10].map((d) => d * decade).find((d) => d >= least);
	}

	draw() {
		const scale = window.devicePixelRatio || 1;
		const lanes = this.shown.cpus.length;
		const height = axisHeight + lanes * (laneHeight + laneGap);
		this.canvas.style.height = height + "px";
		this.canvas.width = this.canvas.clientWidth * scale;
		this.canvas.height = height * scale;
		const c = this.canvas.getContext("2d");
		c.scale(scale, scale);
		c.font = "12px system-ui, sans-serif";
		c.textBaseline = "middle";
		c.fillStyle = themeColour("soft");
		c.strokeStyle = themeColour("grid");
		const by = this.step();
		for (let t = Math.ceil(this.from / by) * by; t <= this.to; t += by) {
			c.beginPath();
			c.moveTo(this.x(t), axisHeight);
			c.lineTo(this.x(t), height);
			c.stroke();
			c.textAlign = this.x(t) > this.canvas.clientWidth - 30 ? "right" : "center";
			c.fillText(tidy(duration(Math.max(t, 0))), this.x(t), axisHeight / 2);
		}
		this.shown.slices.forEach((lane, n) => this.drawLane(c, lane || [], n));
	}

	drawLane(c, lane, n) {
		const top = axisHeight + n * (laneHeight + laneGap);
		c.fillStyle = themeColour("soft");
		c.textAlign = "left";
		c.fillText("core " + this.shown.cpus[n], 6, top + laneHeight / 2);
		c.fillStyle = themeColour("wash");
		c.fillRect(labelWidth, top, this.width(), laneHeight);
		c.save();
		c.beginPath();
		c.rect(labelWidth, 0, this.width(), top + laneHeight + laneGap);
		c.clip();
		c.textAlign = "center";
		lane.forEach((s, i) => {
			if (s[START] + s[LENGTH] < this.from || s[START] > this.to) return;
			const left = Math.max(this.x(s[START]), labelWidth - 2);
			const wide = Math.max(0.75, Math.min(this.x(s[START] + s[LENGTH]), this.canvas.clientWidth + 2) - left);
			const worker = this.shown.workers[s[TASK]];
			const ofOthers = [themeColour("soft"), themeColour("paper")];
			const [paint, letters] = worker >= 0 ? workerColours[worker % workerColours.length] : ofOthers;
			c.fillStyle = paint;
			// Slices of other tasks are lower, not only grey.
			const inset = worker >= 0 ? 0 : 8;
			c.fillRect(left, top + inset, wide, laneHeight - 2 * inset);
			if (wide > 16) {
				// A worker is identified by its number, any other task by its name.
				const number = worker >= 0 ? String(worker) : "";
				const name = this.shown.role === "worker" && number ? number : this.shown.tasks[s[TASK]];
				const text = [name, number].find((t) => c.measureText(t).width < wide - 6);
				if (text) {
					c.fillStyle = letters;
					c.fillText(text, left + wide / 2, top + laneHeight / 2);
				}
			}
			if (this.chosen && this.chosen[0] === n && this.chosen[1] === i) {
				c.strokeStyle = themeColour("ink");
				c.lineWidth = 2;
				c.strokeRect(left, top - 2, Math.max(wide, 3), laneHeight + 4);
				c.lineWidth = 1;
			}
		});
		c.restore();
	}

	show(newFrom, newTo) {
		const least = 200; // ns; hardly any slice is shorter
		let span = Math.min(Math.max(newTo - newFrom, least), this.shown.length);
		this.from = Math.min(Math.max(newFrom, 0), this.shown.length - span);
		this.to = this.from + span;
		const range = "from " + duration(this.from) + " to " + duration(this.to);
		this.canvas.setAttribute("aria-label", "Timeline of slices on each core, " + range);
		this.draw();
	}

	zoom(factor, px) {
		const centre = px === undefined ? (this.from + this.to) / 2 : this.at(px);
		this.show(centre - (centre - this.from) * factor, centre + (this.to - centre) * factor);
	}

	choose(lane, i, follow) {
		this.chosen = [lane, i];
		this.note.textContent = this.describe(this.chosen);
		const s = this.shown.slices[lane][i];
		if (follow && (s[START] + s[LENGTH] < this.from || s[START] > this.to)) {
			const span = this.to - this.from;
			this.show(s[START] - span / 2, s[START] + span / 2);
			return;
		}
		this.draw();
	}

	nearest(lane, ns) {
		let best = 0;
		const off = (s) => Math.max(s[START] - ns, ns - s[START] - s[LENGTH], 0);
		(this.shown.slices[lane] || []).forEach((s, i) => {
			if (off(s) < off(this.shown.slices[lane][best])) best = i;
		});
		return best;
	}

	move(sideways, updown) {
		const filled = this.shown.slices.map((s, i) => [s, i]).filter(([s]) => s && s.length).map(([, i]) => i);
		if (filled.length === 0) return;
		if (!this.chosen) {
			this.choose(filled[0], this.nearest(filled[0], this.from), true);
			return;
		}
		const [lane, i] = this.chosen;
		if (updown) {
			const next = filled[Math.min(Math.max(filled.indexOf(lane) + updown, 0), filled.length - 1)];
			const s = this.shown.slices[lane][i];
			this.choose(next, next === lane ? i : this.nearest(next, Math.max(s[START], 0)), true);
			return;
		}
		this.choose(lane, Math.min(Math.max(i + sideways, 0), this.shown.slices[lane].length - 1), true);
	}

	listenToKeys() {
		this.canvas.addEventListener("keydown", (e) => {
			const keys = {
				ArrowRight: () => this.move(1, 0), ArrowLeft: () => this.move(-1, 0),
				ArrowDown: () => this.move(0, 1), ArrowUp: () => this.move(0, -1),
				"+": () => this.zoom(0.5, this.chosenAt()), "=": () => this.zoom(0.5, this.chosenAt()),
				"-": () => this.zoom(2, this.chosenAt()),
				Home: () => this.show(0, this.shown.length),
			};
			if (keys[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) {
				e.preventDefault();
				keys[e.key]();
			}
		});
	}

	chosenAt() {
		if (!this.chosen) return undefined;
		const s = this.shown.slices[this.chosen[0]][this.chosen[1]];
		return Math.min(Math.max(this.x(s[START] + s[LENGTH] / 2), labelWidth), this.canvas.clientWidth);
	}

	listenToWheel() {
		this.canvas.addEventListener("wheel", (e) => {
			if (e.ctrlKey || e.metaKey) {
				e.preventDefault();
				this.zoom(e.deltaY > 0 ? 1.25 : 0.8, e.offsetX);
			} else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
				e.preventDefault();
				const by = ((e.deltaX || e.deltaY) / this.width()) * (this.to - this.from);
				this.show(this.from + by, this.to + by);
			}
		}, { passive: false });
	}

	listenToPointers() {
		const pointers = new Map();
		this.canvas.addEventListener("pointerdown", (e) => {
			this.canvas.setPointerCapture(e.pointerId);
			pointers.set(e.pointerId, e.offsetX);
			this.canvas.classList.add("dragging");
		});
		const lift = (e) => {
			pointers.delete(e.pointerId);
			this.canvas.classList.toggle("dragging", pointers.size > 0);
		};
		this.canvas.addEventListener("pointerup", lift);
		this.canvas.addEventListener("pointercancel", lift);
		this.canvas.addEventListener("pointermove", (e) => {
			if (!pointers.has(e.pointerId)) {
				this.point(e.offsetX, e.offsetY);
				return;
			}
			const before = [...pointers.values()];
			const dx = e.offsetX - pointers.get(e.pointerId);
			pointers.set(e.pointerId, e.offsetX);
			const now = [...pointers.values()];
			if (now.length === 2) {
				const apart = Math.abs(now[0] - now[1]);
				if (apart > 10) this.zoom(Math.abs(before[0] - before[1]) / apart, (now[0] + now[1]) / 2);
				return;
			}
			const by = (dx / this.width()) * (this.to - this.from);
			this.show(this.from - by, this.to - by);
		});
	}

	point(px, py) {
		const lane = Math.floor((py - axisHeight) / (laneHeight + laneGap));
		if (px < labelWidth || lane < 0 || !(this.shown.slices[lane] || []).length) return;
		const i = this.nearest(lane, this.at(px));
		const s = this.shown.slices[lane][i];
		if (this.x(s[START]) - 3 <= px && px <= this.x(s[START] + s[LENGTH]) + 3) this.choose(lane, i, false);
	}
}

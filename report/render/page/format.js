"use strict";

// Times and shares as the report's text writes them (functions nanoseconds and percentage of package report),
// for figures that are only shown at the pointer. A test checks that both write the same.
function grouped(x) {
	const digits = Math.abs(x).toFixed(0);
	return (x < 0 && digits !== "0" ? "-" : "") + digits.replace(/\B(?=(\d{3})+$)/g, " ");
}

function significant(x) {
	const a = Math.abs(x);
	if (a < 9.995) return x.toFixed(2);
	if (a < 99.95) return x.toFixed(1);
	return grouped(x);
}

function duration(ns) {
	const limit = 999.5;
	if (Math.abs(ns) < limit) return grouped(ns) + " ns";
	for (const unit of [" µs", " ms"]) {
		ns /= 1000;
		if (Math.abs(ns) < limit) return significant(ns) + unit;
	}
	return significant(ns / 1000) + " s";
}

function percentage(p) {
	if (p > 0 && p < 0.05) return "<0.1 %";
	if (p >= 99.95 && p < 100) return ">99.9 %";
	return (p === 0 || p === 100 ? p.toFixed(0) : p.toFixed(1)) + " %";
}

// tidy removes zeros after the point, which are useless on an axis.
function tidy(text) {
	return text.replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");
}

// themeColour returns one of the page's colours, which depend on the theme.
function themeColour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

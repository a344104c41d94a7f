"use strict";

(() => {
	const data = JSON.parse(document.getElementById("data").textContent);
	const redraw = [distributions(data), timeline(data)];
	flames(data);

	// The theme is the system's, until the reader chooses one.
	const root = document.documentElement;
	const button = document.getElementById("theme");
	const system = window.matchMedia("(prefers-color-scheme: dark)");
	const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
	const themed = () => {
		button.textContent = dark() ? "Light theme" : "Dark theme";
		redraw.forEach((draw) => draw());
	};
	button.hidden = false;
	button.addEventListener("click", () => {
		root.dataset.theme = dark() ? "light" : "dark";
		themed();
	});
	system.addEventListener("change", themed);
	button.textContent = dark() ? "Light theme" : "Dark theme";

	// A link to a folded table opens it.
	const unfold = () => {
		const target = document.getElementById(location.hash.slice(1));
		if (target instanceof HTMLDetailsElement) target.open = true;
	};
	window.addEventListener("hashchange", unfold);
	unfold();
})();

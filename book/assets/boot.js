// Loaded before every other script of the book: makes the vendored libraries work together from file://.

// Font Awesome would rewrite the icons of widgets behind their back, and the Play button stops working.
window.FontAwesomeConfig = { observeMutations: false };

// Widgets are bundled; a module that is not is looked for here, never on the network. Each bundled module looks for
// its fonts beside the file that RequireJS believes it came from, so all are said to come from the bundle's folder.
(function () {
  const assets = new URL(".", document.currentScript.src).href;
  const bundle = "@jupyter-widgets/html-manager/dist/";
  const modules = ["base", "base7", "controls", "controls7", "html-manager", "html-manager/dist/libembed-amd"];
  const paths = Object.fromEntries(modules.map((m) => ["@jupyter-widgets/" + m, bundle + m.split("/").pop()]));
  window.require = { baseUrl: assets + "vendor/", paths };
  document.currentScript.setAttribute("data-jupyter-widgets-cdn", assets + "vendor/");
})();

// Widgets typeset their labels through MathJax 2's Hub, which MathJax 3 does not have. MathJax replaces its own
// object while it starts, so the Hub is added to whatever is assigned.
(function () {
  const loaded = new Promise((resolve) => window.addEventListener("load", resolve));
  let current;
  const hub = {
    Queue: ([, , element]) =>
      loaded.then(() => current.startup.promise).then(() => current.typesetPromise(element ? [element] : undefined)),
  };
  Object.defineProperty(window, "MathJax", {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (value) => {
      current = value;
      if (current && !current.Hub) Object.defineProperty(current, "Hub", { value: hub, enumerable: false });
    },
  });
})();

// A slider's handle gets the name and the value that a reader sees; the widget itself gives it only an index.
(function () {
  function name(slider) {
    const label = slider.querySelector(".widget-label");
    const handle = slider.querySelector('[role="slider"]');
    const readout = slider.querySelector(".widget-readout");
    if (!label || !handle || !readout || handle.hasAttribute("aria-labelledby")) return;
    label.id = label.id || "roa-label-" + name.count++;
    handle.setAttribute("aria-labelledby", label.id);
    readout.setAttribute("contenteditable", "false");
    const tell = () => handle.setAttribute("aria-valuetext", readout.textContent);
    new MutationObserver(tell).observe(readout, { childList: true, characterData: true, subtree: true });
    tell();
  }
  name.count = 0;
  const nameAll = () => document.querySelectorAll(".widget-slider").forEach(name);
  new MutationObserver(nameAll).observe(document, { childList: true, subtree: true });
})();

// One colour switch sets all maps of the page.
document.addEventListener("change", ({ target }) => {
  if (!target.matches(".roa-colours input")) return;
  for (const other of document.querySelectorAll(`.roa-colours input[value="${target.value}"]`)) other.checked = true;
});

// The mark of a verdict gives its cell a colour, unless marks differ.
document.addEventListener("DOMContentLoaded", () => {
  const colours = { "●": "roa-good", "◐": "roa-open", "○": "roa-bad" };
  for (const cell of document.querySelectorAll(".roa-table td")) {
    const marks = new Set([...cell.textContent].filter((letter) => letter in colours));
    const colour = marks.size === 1 && colours[cell.textContent.trim()[0]];
    if (colour) cell.classList.add("roa-verdict", colour);
  }
});

// Tables: cells know the names of their columns. On a narrow screen a table that would not fit becomes a list of its
// cells; on a wide one its box scrolls, its verdict stays in sight, and it can be reached by keyboard.
document.addEventListener("DOMContentLoaded", () => {
  const narrow = 544;
  function fit(table, box) {
    table.classList.remove("roa-cards");
    const cards = box.clientWidth < narrow && table.offsetWidth > box.clientWidth + 1;
    table.classList.toggle("roa-cards", cards);
    if (cards) table.setAttribute("role", "presentation");
    else table.removeAttribute("role");
    const scrolls = !cards && table.offsetWidth > box.clientWidth + 1;
    for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", `table ${box.id}`.trim()]]) {
      if (scrolls) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
  }
  for (const table of document.querySelectorAll("article table")) {
    const box = table.closest("div.roa-table, .pst-scrollable-table-container");
    if (!box || !table.tHead || box.matches(".roa-matrix")) continue;
    const names = [...table.tHead.rows[table.tHead.rows.length - 1].cells].map((cell) => cell.textContent.trim());
    for (const row of table.rows) {
      [...row.cells].forEach((cell, i) => {
        if (row.parentElement !== table.tHead) cell.dataset.label = names[i] ?? "";
        if (names[i] === "verdict" && i > 0) cell.classList.add("roa-kept");
      });
    }
    let width = 0;
    new ResizeObserver(() => {
      if (box.clientWidth !== width) fit(table, box);
      width = box.clientWidth;
    }).observe(box);
  }
});

// The origin of numbers is told once a page where it is the same.
document.addEventListener("DOMContentLoaded", () => {
  const told = new Map();
  for (const origin of document.querySelectorAll(".roa-origin")) {
    const shown = origin.closest("[id]");
    if (!told.has(origin.textContent)) told.set(origin.textContent, shown);
    else {
      const mark = origin.querySelector("strong");
      const first = told.get(origin.textContent);
      const link = Object.assign(document.createElement("a"), { href: `#${first.id}` });
      link.textContent = first.querySelector("table") ? "a table above" : "a figure above";
      origin.replaceChildren("from the same units as ", link, ...(mark ? [" ", mark] : []));
    }
  }
});

// A summary is called what it says, and the references are no list without items.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll("summary[aria-label]")) {
    if (summary.textContent.trim()) summary.removeAttribute("aria-label");
  }
  for (const summary of document.querySelectorAll("summary:not([aria-label])")) {
    if (!summary.textContent.trim()) summary.setAttribute("aria-label", "pages below this one");
  }
  for (const list of document.querySelectorAll(".citation-list[role=list]")) list.removeAttribute("role");
});

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

// The mark of a verdict gives its cell a colour, unless marks differ; a table that scrolls can be reached by keyboard.
document.addEventListener("DOMContentLoaded", () => {
  const colours = { "●": "roa-good", "◐": "roa-open", "○": "roa-bad" };
  for (const cell of document.querySelectorAll(".roa-table td")) {
    const marks = new Set([...cell.textContent].filter((letter) => letter in colours));
    const colour = marks.size === 1 && colours[cell.textContent.trim()[0]];
    if (colour) cell.classList.add("roa-verdict", colour);
  }
  for (const box of document.querySelectorAll("div.roa-table")) box.tabIndex = 0;
});

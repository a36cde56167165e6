// Before the first paint: the theme somebody chose, or the system's.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("routex.theme");
  } catch (_) {
    // no storage: the system's
  }
  var dark =
    chosen === "dark" ||
    (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();

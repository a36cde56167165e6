// Before the first paint: the theme and the language somebody chose, or the
// system's; and the first questions, while the scripts are still on their way.
(function () {
  var html = document.documentElement;
  var stored = function (name) {
    try {
      return localStorage.getItem("routex." + name);
    } catch (_) {
      return null; // no storage: the system's
    }
  };
  var theme = stored("theme");
  html.classList.toggle(
    "dark",
    theme === "dark" ||
      (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)
  );
  html.lang =
    stored("language") ||
    (navigator.languages.some(function (one) {
      return /^zh/i.test(one);
    })
      ? "zh-CN"
      : "en");

  // src/api/early.ts takes the answers.
  var early = (window.routexEarly = {});
  var ask = function (path) {
    early[path] = fetch(path);
    early[path].catch(function () {}); // who takes it hears of it
  };
  ask("/api/session");
  if (stored("known") && !/\/login$/.test(location.pathname)) {
    ask("/api/status");
    html.classList.add("known"); // the frame of the pages is shown
  }
})();

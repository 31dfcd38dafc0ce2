// Before the page is painted: the theme that was chosen last, if any.
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = window.localStorage.getItem("report-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (error) {
    // A browser that keeps nothing for files follows the system's theme.
    root.dataset.storage = "none";
  }
})();

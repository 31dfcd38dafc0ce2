// Theme, menu, tables and charts of the report. No network, no libraries but Plotly; figures.js fits the charts.
(function () {
  "use strict";
  const root = document.documentElement;
  const ROWS_SHOWN = 12;

  // ---------------------------------------------------------------------------------------------------- theme, menu
  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);

  function nameThemeButton(button) {
    button.textContent = isDark() ? "Light theme" : "Dark theme";
  }

  function setUpTheme() {
    const button = document.getElementById("theme");
    button.hidden = false;
    nameThemeButton(button);
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        window.localStorage.setItem("report-theme", root.dataset.theme);
      } catch (error) {
        root.dataset.storage = "none";
      }
      nameThemeButton(button);
      redraw();
    });
    systemDark.addEventListener("change", () => {
      nameThemeButton(button);
      redraw();
    });
  }

  function setUpMenu() {
    const button = document.getElementById("menu");
    const show = (open) => {
      button.setAttribute("aria-expanded", String(open));
      document.querySelector(".side").classList.toggle("open", open);
    };
    button.hidden = false;
    button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && button.getAttribute("aria-expanded") === "true") {
        show(false);
        button.focus();
      }
    });
  }

  // --------------------------------------------------------------------------------------------------------- tables
  const collator = new Intl.Collator("en", { numeric: true });

  function cellValue(row, index, kind) {
    const cell = row.cells[index];
    const value = cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim();
    if (value === "") return null;
    return kind === "number" ? Number(value.replace(/,/g, "")) : value;
  }

  function sortTable(table, head) {
    const index = head.cellIndex;
    const kind = head.dataset.kind;
    const now = head.getAttribute("aria-sort");
    // Who sorts numbers looks for the largest, who sorts words for the first.
    const first = kind === "number" ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    const order = now === first ? second : first;
    const sign = order === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [cellValue(row, index, kind), row]);
    rows.sort(([left], [right]) => {
      if (left === null || right === null) return (left === null) - (right === null);
      return sign * (kind === "number" ? left - right : collator.compare(left, right));
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    document.getElementById("said").textContent = `Sorted by ${head.textContent.trim()}, ${order}`;
  }

  function setUpTable(table) {
    for (const head of table.tHead.rows[0].cells) {
      head.querySelector("button").addEventListener("click", () => sortTable(table, head));
    }
    const count = table.tBodies[0].rows.length;
    if (count <= ROWS_SHOWN + 3) return;
    table.classList.add("short");
    const more = document.createElement("button");
    more.type = "button";
    more.className = "quiet show-all";
    more.setAttribute("aria-expanded", "false");
    const say = () => {
      const short = table.classList.contains("short");
      more.textContent = short ? `Show all ${count.toLocaleString("en")} rows` : `Show the first ${ROWS_SHOWN} rows`;
      more.setAttribute("aria-expanded", String(!short));
    };
    more.addEventListener("click", () => {
      table.classList.toggle("short");
      say();
    });
    say();
    table.parentElement.after(more);
  }

  // --------------------------------------------------------------------------------------------------------- charts
  const CONFIG = { displayModeBar: false, responsive: false, showTips: false, doubleClick: "reset" };

  function tokens() {
    const style = window.getComputedStyle(root);
    return (name) => style.getPropertyValue("--" + name).trim();
  }

  const plots = () => Array.from(document.querySelectorAll(".plot"));
  const figureOf = (plot) => JSON.parse(plot.parentElement.querySelector("script.figure").textContent);

  async function drawOne(plot) {
    const { data, layout } = window.reportFigures.fit(figureOf(plot), plot.clientWidth, plot.clientHeight, tokens());
    await window.Plotly.react(plot, data, layout, CONFIG);
    plot.dataset.drawn = "true";
    plot.dataset.theme = String(isDark());
    plot.dataset.width = String(plot.clientWidth);
    // The label says what the chart shows; what is inside would be read out number by number.
    for (const svg of plot.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");
  }

  // What is in view first, and between any two charts time for the reader's own clicks.
  async function drawAll() {
    const near = (plot) => Math.abs(plot.getBoundingClientRect().top - window.innerHeight / 2);
    root.dataset.charts = "drawing";
    for (const plot of plots().sort((left, right) => near(left) - near(right))) {
      // What has its width and its colours already stays as it is.
      if (plot.dataset.width === String(plot.clientWidth) && plot.dataset.theme === String(isDark())) continue;
      await drawOne(plot);
      await new Promise((resume) => window.setTimeout(resume, 0));
    }
    root.dataset.charts = "drawn";
  }

  let drawing = Promise.resolve();
  function redraw() {
    drawing = drawing.then(drawAll);
  }

  // The window is not all that changes a chart's width: a card with an open table is wider.
  function followWidth() {
    let timer = 0;
    const observer = new ResizeObserver(() => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        if (plots().some((plot) => plot.dataset.drawn && plot.dataset.width !== String(plot.clientWidth))) redraw();
      }, 120);
    });
    plots().forEach((plot) => observer.observe(plot));
  }

  setUpTheme();
  setUpMenu();
  document.querySelectorAll("table.data").forEach(setUpTable);
  redraw();
  followWidth();
})();

// Fits figures to a width and a theme: colours, room for names and values in pixels, ticks that do not collide.
(function () {
  "use strict";
  const NARROW = 420;
  const GAP = 8;
  const BESIDE_GAP = 16;
  const FONT_SIZE = 12;
  // Half of a tick at the right edge.
  const TICK_ROOM = 24;

  const DATES = [
    { dtickrange: [null, 43200000], value: "%H:%M\n%e %b" },
    { dtickrange: [43200000, 2419200000], value: "%e %b\n%Y" },
    { dtickrange: ["M1", "M6"], value: "%b\n%Y" },
    { dtickrange: ["M12", null], value: "%Y" },
  ];

  // Replaces @name by the theme's colour, wherever it stands in a figure.
  function resolve(value, token) {
    if (typeof value === "string" && value.startsWith("@")) {
      if (value === "@heat") return [[0, token("heat-low")], [1, token("heat-high")]];
      return token(value.slice(1));
    }
    if (Array.isArray(value)) return value.map((each) => resolve(each, token));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each, token)]));
    }
    return value;
  }

  const paper = document.createElement("canvas").getContext("2d");

  // The width of a text in pixels, of its longest line where it has several.
  function widthOf(text, family) {
    paper.font = `${FONT_SIZE}px ${family}`;
    return Math.max(...String(text).split("<br>").map((line) => paper.measureText(line).width));
  }

  const widest = (texts, family) => Math.max(0, ...texts.map((text) => widthOf(text, family)));

  // The longest beginning of a text that fits, with an ellipsis where that is not all.
  function shorten(text, room, family) {
    if (widthOf(text, family) <= room) return text;
    let length = text.length - 1;
    while (length > 1 && widthOf(text.slice(0, length).trimEnd() + "…", family) > room) length -= 1;
    return text.slice(0, length).trimEnd() + "…";
  }

  // In two lines of about one length, for a head above a narrow column.
  function folded(text, room, family) {
    if (widthOf(text, family) <= room || !text.includes(" ")) return text;
    const middle = text.length / 2;
    const breaks = [...text.matchAll(/ /g)].map((each) => each.index);
    const at = breaks.reduce((best, each) => (Math.abs(each - middle) < Math.abs(best - middle) ? each : best));
    return `${text.slice(0, at)}<br>${text.slice(at + 1)}`;
  }

  const axesOf = (layout, letter) => Object.keys(layout).filter((key) => new RegExp(`^${letter}axis\\d*$`).test(key));
  const nameOf = (axis) => axis.replace("axis", "");

  // Names to the left of bars, values at their ends, further figures to the right: each gets the room that it needs.
  function fitBars(data, layout, width, narrow, font) {
    const family = font.family;
    const most = Math.round(narrow ? width * 0.34 : Math.min(width * 0.42, 320));
    let left = 0;
    for (const key of axesOf(layout, "y")) {
      layout[key].ticktext = layout[key].ticktext.map((text) => shorten(text, most, family));
      layout[key].automargin = false;
      left = Math.max(left, widest(layout[key].ticktext, family));
    }
    if (narrow) for (const trace of data) trace.text = trace.text.map((text) => text.replace(" · ", "<br>"));
    // A phone has room for one column of figures beside the bars: the last one is what the question ends with.
    const beside = narrow ? layout.meta.beside.slice(-1) : [...layout.meta.beside].reverse();
    let right = 0;
    for (const column of beside) {
      const head = folded(column.head, narrow ? 44 : 90, family);
      const own = (x, yref, y, text, color, extra) => ({
        name: "beside", xref: "paper", x: 1, xanchor: "right", xshift: x, yref, y, text, showarrow: false, font: { color }, ...extra,
      });
      const room = Math.max(widest(column.texts, family), widthOf(head, family)) + BESIDE_GAP;
      // Columns stand outside of the bars' own area, the last one at the right edge.
      const place = -right;
      right += room;
      layout.annotations.push(own(place, "paper", 1, head, font.color, { yanchor: "bottom", align: "right" }));
      column.texts.forEach((text, index) => {
        layout.annotations.push(own(place, "y", index, text, column.colours[index], {}));
      });
    }
    for (const each of layout.annotations) if (each.name === "beside") each.xshift += right;
    const room = Math.max(width - left - 2 * GAP - right - GAP, 40);
    for (const key of axesOf(layout, "x")) {
      const own = data.filter((trace) => trace.xaxis === nameOf(key));
      const values = own.flatMap((trace) => trace.x);
      const texts = own.flatMap((trace) => trace.text);
      const low = Math.min(0, ...values);
      const high = Math.max(0, ...values);
      const needed = (below) => widest(texts.filter((_, index) => values[index] < 0 === below), family);
      const before = low < 0 ? needed(true) + GAP : 0;
      const after = needed(false) ? needed(false) + GAP : 2;
      const scale = Math.max(room - before - after, 10) / (high - low || 1);
      layout[key].range = [low - before / scale, high + after / scale];
    }
    return { l: left + GAP, r: right + GAP };
  }

  // As many names along an axis as fit side by side.
  function thinTicks(axis, width, family) {
    if (!axis || axis.tickmode !== "array" || axis.tickvals.length < 2) return;
    const rooms = axis.ticktext.map((text) => widthOf(text, family));
    const place = width / rooms.length;
    const collide = (step) => rooms.some((_, index) => index % step === 0 && index + step < rooms.length
      && (rooms[index] + rooms[index + step]) / 2 + 3 > step * place);
    let step = 1;
    while (collide(step)) step += 1;
    const kept = (_, index) => index % step === 0;
    axis.tickvals = axis.tickvals.filter(kept);
    axis.ticktext = axis.ticktext.filter(kept);
    axis.tickangle = 0;
  }

  function nameEnds(layout, narrow, family) {
    const ends = (layout.annotations || []).filter((each) => each.name === "line-end");
    if (!ends.length) return TICK_ROOM;
    if (narrow) {
      layout.annotations = layout.annotations.filter((each) => each.name !== "line-end");
      layout.showlegend = true;
      return TICK_ROOM;
    }
    return widest(ends.map((each) => each.text), family) + 14;
  }

  // A figure for Plotly, of one as the page holds it.
  function fit(figure, width, height, token) {
    const { data, layout } = resolve(figure, token);
    const meta = layout.meta || {};
    const narrow = width < NARROW;
    const family = window.getComputedStyle(document.body).fontFamily;
    const font = { family, size: FONT_SIZE, color: token("muted") };
    const axis = {
      gridcolor: token("rule"), linecolor: token("rule"), zerolinecolor: token("rule"), tickcolor: token("rule"),
      automargin: true, fixedrange: true, ticks: "",
    };
    const margin = { l: GAP, r: nameEnds(layout, narrow, family), t: 8, b: 8 };
    if (meta.ends) Object.assign(margin, fitBars(data, layout, width, narrow, font));
    if (meta.ends && meta.beside.length) margin.t = 36;
    else if (meta.ends && axesOf(layout, "x").length > 1) margin.t = 0;
    const scale = data[0].showscale === false ? 0 : 60;
    const taken = data[0].type === "heatmap" ? widest(data[0].y.map(String), family) + scale + 10 : 50;
    thinTicks(layout.xaxis, width - margin.r - taken, family);
    const dates = layout.xaxis.type === "date" && !layout.xaxis.tickmode ? { tickformatstops: DATES } : {};
    for (const key of axesOf(layout, "x")) {
      layout[key] = { ...axis, showgrid: false, zeroline: false, nticks: narrow ? 5 : 9, ...dates, ...layout[key] };
    }
    for (const key of axesOf(layout, "y")) {
      layout[key] = { ...axis, zeroline: !meta.ends, nticks: 6, ...layout[key], tickfont: { ...font, color: token(meta.ends ? "ink" : "muted") } };
    }
    return {
      data,
      layout: {
        showlegend: false,
        ...layout,
        width,
        height,
        font,
        margin,
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        hoverlabel: {
          bgcolor: token("surface"), bordercolor: token("rule-strong"), font: { ...font, color: token("ink") }, align: "left",
        },
        legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { ...font, color: token("ink") }, traceorder: "normal" },
        dragmode: false,
      },
    };
  }

  window.reportFigures = { fit };
})();

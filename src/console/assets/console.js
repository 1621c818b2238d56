// What pages do beyond htmx: charts of uPlot, copy buttons, and a note while the service cannot be reached. All of it is in the page without this file too.
(() => {
  "use strict";

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const palette = ["--accent", "--blue", "--amber", "--red", "--muted"];

  const options = (box, data, kind) => {
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const bars = uPlot.paths.bars({ size: [0.72, 40], radius: 0.1 });
    // A line needs two values beside each other: one that stands alone is a dot.
    const alone = (values) => () => values.flatMap((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
    const series = data.series.map((line, index) => ({
      label: line.label,
      stroke: colour(palette[index % palette.length]),
      width: 1.5,
      fill: kind === "bars" ? colour(palette[index % palette.length]) : undefined,
      paths: kind === "bars" ? bars : undefined,
      points: kind === "bars" ? { show: false } : { show: true, size: 6, filter: alone(line.values) },
      value: (_, value) => (value == null ? "–" : (line.prefix ?? "") + value.toLocaleString("en", { maximumFractionDigits: 4 }) + (line.suffix ?? "")),
    }));
    const labels = data.labels;
    const suffix = data.series[0]?.suffix ?? "";
    const range = (_, least, most) => (suffix.includes("%") ? [0, 100] : uPlot.rangeNum(Math.min(0, least ?? 0), Math.max(most ?? 0, 0) || 1, 0.1, true));
    // Hours of the day, and the day where one begins: in UTC, as everything here.
    const moment = (seconds, step) => {
      const at = new Date(seconds * 1000);
      const isDay = step >= 86_400 || at.getUTCHours() === 0;
      return isDay ? at.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }) : at.toISOString().slice(11, 16);
    };
    const x = labels
      ? { label: data.x_label, value: (_, value) => (value == null ? "–" : labels[value] ?? "") }
      : { label: "Time (UTC)", value: (_, value) => (value == null ? "–" : new Date(value * 1000).toISOString().slice(0, 16).replace("T", " ")) };
    const xAxis = labels ? { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => labels[tick] ?? ""), splits: () => labels.map((_, at) => at) } : { ...axis, grid: { show: false }, values: (_, ticks, __, ___, step) => ticks.map((tick) => moment(tick, step)) };
    return {
      width: Math.max(240, box.clientWidth),
      height: Number(box.dataset.height ?? 200),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { y: { range }, ...(labels ? { x: { time: false, range: () => [-0.6, labels.length - 0.4] } } : { x: { time: true } }) },
      legend: { live: true },
      cursor: { drag: { x: false, y: false } },
      series: [x, ...series],
      axes: [xAxis, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => (data.series[0]?.prefix ?? "") + tick.toLocaleString("en") + (suffix.includes("%") ? " %" : "")) }],
    };
  };

  const draw = async (box) => {
    const answer = await fetch(box.dataset.chart, { headers: { accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) return;
    const data = await answer.json();
    const plot = () => {
      box.replaceChildren();
      const values = [data.x, ...data.series.map((line) => line.values)];
      box.plot = new uPlot(options(box, data, box.dataset.kind), values, box);
    };
    plot();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", plot);
    let width = box.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(box.clientWidth - width) > 4) {
        width = box.clientWidth;
        box.plot.setSize({ width: Math.max(240, width), height: Number(box.dataset.height ?? 200) });
      }
    }).observe(box);
  };

  document.querySelectorAll("[data-chart]").forEach((box) => void draw(box));

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = said), 1500);
  });

  const note = document.getElementById("connection");
  document.addEventListener("htmx:sse:error", () => note && (note.hidden = false));
  document.addEventListener("htmx:sse:after:connection", () => note && (note.hidden = true));
})();

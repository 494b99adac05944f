// The strip.
const WIDE = 11, HIGH = 17, LABEL = 58;
const letter = (mark) => { const place = data.first.indexOf(mark); return place < 26 ? String.fromCharCode(65 + place) : "+"; };
const told = (strip, at) => {
  const [number, plan, kind] = data.sweeps[at];
  const mark = strip.marks[at] || "-";
  const ended = mark === "-" ? "did not run" : mark === "." ? "passed" : `failed as ${letter(mark)}`;
  return `sweep ${number}, ${KINDS[kind]}${plan ? `, ${plan}` : ""}: ${ended}`;
};

const lane = (strip, kind, across) => {
  const held = data.sweeps.flatMap((sweep, at) => (sweep[2] === kind && (strip.marks[at] || "-") !== "-" ? [at] : []));
  if (!held.length) return null;
  const lines = Math.ceil(held.length / across);
  const svg = make("svg:svg", { width: across * WIDE, height: lines * HIGH, "aria-hidden": "true", "data-kind": kind });
  const paths = new Map();
  const letters = [[], [], ""];
  held.forEach((at, place) => {
    const x = (place % across) * WIDE, y = Math.floor(place / across) * HIGH;
    const mark = strip.marks[at];
    const passed = mark === ".";
    const key = passed ? "passed" : `m${data.first.indexOf(mark) % 6}`;
    paths.set(key, `${paths.get(key) || ""}M${x} ${y + 1}h10v14h-10z`);
    if (!passed) { letters[0].push(x + 5); letters[1].push(y + 12); letters[2] += letter(mark); }
  });
  for (const [kind, path] of paths) svg.append(make("svg:path", { class: kind, d: path }));
  if (letters[2]) svg.append(make("svg:text", { x: letters[0].join(" "), y: letters[1].join(" ") }, letters[2]));
  svg.append(make("svg:rect", { class: "here", width: WIDE, height: HIGH, x: -99, y: 0, rx: 2 }));
  return { kind, held, svg, across, row: make("div", { class: "lane" }, make("span", { class: "label" }, KINDS[kind]), svg) };
};

const drawStrip = (place) => {
  const strip = data.strips[place];
  const name = names[place];
  const held = data.sweeps.map((sweep, at) => at).filter((at) => (strip.marks[at] || "-") !== "-");
  const box = make("div", { class: "lanes", role: "slider", tabindex: 0, "aria-label": `Sweeps of ${name}`, "aria-valuemin": 0, "aria-valuemax": Math.max(0, held.length - 1), "aria-valuenow": 0, "aria-valuetext": held.length ? told(strip, held[0]) : "no sweep ran it" });
  const readout = make("p", { class: "readout quiet", "aria-hidden": "true" }, "\u00a0");
  const modes = make("ul", { class: "modes" }, ...strip.modes.map((mode, at) => make("li", {}, make("i", { class: `m${at % 6}`, "aria-hidden": "true" }, letter(data.first[at])), make("span", { class: "unseen" }, `${letter(data.first[at])}: `), make("span", {}, mode))));
  let lanes = [];
  let here = 0;
  const point = (at) => {
    here = Math.max(0, held.indexOf(at));
    readout.textContent = told(strip, at);
    box.setAttribute("aria-valuenow", here);
    box.setAttribute("aria-valuetext", told(strip, at));
    for (const one of lanes) {
      const place = one.held.indexOf(at);
      const mark = one.svg.querySelector(".here");
      mark.setAttribute("x", place < 0 ? -99 : (place % one.across) * WIDE - 0.5);
      mark.setAttribute("y", place < 0 ? 0 : Math.floor(place / one.across) * HIGH);
    }
  };
  const draw = () => {
    const across = Math.max(8, Math.floor((box.clientWidth - LABEL) / WIDE));
    lanes = KINDS.map((_, kind) => lane(strip, kind, across)).filter(Boolean);
    box.replaceChildren(...lanes.map((one) => one.row));
  };
  box.addEventListener("pointermove", (event) => {
    const one = lanes.find((some) => some.svg.contains(event.target));
    if (!one) return;
    const edge = one.svg.getBoundingClientRect();
    const at = one.held[Math.floor((event.clientY - edge.top) / HIGH) * one.across + Math.floor((event.clientX - edge.left) / WIDE)];
    if (at !== undefined) point(at);
  });
  box.addEventListener("focus", () => { if (held.length) point(held[here]); });
  box.addEventListener("keydown", (event) => {
    const failed = (at) => data.first.includes(strip.marks[held[at]]);
    const seek = (step) => { let at = here + step; while (at >= 0 && at < held.length && !failed(at)) at += step; return at >= 0 && at < held.length ? at : here; };
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: held.length - 1 }[event.key]
      ?? (event.key === "ArrowUp" ? seek(-1) : event.key === "ArrowDown" ? seek(1) : undefined);
    if (to === undefined || !held.length) return;
    event.preventDefault();
    point(held[Math.min(held.length - 1, Math.max(0, to))]);
  });
  const made = make("div", { class: "strip" }, make("h3", {}, make("a", { href: link(name) }, name)), modes, box, readout);
  return { made, draw };
};

const layStrips = () => {
  const target = find("strip-rows");
  const places = Object.keys(data.strips).map(Number).sort((one, other) => one - other);
  if (!places.length) { target.append(make("p", { class: "quiet" }, data.sweeps.length ? "No test failed." : "There is nothing to draw it from.")); return; }
  const drawn = new Map();
  const seen = new IntersectionObserver((entries) => {
    for (const one of entries) if (one.isIntersecting && drawn.has(one.target)) { drawn.get(one.target)(); seen.unobserve(one.target); }
  }, { rootMargin: "800px" });
  let next = 0;
  const button = make("button", { type: "button", class: "more" }, "Show more");
  const append = () => {
    for (const place of places.slice(next, next + 50)) {
      const { made, draw } = drawStrip(place);
      target.append(made);
      drawn.set(made, draw);
      seen.observe(made);
    }
    next += 50;
    button.hidden = next >= places.length;
    button.textContent = `Show more of ${counted(places.length, "test")}`;
  };
  button.addEventListener("click", append);
  append();
  target.after(button);
  let width = target.clientWidth;
  addEventListener("resize", () => {
    if (target.clientWidth === width) return;
    width = target.clientWidth;
    for (const made of drawn.keys()) seen.observe(made);
  });
  addEventListener("beforeprint", () => { for (const draw of drawn.values()) draw(); });
};

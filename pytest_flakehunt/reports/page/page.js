"use strict";
(() => {
  // Texts of tests reach the page through textContent and attributes alone.
  const find = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(find(id).textContent);
  const data = read("data");
  const VERDICTS = ["steady", "flaky", "fragile", "broken"];
  const SIGNS = ["✓", "◐", "◇", "✕"];
  const KINDS = ["calm", "single", "mixed"];
  const CHUNK = 100;
  const MOST = 8;
  const FILE = 0, REST = 1, WHOLE = 2, VERDICT = 3, ROW = 4, GROUP = 5, EXCUSED = 6, RUNS = 7;
  const names = data.tests.map((test) => (test[WHOLE] ? data.files[test[FILE]] : "") + test[REST]);
  const placeOf = new Map(names.map((name, place) => [name, place]));
  const causeOf = (test) => (test[GROUP] < 0 ? "" : data.groups[test[GROUP]][1]);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const make = (tag, attributes, ...children) => {
    const made = tag.startsWith("svg:")
      ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    made.append(...children.filter((child) => child !== null));
    return made;
  };
  const link = (name, under) =>
    `#test=${encodeURIComponent(name)}${under ? `&under=${encodeURIComponent(under)}` : ""}`;
  const say = (text) => { find("said").textContent = text; };
  const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  const show = (where) => {
    for (let one = where; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    where.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
    where.focus({ preventScroll: true });
  };

  // The map.
  const grid = find("grid");
  const body = make("tbody");
  let rows = [];
  let done = 0;
  let current = null;

  const cellOf = (test, column) => {
    const [runs, failures] = (data.rows[test[ROW]] || [])[column] || [0, 0];
    const [worth, thin] = data.worth[`${failures}/${runs}`] || ["", 0];
    const share = runs ? (100 * failures) / runs : 0;
    let kind = "empty", text = "";
    if (failures) {
      kind = `s${Math.min(5, 1 + Math.floor(share / 20))}`;
      text = share < 1 ? "<1" : String(Math.round(share));
    } else if (runs) {
      kind = thin ? "thin" : "none";
    }
    const said = runs ? `${failures} of ${runs} failed${failures ? "" : thin ? ", too few runs to tell" : ""}` : "did not run";
    return { kind, text, said, worth, runs, failures };
  };

  const rowOf = (place) => {
    const test = data.tests[place];
    const name = names[place];
    const row = make("tr", { "data-place": place },
      make("th", { scope: "row", title: name }, make("div", { class: "row" },
        make("span", { class: `sign ${VERDICTS[test[VERDICT]]}`, title: VERDICTS[test[VERDICT]] }, SIGNS[test[VERDICT]],
          make("span", { class: "unseen" }, ` ${VERDICTS[test[VERDICT]]} `)),
        test[GROUP] < 0 ? make("span", { class: "name" }, make("bdi", {}, name)) : make("a", { class: "name", href: link(name), tabindex: -1 }, make("bdi", {}, name)))));
    data.columns.forEach((column, place) => {
      const { kind, text, said } = cellOf(test, place);
      row.append(make("td", { class: `cell ${kind}`, tabindex: -1, "data-column": place, "aria-label": `${column}: ${text && `${text} %, `}${said}` }, text));
    });
    return row;
  };

  const heading = (test) => {
    const [label, , card, excused] = test[GROUP] < 0 ? ["never failed", "", -1, 0] : data.groups[test[GROUP]];
    const text = `${excused ? "‖ set aside: " : ""}${label}`;
    const inner = card < 0 ? make("span", {}, text) : make("a", { href: `#card-${card}`, tabindex: -1 }, text);
    return make("tr", { class: "group" }, make("th", { colspan: data.columns.length + 1, scope: "rowgroup" }, inner));
  };

  const more = () => {
    if (done >= rows.length) return false;
    const piece = document.createDocumentFragment();
    for (const place of rows.slice(done, done + CHUNK)) {
      const test = data.tests[place];
      const before = done ? data.tests[rows[done - 1]] : null;
      if (!before || before[GROUP] !== test[GROUP]) piece.append(heading(test));
      piece.append(rowOf(place));
      done += 1;
    }
    body.append(piece);
    if (!current || !current.isConnected) rove(body.querySelector("td"));
    return true;
  };

  const rove = (cell) => {
    if (current) current.tabIndex = -1;
    current = cell;
    if (cell) cell.tabIndex = 0;
  };

  const filters = ["by-text", "by-verdict", "by-cause", "by-file"].map(find);
  const filter = () => {
    const [text, verdict, cause, file] = filters.map((one) => one.value);
    const wanted = text.toLowerCase();
    rows = [];
    data.tests.forEach((test, place) => {
      if ((!wanted || names[place].toLowerCase().includes(wanted) || (test[GROUP] >= 0 && data.groups[test[GROUP]][0].toLowerCase().includes(wanted)))
        && (!verdict || VERDICTS[test[VERDICT]] === verdict)
        && (!cause || causeOf(test) === cause)
        && (!file || data.files[test[FILE]] === file)) rows.push(place);
    });
    done = 0;
    rove(null);
    body.replaceChildren();
    grid.scrollTop = 0;
    more();
    const all = data.tests.length;
    find("shown").textContent = rows.length === all ? counted(all, "test") : `${rows.length.toLocaleString("en")} of ${counted(all, "test")}`;
  };

  const plans = (place, column, fails) => {
    const strip = data.strips[place];
    if (!strip) return [];
    return data.sweeps.flatMap((sweep, at) => {
      const under = sweep[2] === 0 ? "calm" : sweep[2] === 2 ? "several" : sweep[3];
      const mark = strip.marks[at] || "-";
      const failed = data.first.includes(mark);
      return under === column && mark !== "-" && failed === fails ? [[sweep[0], sweep[1] || "calm", failed ? letter(mark) : ""]] : [];
    });
  };

  const listed = (title, found) => found.length
    ? [make("h4", {}, title), make("ul", { class: "plain" },
      ...found.slice(0, MOST).map(([number, plan, mode]) => make("li", {}, mode ? make("b", {}, `${mode} `) : null, make("code", {}, plan), make("span", { class: "quiet" }, ` sweep ${number}`))),
      found.length > MOST ? make("li", { class: "quiet" }, `and ${counted(found.length - MOST, "further sweep")}`) : null)]
    : [];

  const open = (place, at) => {
    const test = data.tests[place];
    const column = data.columns[at];
    const { said, worth, failures } = cellOf(test, at);
    const panel = find("details");
    const close = make("button", { type: "button", class: "close", "aria-label": "Close the evidence" }, "✕");
    close.addEventListener("click", shut);
    const name = names[place];
    panel.replaceChildren(close,
      make("p", { class: "label" }, column === "calm" ? "when calm" : column === "several" ? "under several at once" : `under ${column} alone`),
      make("h3", {}, test[GROUP] < 0 ? name : make("a", { href: link(name) }, name)),
      make("p", {}, make("b", {}, said), worth ? `: ${worth}` : ""),
      failures && test[GROUP] >= 0 ? make("p", { class: "quiet" }, data.groups[test[GROUP]][0]) : "",
      ...listed("Failed under", plans(place, column, true)),
      ...listed("Passed under", plans(place, column, false)));
    panel.hidden = false;
    for (const one of body.querySelectorAll(".chosen")) one.classList.remove("chosen");
    if (current) current.classList.add("chosen");
    history.replaceState(null, "", link(name, column));
  };
  const shut = () => {
    find("details").hidden = true;
    if (current) { current.classList.remove("chosen"); current.focus(); }
  };

  const choose = (cell) => {
    rove(cell);
    open(Number(cell.parentElement.dataset.place), Number(cell.dataset.column));
  };
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const move = (event) => {
    const cell = event.target.closest("td");
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(cell); return; }
    if (event.key === "Escape") { shut(); return; }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const column = Number(cell.dataset.column) + step[1];
    let row = cell.parentElement;
    do {
      row = step[0] < 0 ? row.previousElementSibling : step[0] > 0 ? row.nextElementSibling || (more() && row.nextElementSibling) : row;
    } while (row && row.classList.contains("group"));
    const next = row && row.querySelector(`td[data-column="${column}"]`);
    if (next) { rove(next); next.focus(); }
  };

  const fill = (select, values) => select.append(...values.map((value) => make("option", { value }, value)));
  const layMap = () => {
    fill(filters[1], VERDICTS.filter((verdict, place) => data.tests.some((test) => test[VERDICT] === place)));
    fill(filters[2], [...new Set(data.groups.map((group) => group[1]))].sort());
    fill(filters[3], [...data.files].sort());
    if (!data.columns.length) {
      grid.append(make("p", { class: "quiet" }, "This hunt was made before hunts kept what the map and the strip are drawn from."));
      return;
    }
    const head = make("tr", {}, make("th", { scope: "col" }, "test"),
      ...data.columns.map((column) => make("th", { scope: "col" }, make("span", {}, column))));
    const table = make("table", { role: "grid", "aria-label": "Tests by perturbations" }, make("thead", {}, head), body);
    grid.append(table);
    grid.addEventListener("click", (event) => { const cell = event.target.closest("td"); if (cell) { cell.focus(); choose(cell); } });
    grid.addEventListener("keydown", move);
    find("details").addEventListener("keydown", (event) => { if (event.key === "Escape") shut(); });
    grid.addEventListener("scroll", () => { if (grid.scrollTop + grid.clientHeight + 600 > grid.scrollHeight) more(); }, { passive: true });
    let waiting = 0;
    for (const one of filters) one.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 60); });
    filter();
  };

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
    const modes = make("ul", { class: "modes" }, ...strip.modes.slice(0, MOST).map((mode, at) => make("li", {}, make("i", { class: `m${at % 6}`, "aria-hidden": "true" }, letter(data.first[at])), make("span", { class: "unseen" }, `${letter(data.first[at])}: `), make("span", {}, mode))));
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

  // Copying, folds and links.
  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { class: "unseen" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.dataset.before || button.textContent;
    button.dataset.before = before;
    button.textContent = "Copied ✓";
    say("copied");
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  const fenced = (text) => {
    const longest = Math.max(2, ...(text.match(/`+/g) || []).map((run) => run.length));
    const fence = "`".repeat(longest + 1);
    return `\n${fence}text\n${text}\n${fence}\n`;
  };
  const issue = (block) => {
    const left = block.evidence[0].mode.evidence;
    const text = left.traceback || left.stacks;
    return block.issue + (text ? fenced(text) : "");
  };
  const textOf = (button) => {
    const { copy: what, card } = button.dataset;
    if (what === "command") return button.parentElement.querySelector("code").textContent;
    if (what === "quarantine") return button.dataset.text;
    const block = read(`block-${card}`);
    return what === "issue" ? issue(block) : JSON.stringify(block.evidence, null, 1);
  };
  const output = (fold) => {
    const left = read(`block-${fold.dataset.card}`).evidence[0].mode.evidence;
    const texts = [["traceback", left.traceback], ["stacks of all threads", left.stacks], ...left.sections.map((one) => [one.title, one.text])].filter(([, text]) => text);
    const nothing = left.left_out ? "Left out, as the page would grow too large: the JSON report has it." : "Nothing was kept.";
    fold.querySelector(".texts").replaceChildren(...(texts.length
      ? texts.flatMap(([title, text]) => [make("h4", {}, title), make("pre", { tabindex: 0, role: "group", "aria-label": title }, text)])
      : [make("p", { class: "quiet" }, nothing)]));
  };
  const named = (fold) => {
    const list = fold.querySelector(".names");
    const places = data.tests.flatMap((test, place) => (test[VERDICT] === 0 && test[RUNS] === Number(fold.dataset.bound) && test[EXCUSED] === Number(fold.dataset.company) ? [place] : []));
    const button = make("button", { type: "button", class: "more" }, "Show more");
    const append = () => {
      const from = list.children.length;
      list.append(...places.slice(from, from + 200).map((place) => make("li", {}, make("code", {}, names[place]))));
      button.hidden = list.children.length >= places.length;
    };
    button.addEventListener("click", append);
    append();
    list.after(button);
  };
  const follow = () => {
    const asked = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
    const place = placeOf.get(asked.get("test"));
    if (place === undefined) {
      const target = location.hash.length > 1 && find(location.hash.slice(1));
      if (target) show(target);
      return;
    }
    const test = data.tests[place];
    const column = data.columns.indexOf(asked.get("under"));
    const card = test[GROUP] < 0 ? -1 : data.groups[test[GROUP]][2];
    if (column < 0 && card >= 0) { show(find(`card-${card}`)); return; }
    if (!rows.includes(place)) { for (const one of filters) one.value = ""; filter(); }
    let row = null;
    while (!(row = body.querySelector(`tr[data-place="${place}"]`)) && more()) { /* until it is there */ }
    const cell = row && row.querySelector(`td[data-column="${Math.max(0, column)}"]`);
    if (!cell) return;
    find("map").scrollIntoView({ block: "start" });
    grid.scrollTop = row.offsetTop - 90;
    rove(cell);
    cell.focus({ preventScroll: true });
    if (column >= 0) open(place, column);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(textOf(button), button);
  });
  document.addEventListener("toggle", (event) => {
    const fold = event.target;
    if (!fold.open || fold.dataset.filled) return;
    if (!fold.matches("details.output, details.bound")) return;
    fold.dataset.filled = "yes";
    (fold.matches(".output") ? output : named)(fold);
  }, true);
  layMap();
  layStrips();
  addEventListener("hashchange", follow);
  follow();
})();

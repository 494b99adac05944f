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

const labelled = (test) => (test[GROUP] < 0 ? -1 : `${data.groups[test[GROUP]][3]} ${data.groups[test[GROUP]][0]}`);
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
    if (!before || labelled(before) !== labelled(test)) piece.append(heading(test));
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

const NOBODY = " ";
const filters = ["by-text", "by-verdict", "by-cause", "by-file", "by-owner"].map(find).filter(Boolean);
const filter = () => {
  const [text, verdict, cause, file, owner] = filters.map((one) => one.value);
  const wanted = text.toLowerCase();
  rows = [];
  data.tests.forEach((test, place) => {
    if ((!wanted || names[place].toLowerCase().includes(wanted) || (test[GROUP] >= 0 && data.groups[test[GROUP]][0].toLowerCase().includes(wanted)))
      && (!verdict || VERDICTS[test[VERDICT]] === verdict)
      && (!cause || causeOf(test) === cause)
      && (!file || data.files[test[FILE]] === file)
      && (!owner || ownersOf(test).includes(owner))) rows.push(place);
  });
  done = 0;
  rove(null);
  body.replaceChildren();
  grid.scrollTop = 0;
  more();
  const all = data.tests.length;
  const said = rows.length === all ? counted(all, "test") : `${rows.length.toLocaleString("en")} of ${counted(all, "test")}`;
  find("shown").textContent = data.left ? `${said}, ${data.left.toLocaleString("en")} more left out` : said;
};

const plans = (place, column, fails) => {
  const strip = data.strips[place];
  if (!strip) return [];
  return data.sweeps.flatMap((sweep, at) => {
    const under = sweep[2] === 0 ? "calm" : sweep[2] === 2 ? "several" : sweep[3];
    const mark = strip.marks[at] || "-";
    const failed = data.first.includes(mark);
    return under === column && mark !== "-" && failed === fails ? [[sweep[0], sweep[1], failed ? letter(mark) : ""]] : [];
  });
};

const listed = (title, found) => found.length
  ? [make("h4", {}, title), make("ul", { class: "plain" },
    ...found.slice(0, MOST).map(([number, plan, mode]) => make("li", {}, mode ? make("b", {}, `${mode} `) : null, plan ? make("code", {}, plan) : null, make("span", { class: "quiet" }, `${plan ? " " : ""}sweep ${number}`))),
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

const ownersOf = (test) => data.owners[test[OWNER]].split(" ").filter(Boolean).concat(data.owners[test[OWNER]] ? [] : NOBODY);
const fill = (select, values) => select.append(...values.map((value) => make("option", { value }, value)));
const layMap = () => {
  fill(filters[1], VERDICTS.filter((verdict, place) => data.tests.some((test) => test[VERDICT] === place)));
  fill(filters[2], [...new Set(data.groups.map((group) => group[1]))].sort());
  fill(filters[3], [...data.files].sort());
  if (filters[4]) {
    fill(filters[4], [...new Set(data.owners.flatMap((some) => some.split(" ")))].filter(Boolean).sort());
    if (data.owners.includes("")) filters[4].append(make("option", { value: NOBODY }, "no owner"));
  }
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

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
  if (what === "entries") return block.entries;
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
  const { least, most, company, number } = Object.fromEntries(Object.entries(fold.dataset).map(([name, value]) => [name, Number(value)]));
  const places = data.tests.flatMap((test, place) => (test[VERDICT] === 0 && test[RUNS] >= least && test[RUNS] <= most && test[EXCUSED] === company ? [place] : []));
  const worth = (place) => {
    const runs = data.tests[place][RUNS];
    return least === most ? null : make("span", { class: "quiet" }, ` 0 of ${runs}; ${data.worth[`0/${runs}`][0]}`);
  };
  const button = make("button", { type: "button", class: "more" }, "Show more");
  const append = () => {
    const from = list.children.length;
    list.append(...places.slice(from, from + 200).map((place) => make("li", {}, make("code", {}, names[place]), worth(place))));
    button.hidden = list.children.length >= places.length;
    if (button.hidden && places.length < number) list.append(make("li", { class: "quiet" }, `${counted(number - places.length, "test")} left out of this page`));
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
const filled = (fold) => {
  if (!fold.open || fold.dataset.filled || !fold.matches("details.output, details.bound")) return;
  fold.dataset.filled = "yes";
  (fold.matches(".output") ? output : named)(fold);
};
document.addEventListener("toggle", (event) => filled(event.target), true);
for (const fold of document.querySelectorAll("details[open]")) filled(fold);
layMap();
layStrips();
addEventListener("hashchange", follow);
follow();

// Read first: what the parts share. The parts stand in one function of their own, in strict mode.
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

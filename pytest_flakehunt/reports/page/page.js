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
const VERDICT = 0, ROW = 1, GROUP = 2, EXCUSED = 3, RUNS = 4, OWNER = 5, FILE = 6;
const names = [];
for (const [shared, rest] of data.tests) names.push((names.at(-1) || "").slice(0, shared) + rest);
data.tests = data.tests.map(([, , kind]) => data.kinds[kind]);
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

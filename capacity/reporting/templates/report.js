"use strict";
const words = new Intl.Collator("en", {numeric: true}).compare;
// Headings become buttons that sort the rows by the keys of their cells, numbers as numbers, what is not known last.
const sortable = (table, rows, then = () => {}) => {
  const heads = [...table.tHead.rows[0].cells];
  const numbers = heads.map((_, place) => rows.every(one => one.keys[place] === null || !isNaN(one.keys[place])));
  const sort = place => {
    const head = heads[place], down = head.ariaSort === "ascending" || (!head.ariaSort && head.classList.contains("n"));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.ariaSort = down ? "descending" : "ascending";
    const sign = down ? -1 : 1;
    rows.sort((a, b) => {
      const [left, right] = [a.keys[place], b.keys[place]];
      if (left === null || right === null) return (left === null) - (right === null);
      return sign * (numbers[place] ? left - right : words(left, right));
    });
    const sorted = document.createDocumentFragment();
    for (const one of rows) sorted.append(one.row);
    table.tBodies[0].append(sorted);
    then();
  };
  heads.forEach((head, place) => {
    if (rows.every(one => one.keys[place] === null)) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(place));
    head.append(button);
  });
};
const keys = row => [...row.cells].map(cell => cell.dataset.sort ?? null);
for (const table of document.querySelectorAll("table.sortable")) {
  sortable(table, [...table.tBodies[0].rows].map(row => ({row, keys: keys(row)})));
}
const form = document.querySelector("form.tools"), table = document.querySelector("table.sorted");
if (form && table) {
  const said = form.querySelector(".found");
  const rows = [...table.tBodies[0].rows].map(row => ({
    row, owner: row.dataset.owner, status: row.dataset.status, decide: row.dataset.decisions > 0,
    text: row.cells[0].textContent.toLowerCase() + "\n" + row.dataset.owner.toLowerCase(),
    keys: keys(row),
  }));
  const by = id => document.getElementById(id)?.value ?? "";
  const more = document.createElement("button");
  more.type = "button";
  more.className = "rest";
  table.parentElement.after(more);
  let most = 200;
  const filter = () => {
    const words = by("find").toLowerCase().split(/\s+/), status = by("by-status"), owner = by("by-owner");
    const decide = document.getElementById("to-decide").checked;
    let count = 0;
    for (const one of rows) {
      const shown = words.every(word => one.text.includes(word)) && (!status || one.status === status)
        && (!owner || one.owner === owner) && (!decide || one.decide);
      count += shown;
      const hidden = !shown || count > most;
      if (one.row.hidden !== hidden) one.row.hidden = hidden;
    }
    more.hidden = count <= most;
    more.textContent = `Show ${(count - most).toLocaleString("en")} more`;
    said.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} services`;
  };
  const all = () => { most = Infinity; filter(); };
  more.addEventListener("click", all);
  addEventListener("beforeprint", all);
  sortable(table, rows, filter);
  form.addEventListener("input", filter);
  form.addEventListener("submit", event => event.preventDefault());
  form.hidden = false;
  filter();
}
const unfold = () => {
  const asked = document.getElementById(location.hash.slice(1)), folded = asked?.closest("details");
  if (folded && !folded.open) { folded.open = true; asked.scrollIntoView(); }
};
addEventListener("hashchange", unfold);
unfold();
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => { for (const one of opened) one.open = false; });

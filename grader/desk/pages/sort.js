
"use strict";
// Tables of class "sortable" are sorted by a button in each header; without this script they are as they were written.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const words = new Intl.Collator("en", { numeric: true });
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  heads.forEach((head, column) => {
    const numeric = head.classList.contains("number");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // what is large comes first where numbers are sorted, what is early where words are
      const first = numeric ? "descending" : "ascending";
      const second = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      const sign = order === "ascending" ? 1 : -1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const compare = numeric
        ? (a, b) => Number(value(a, column)) - Number(value(b, column))
        : (a, b) => words.compare(value(a, column), value(b, column));
      body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
    });
  });
}

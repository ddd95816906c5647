// Enhances pages that are whole without it: a switch of the theme, a search over rows, sorting by a column.
// It runs in the head, so that a page that was switched to dark never flashes; it asks nobody for anything.
"use strict";
(() => {
  const root = document.documentElement;
  const NAME = "holdfast-theme";
  const THEMES = ["auto", "light", "dark"];
  const kept = () => {
    try { return localStorage.getItem(NAME); } catch { return null; }  // a browser may refuse storage to files
  };
  const keep = (theme) => {
    try { localStorage.setItem(NAME, theme); } catch { /* then it holds for this page alone */ }
  };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme; else delete root.dataset.theme;
  };
  let theme = THEMES.includes(kept()) ? kept() : "auto";
  apply(theme);

  const startTheme = () => {
    const tools = document.querySelector(".tools");
    const button = tools.querySelector("button");
    const say = () => { button.textContent = `Theme: ${theme}`; };
    button.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      apply(theme);
      keep(theme);
      say();
    });
    say();
    tools.hidden = false;
  };

  const startSearch = (box) => {
    const input = box.querySelector("input");
    const output = box.querySelector("output");
    const bodies = [...document.querySelectorAll("tbody[data-rows]")];
    const rows = bodies.flatMap((body) => [...body.querySelectorAll("tr:not(.group)")]);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const say = (count) => {
      output.textContent = input.value.trim() ? `${count} of ${rows.length} rows` : `${rows.length} rows`;
    };
    const search = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      rows.forEach((row, place) => {
        const fits = words.every((word) => texts[place].includes(word));
        row.hidden = !fits;
        count += fits;
      });
      for (const body of bodies) {
        const group = body.querySelector("tr.group");
        if (group) group.hidden = !body.querySelector("tr:not(.group):not([hidden])");
      }
      say(count);
    };
    input.addEventListener("input", search);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { input.value = ""; search(); }
    });
    box.hidden = false;
    const asked = new URLSearchParams(location.hash.slice(1)).get("q");  // other pages link to a search: #q=words
    if (asked) input.value = asked;
    search();
  };

  const startSort = (table) => {
    const collator = new Intl.Collator("en", { numeric: true });
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const first = [...body.rows];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")] ?? "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (next !== "none") head.setAttribute("aria-sort", next);
        const text = (row) => row.cells[column].textContent.replaceAll("\u202f", "");
        const sorted = next === "none" ? first : [...first].sort((one, other) => collator.compare(text(one), text(other)));
        body.append(...(next === "descending" ? sorted.reverse() : sorted));
      });
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    startTheme();
    document.querySelectorAll(".search").forEach(startSearch);
    document.querySelectorAll("table[data-sort]").forEach(startSort);
  });
  // Paper has no summaries to click on.
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details:not([open]):not(.log)").forEach((item) => { item.open = true; item.dataset.print = ""; });
  });
  addEventListener("afterprint", () => {
    document.querySelectorAll("details[data-print]").forEach((item) => { item.open = false; delete item.dataset.print; });
  });
})();

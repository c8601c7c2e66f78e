// Brings the list up to date without a reload: takes the page anew and exchanges the rows that differ.

import { getText } from "./server.js";
import { showLocalTimes } from "./words.js";

function exchange(old, fresh) {
  const inside = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (inside) fresh.querySelector("a")?.focus();
}

function exchangeRows(body, freshRows) {
  const rows = new Map([...body.rows].map((row) => [row.id, row]));
  let before = null;
  for (const fresh of freshRows) {
    let row = rows.get(fresh.id);
    rows.delete(fresh.id);
    if (!row) row = document.importNode(fresh, true);
    else if (row.dataset.html !== fresh.outerHTML) {
      const changed = document.importNode(fresh, true);
      exchange(row, changed);
      row = changed;
    }
    row.dataset.html = fresh.outerHTML;
    const place = before ? before.nextElementSibling : body.firstElementChild;
    if (row !== place) body.insertBefore(row, place);
    before = row;
  }
  for (const gone of rows.values()) gone.remove();
}

function exchangeList(fresh) {
  const list = document.getElementById("records");
  const body = list.querySelector("tbody");
  const freshBody = fresh.querySelector("tbody");
  const pages = (root) => root.querySelector(".pages")?.textContent;
  if (body && freshBody && pages(list) === pages(fresh)) exchangeRows(body, [...freshBody.rows]);
  else exchange(list, document.importNode(fresh, true));
}

// Returns how many records still wait.
export async function refresh() {
  const page = new DOMParser().parseFromString(await getText(location.href, "text/html"), "text/html");
  exchangeList(page.getElementById("records"));
  const state = document.importNode(page.getElementById("state"), true);
  document.getElementById("state").replaceWith(state);
  showLocalTimes(document.getElementById("records"));
  return Number(state.dataset.pending);
}

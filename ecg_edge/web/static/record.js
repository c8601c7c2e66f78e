// The page of a record.

import { getJson, wait } from "./server.js";
import { Viewer } from "./viewer.js";
import { showLocalTimes } from "./words.js";

const WAIT_MS = 1000;

const record = document.getElementById("record");

async function waitForAnswer() {
  for (;;) {
    await wait(WAIT_MS);
    try {
      const { status } = await getJson(`/v1/records/${encodeURIComponent(record.dataset.id)}`);
      if (status !== "pending") return location.reload();
    } catch {
      // The server may be starting anew; the next turn asks again.
    }
  }
}

function connectViewer(root) {
  const viewer = new Viewer(root);
  document.getElementById("keys").hidden = false;
  const print = document.getElementById("print");
  print.hidden = false;
  print.addEventListener("click", () => window.print());
  for (const button of document.querySelectorAll(".show-place")) {
    button.hidden = false;
    const { start, end, lead } = button.dataset;
    button.addEventListener("click", () => viewer.showPlace(Number(start), Number(end), lead));
  }
  viewer.draw();
}

showLocalTimes();
const root = document.getElementById("viewer");
if (root) connectViewer(root);
if (record.dataset.status === "pending") waitForAnswer();

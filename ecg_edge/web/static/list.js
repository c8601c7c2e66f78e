// The list of records: upload, and rows that come and change as the analysis goes on.

import { readDropped } from "./dropped.js";
import { refresh } from "./refresh.js";
import { wait } from "./server.js";
import { Upload } from "./upload.js";
import { showLocalTimes } from "./words.js";

const WAIT_MS = 2000;

const form = document.getElementById("upload");
const input = document.getElementById("files");
const drop = document.getElementById("drop");
const upload = new Upload(form, refresh);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  await upload.run([...input.files]);
  form.reset();
});

for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("is-over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("is-over");
});
document.addEventListener("drop", async (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  drop.classList.remove("is-over");
  await upload.run(await readDropped(event.dataTransfer));
});

for (const select of document.querySelectorAll(".filter select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// Records of others, or of before a reload, may still wait.
async function followWaiting() {
  let pending = Number(document.getElementById("state").dataset.pending);
  for (;;) {
    await wait(WAIT_MS);
    if (document.hidden || upload.isBusy) continue;
    const waits = pending > 0 || Number(document.getElementById("state").dataset.pending) > 0;
    if (!waits) continue;
    try {
      pending = await refresh();
    } catch {
      // The server may be starting anew; the next turn asks again.
    }
  }
}

showLocalTimes();
followWaiting();

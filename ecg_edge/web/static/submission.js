// Fills in a table without leaving the page.

import { post, Refused } from "./server.js";
import { fill, readWords } from "./words.js";

const form = document.getElementById("submission");
const status = document.getElementById("submission-status");
const words = readWords(form);

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = document.getElementById("file").files;
  if (!file) {
    status.textContent = words.none;
    return;
  }
  status.textContent = words.working;
  const data = new FormData();
  data.append("file", file, file.name);
  try {
    const response = await post("/v1/submission", data);
    const [rows, filled] = ["X-Rows", "X-Rows-Filled"].map((name) => response.headers.get(name));
    save(await response.blob(), "submission.csv");
    status.textContent = filled === null ? words.done : fill(words.filled, { rows, filled });
  } catch (error) {
    status.textContent = error instanceof Refused ? error.message : words.failed;
  }
});

// The page browser.html: answers a chosen file, or compares this browser with vectors.json.
import * as ort from "./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs";
import { detect } from "./detect.mjs";
import { loadModels, parseJson } from "./models.mjs";
import { readSamples } from "./samples.mjs";
import { checkVectors } from "./vectors.mjs";

ort.env.wasm.numThreads = 1; // More threads need headers that a plain server does not send.

const folder = new URL(new URLSearchParams(location.search).get("models") ?? "../../onnx_models/", location.href);
const [file, button, output] = ["file", "vectors", "output"].map((id) => document.getElementById(id));

async function read(name) {
  const response = await fetch(new URL(name, folder));
  if (!response.ok) throw new Error(`${name}: the server answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Do a piece of work and show what it prints; `data-state` of the output says when it has ended, and how. */
async function show(work) {
  const lines = [];
  const print = (line) => { lines.push(line); output.textContent = lines.join("\n"); };
  output.dataset.state = "working";
  try {
    output.dataset.state = (await work(print)) === false ? "failed" : "done";
  } catch (error) {
    print(`error: ${error.message}`);
    output.dataset.state = "failed";
  }
}

await show(async (print) => {
  const models = await loadModels(ort, read);
  file.onchange = () => show(async (print) => {
    const [chosen] = file.files;
    const bytes = new Uint8Array(await chosen.arrayBuffer());
    const leads = readSamples(chosen.name, bytes, models.infarction.spec.leads.length);
    print(JSON.stringify({ file: chosen.name, ...(await detect(models, leads)) }, null, 1));
  });
  button.onclick = () => show(async (print) => checkVectors(models, parseJson(await read("vectors.json")), print));
  file.disabled = button.disabled = false;
  print("the models are loaded");
});

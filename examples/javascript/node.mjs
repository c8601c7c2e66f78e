import { readFile } from "node:fs/promises";
import { webcrypto } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { detect } from "./detect.mjs";
import { loadModels, parseJson } from "./models.mjs";
import { readSamples } from "./samples.mjs";
import { checkVectors } from "./vectors.mjs";

globalThis.crypto ??= webcrypto; // Node 18 does not have it by itself.
process.env.ORT_DISABLE_TELEMETRY ??= "1"; // onnxruntime reads it when it is imported.
const { default: ort } = await import("onnxruntime-node");

const USAGE = `usage: node node.mjs FILE [MODELS]       prints the answer for a recording, as JSON
       node node.mjs --vectors [MODELS]  compares with vectors.json; exit status 1 if an answer differs
       node node.mjs --help              prints this

FILE has 12 leads in millivolts at 500 Hz: .npy (float32), .json, or raw float32. MODELS is a folder of models.
The thresholds are those of the operating point "balanced". Nothing checks the quality of the signal.`;
const SHIPPED = fileURLToPath(new URL("../../onnx_models", import.meta.url));

async function main([file, folder = SHIPPED]) {
  if (file === "--help" || file === "-h") return console.log(USAGE) ?? true;
  if (!file || (file.startsWith("-") && file !== "--vectors")) throw new Error(`no file is named\n${USAGE}`);
  const read = (name) => readFile(join(folder, name));
  const models = await loadModels(ort, read);
  if (file === "--vectors") return checkVectors(models, parseJson(await read("vectors.json")), console.log);
  const leads = readSamples(file, await readFile(file), models.infarction.spec.leads.length);
  console.log(JSON.stringify({ file, ...(await detect(models, leads)) }, null, 1));
  return true;
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

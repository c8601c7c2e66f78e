// Reads the samples of a recording: millivolts at 500 Hz, leads in the order of the models.
import { parseJson } from "./models.mjs";

/** Return a Float32Array for each lead. `name` says what the bytes are: .json, .npy, or raw float32 for any other. */
export function readSamples(name, bytes, nLeads) {
  if (name.endsWith(".json")) return parseJson(bytes).map((lead) => Float32Array.from(lead, toNumber));
  const raw = name.endsWith(".npy") ? bytes.subarray(skipHeader(bytes, nLeads)) : bytes;
  const samples = raw.length / 4 / nLeads;
  if (!Number.isInteger(samples)) throw new Error(`${name} has ${raw.length} bytes, not ${nLeads} leads of float32`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  return Array.from({ length: nLeads }, (_, lead) =>
    Float32Array.from({ length: samples }, (_, i) => view.getFloat32(4 * (lead * samples + i), true)));
}

// JSON.parse gives null for what is missing, and Float32Array would take it for 0.
const toNumber = (value) => (typeof value === "number" ? value : NaN);

function skipHeader(bytes, nLeads) {
  if (String.fromCharCode(...bytes.subarray(1, 6)) !== "NUMPY") throw new Error("the file is named .npy and is none");
  const start = bytes[6] === 1 ? 10 : 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const stop = start + (start === 10 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, stop));
  const expected = ["'descr': '<f4'", "'fortran_order': False", `'shape': (${nLeads}, `];
  const missing = expected.find((part) => !header.includes(part));
  if (missing) {
    throw new Error(`the .npy file does not state ${missing}...: its header is ${header.trim()}; write a signal of shape `
      + `(${nLeads}, samples) with numpy.save(name, numpy.ascontiguousarray(signal, "<f4"))`);
  }
  return stop;
}

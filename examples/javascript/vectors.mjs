// Compares the answers of this machine with those in vectors.json, window by window.
import { answerWindows } from "./detect.mjs";
import { hash } from "./models.mjs";

/** Yield { input, stage, windows, difference, milliseconds } for each input and model. */
export async function* compareVectors(models, vectors) {
  const steps = decodeSteps(vectors);
  for (const input of vectors.inputs) {
    const leads = steps.map((lead) => buildLead(lead, input, vectors.steps_per_mv));
    const bytes = new Uint8Array(await new Blob(leads).arrayBuffer());
    if (await hash(bytes) !== input.sha256) throw new Error(`the input ${input.name} is not the stored one`);
    for (const [stage, model] of Object.entries(models)) {
      const stored = vectors.models[stage];
      if (stored.sha256 !== model.sha256) throw new Error(`the vectors were made with another model of ${stage}`);
      const start = performance.now();
      const found = await answerWindows(model, leads);
      const milliseconds = performance.now() - start;
      const expected = stored.answers[input.name];
      const difference = findDifference([...found.windows, found.mean], [...expected.windows, expected.mean]);
      yield { input: input.name, stage, windows: found.windows.length, difference, milliseconds };
    }
  }
}

/** Compare everything, hand each line to `print`, and return whether all answers are the stored ones. */
export async function checkVectors(models, vectors, print) {
  let worst = 0;
  for await (const { input, stage, windows, difference, milliseconds } of compareVectors(models, vectors)) {
    worst = Math.max(worst, difference);
    const figures = `${difference.toExponential(1)}, ${milliseconds.toFixed(1)} ms`;
    print(`${input} ${stage}: ${windows} windows, largest difference ${figures}`);
  }
  const right = worst <= vectors.tolerance;
  print(`${right ? "OK" : "FAILED"}: largest difference ${worst.toExponential(1)}, allowed ${vectors.tolerance}`);
  return right;
}

/** Return the stored steps of each lead: little-endian int16 in base64. */
function decodeSteps({ steps, leads }) {
  const bytes = Uint8Array.from(atob(steps), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const length = bytes.length / 2 / leads.length;
  return leads.map((_, lead) => Int16Array.from({ length }, (_, i) => view.getInt16(2 * (lead * length + i), true)));
}

const buildLead = (steps, { samples, first, period }, stepsPerMv) =>
  Float32Array.from({ length: samples }, (_, t) => steps[first + t % period] / stepsPerMv);

/** Return the largest difference between two lists of rows; infinite if their shapes differ or a value is missing. */
function findDifference(found, expected) {
  if (found.length !== expected.length) return Infinity;
  const differences = expected.flatMap((row, i) =>
    row.length === found[i].length ? row.map((value, j) => Math.abs(value - found[i][j])) : [Infinity]);
  return differences.reduce((most, value) => (value <= most ? most : value >= 0 ? value : Infinity), 0);
}
